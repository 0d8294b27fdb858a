"""Paths under /api that are none: without a slash too many, else 401 for strangers and 404 for others."""

from adrf.decorators import api_view
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.urls import Resolver404, resolve
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response


class KeepMethodRedirect(HttpResponsePermanentRedirect):
    """307: the same method and body once more, at another path."""

    status_code = 307


@csrf_exempt
async def unknown_path(request: HttpRequest, path: str = "") -> HttpResponse:
    """To the endpoint that the path is but for its last slashes, if there is one."""
    bare = request.path.rstrip("/")
    if path.endswith("/") and is_endpoint(bare):
        query = request.META.get("QUERY_STRING", "")
        return KeepMethodRedirect(f"{bare}?{query}" if query else bare)
    answer: HttpResponse = await unknown_endpoint(request)
    return answer


@extend_schema(exclude=True)
@api_view(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def unknown_endpoint(request: Request) -> Response:
    """404 for who has a key; the API asks everybody else for one first."""
    raise NotFound("There is no such endpoint.")


def is_endpoint(path: str) -> bool:
    try:
        return resolve(path).func is not unknown_path
    except Resolver404:
        return False
