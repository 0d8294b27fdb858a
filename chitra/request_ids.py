"""A name for each request, in its answer and in every line that is logged while it is worked on."""

import logging
import re
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

HEADER = "X-Request-ID"
USABLE = re.compile(r"[A-Za-z0-9._-]{1,64}")

current: ContextVar[str] = ContextVar("request_id", default="")


@sync_and_async_middleware
def request_ids(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Takes the id that a proxy gave, if it is one, else makes one."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            current.set(request_id := id_of(request))
            waiting: Awaitable[HttpResponseBase] = get_response(request)
            response = await waiting
            response.headers[HEADER] = request_id
            return response

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        current.set(request_id := id_of(request))
        response: HttpResponseBase = get_response(request)
        response.headers[HEADER] = request_id
        return response

    return answer


def id_of(request: HttpRequest) -> str:
    sent = request.META.get("HTTP_X_REQUEST_ID", "")
    return sent if USABLE.fullmatch(sent) else uuid4().hex


class RequestIdFilter(logging.Filter):
    """Gives log records `request`: “ [id]”, or nothing outside of requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        request_id = current.get()
        record.request = f" [{request_id}]" if request_id else ""
        return True
