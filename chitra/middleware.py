"""Django's middlewares without a detour over a thread for each of their hooks.

Under ASGI Django sends every synchronous hook to a thread, in case it blocks: a dozen hops a request, more
than the view itself costs. These hooks only read headers and set attributes, so they run on the event loop;
the few that reach the database or read a body still go to the thread. `docs/decisions/middleware.md` has the
figures.
"""

from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from corsheaders.middleware import CorsMiddleware as DjangoCors
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware as DjangoAuthentication
from django.contrib.messages.middleware import MessageMiddleware as DjangoMessages
from django.contrib.sessions.middleware import SessionMiddleware as DjangoSession
from django.http import HttpRequest, HttpResponseBase, HttpResponseForbidden
from django.middleware.clickjacking import XFrameOptionsMiddleware as DjangoXFrameOptions
from django.middleware.common import CommonMiddleware as DjangoCommon
from django.middleware.csrf import CsrfViewMiddleware as DjangoCsrf
from django.middleware.security import SecurityMiddleware as DjangoSecurity
from django.utils.deprecation import MiddlewareMixin

Process = Callable[..., HttpResponseBase]
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")


class OnEventLoop(MiddlewareMixin):
    """Runs `process_request` and `process_response` where the request is, unless `response_blocks`."""

    def response_blocks(self, request: HttpRequest) -> bool:
        """Whether `process_response` is about to use the database."""
        return False

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        process_request: Process | None = getattr(self, "process_request", None)
        process_response: Process | None = getattr(self, "process_response", None)
        response = process_request(request) if process_request else None
        if response is None:
            response = await self.get_response(request)  # type: ignore[misc]
        if process_response is None:
            return response
        if self.response_blocks(request):
            return await sync_to_async(process_response)(request, response)
        return process_response(request, response)


class SecurityMiddleware(OnEventLoop, DjangoSecurity):
    pass


class CorsMiddleware(DjangoCors):
    """Says nothing where no page of another host is let in, as it is by default."""

    def is_enabled(self, request: HttpRequest) -> bool:
        is_open = settings.CORS_ALLOWED_ORIGINS or settings.CORS_ALLOW_ALL_ORIGINS
        return bool(is_open) and super().is_enabled(request)


class SessionMiddleware(OnEventLoop, DjangoSession):
    def response_blocks(self, request: HttpRequest) -> bool:
        return request.session.modified


class CommonMiddleware(OnEventLoop, DjangoCommon):
    pass


class CsrfViewMiddleware(OnEventLoop, DjangoCsrf):
    async def process_view(  # type: ignore[override]
        self,
        request: HttpRequest,
        callback: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> HttpResponseForbidden | None:
        """Only an unsafe method has a body to look for the token in, which may have to be parsed first."""
        check = super().process_view
        if request.method in SAFE_METHODS or getattr(callback, "csrf_exempt", False):
            return check(request, callback, args, kwargs)
        return await sync_to_async(check)(request, callback, args, kwargs)


class AuthenticationMiddleware(OnEventLoop, DjangoAuthentication):
    pass


class MessageMiddleware(OnEventLoop, DjangoMessages):
    def response_blocks(self, request: HttpRequest) -> bool:
        """Messages that were shown or added are written back, to a cookie or to the session."""
        messages: Any = getattr(request, "_messages", None)
        return messages is not None and (messages.used or messages.added_new)


class XFrameOptionsMiddleware(OnEventLoop, DjangoXFrameOptions):
    pass
