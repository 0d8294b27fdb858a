"""What Django answers before or behind the views: under /api in the API's shape, else its pages."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views import defaults

from chitra.errors import error_body

API = "/api/"
HOST = "The request is broken, or its Host is none of CHITRA_ALLOWED_HOSTS."


def bad_request(request: HttpRequest, exception: Any) -> HttpResponseBase:
    if request.path.startswith(API):
        return JsonResponse(error_body("bad_request", HOST), status=400)
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    if request.path.startswith(API):
        message = "Something went wrong on the server; its log says what."
        return JsonResponse(error_body("internal_error", message), status=500)
    return defaults.server_error(request)
