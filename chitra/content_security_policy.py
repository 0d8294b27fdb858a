"""What pages may load: only what Chitra itself serves, and pictures from where the settings say."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

# Style attributes carry data (the ratio of a photo, the box of a face); style elements and scripts are files.
# Pictures may come from the store to which pages are redirected, and those of the map from a server of tiles.
SELF = "'self'"
MEDIA = " ".join(filter(None, ["'self' data: blob:", settings.MEDIA_ORIGIN]))


def origin(url: str) -> str:
    """“https://tiles.example.org” of a URL there, "" of none."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if url else ""


def policy(*styles: str) -> str:
    """The header's value; `styles` are hashes of style elements that a page needs nevertheless."""
    pictures = " ".join(filter(None, [MEDIA, origin(settings.MAP_TILES)]))
    return (
        f"default-src 'self'; img-src {pictures}; media-src {MEDIA}; "
        f"style-src {' '.join((SELF, *styles))}; "
        "style-src-attr 'unsafe-inline'; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


POLICY = policy()


@sync_and_async_middleware
def content_security_policy(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Sends POLICY with every answer that has none; async, so that no request changes threads for it."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            waiting: Awaitable[HttpResponseBase] = get_response(request)
            return with_policy(await waiting)

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        return with_policy(get_response(request))

    return answer


def with_policy(response: HttpResponseBase) -> HttpResponseBase:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    return response
