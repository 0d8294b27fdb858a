"""JSON on its way out: an ETag, so that what has not changed is not sent again, and compression.

Only JSON: pages carry CSRF tokens, which compression could give away (BREACH), and pictures are compressed
already. Answers that must not be stored (a new key) are left as they are.
"""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.utils.cache import patch_vary_headers
from django.utils.decorators import sync_and_async_middleware
from django.utils.text import compress_string

from photos.serving import etag_is_known

SMALL_BYTES = 1000  # not worth it below
BLOCKING_BYTES = 32 * 1024  # from here on the event loop does not wait for compression
BROTLI_QUALITY = 4  # as fast as gzip, and smaller
RANDOM_BYTES = 100  # of a name in the gzip header, so that lengths tell less
ENCODING = re.compile(r"\s*([a-z*-]+)\s*(?:;\s*q=([0-9.]+))?\s*")


@sync_and_async_middleware
def json_answers(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            waiting: Awaitable[Any] = get_response(request)
            response = await waiting
            if not is_json(response):
                return response  # type: ignore[no-any-return]
            if len(response.content) < BLOCKING_BYTES or not wanted_encoding(request):
                return finished(request, response)
            return await asyncio.to_thread(finished, request, response)

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        return finished(request, response) if is_json(response) else response

    return answer


def is_json(response: Any) -> bool:
    """Whether it is an answer of the API that may be stored and is whole."""
    return (
        not response.streaming
        and response.headers.get("Content-Type", "").startswith("application/json")
        and "no-store" not in response.headers.get("Cache-Control", "")
        and "Content-Encoding" not in response.headers
    )


def finished(request: HttpRequest, response: Any) -> HttpResponse:
    """The answer with ETag and compression, or 304."""
    patch_vary_headers(response, ["Authorization", "X-Api-Key", "Cookie", "Accept-Encoding"])
    if request.method in ("GET", "HEAD") and response.status_code == 200:
        response.headers.setdefault("Cache-Control", "private, no-cache")
        digest = hashlib.blake2b(response.content, digest_size=16).hexdigest()
        response.headers["ETag"] = f'W/"{digest}"'
        if etag_is_known(request.META.get("HTTP_IF_NONE_MATCH", ""), digest):
            kept = ("ETag", "Cache-Control", "Vary")
            return HttpResponseNotModified(headers={name: response.headers[name] for name in kept})
    return compressed(request, response)


def compressed(request: HttpRequest, response: Any) -> HttpResponse:
    """By brotli or gzip, if the client takes it and it makes the answer smaller."""
    answer: HttpResponse = response
    plain = answer.content
    encoding = wanted_encoding(request)
    if not encoding or len(plain) < SMALL_BYTES:
        return answer
    data = brotli_of(plain) if encoding == "br" else compress_string(plain, max_random_bytes=RANDOM_BYTES)
    if len(data) < len(plain):
        answer.content = data
        answer.headers["Content-Encoding"] = encoding
        answer.headers["Content-Length"] = str(len(data))
    return answer


def brotli_of(data: bytes) -> bytes:
    import brotli

    return bytes(brotli.compress(data, quality=BROTLI_QUALITY))


def wanted_encoding(request: HttpRequest) -> str:
    return chosen_encoding(request.META.get("HTTP_ACCEPT_ENCODING", ""))


def chosen_encoding(header: str) -> str:
    """“br” or “gzip”, if Accept-Encoding takes it; else ""."""
    accepted = {}
    for item in header.lower().split(","):
        if match := ENCODING.fullmatch(item):
            accepted[match[1]] = match[2] is None or match[2].strip("0.") != ""
    return next((name for name in ("br", "gzip") if accepted.get(name)), "")
