"""Queries of the API are UTF-8. Django reads � where they are not, and the search would be for that."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.decorators import sync_and_async_middleware

from chitra.error_pages import API
from chitra.errors import error_body

MESSAGE = "What follows the “?” of the address is not UTF-8."


@sync_and_async_middleware
def utf8_queries(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """400 under /api for bytes that are no text."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            if is_refused(request):
                return refusal()
            waiting: Awaitable[HttpResponseBase] = get_response(request)
            return await waiting

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = refusal() if is_refused(request) else get_response(request)
        return response

    return answer


def is_refused(request: HttpRequest) -> bool:
    query = request.META.get("QUERY_STRING", "")
    if "%" not in query or not request.path.startswith(API):
        return False
    try:
        unquote(query, errors="strict")
    except UnicodeDecodeError:
        return True
    return False


def refusal() -> HttpResponseBase:
    return JsonResponse(error_body("malformed_query", MESSAGE), status=400)
