"""The product's URLs and three views that do nothing, as the measure of what a request costs at least."""

from adrf.decorators import api_view
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from rest_framework.request import Request

from jobs.loop_views import on_event_loop


async def bare(request: HttpRequest) -> HttpResponse:
    """No query, no authentication, two bytes of JSON."""
    return HttpResponse(b"{}", content_type="application/json")


async def bare_file(request: HttpRequest, path: str) -> HttpResponse:
    """Nothing but where nginx finds the file."""
    return HttpResponse(headers={"X-Accel-Redirect": f"/protected-media/{path}"})


@on_event_loop
@api_view(["GET"])
async def with_key(request: Request) -> HttpResponse:
    """The same by adrf, for who has a key: one query."""
    return HttpResponse(b"{}", content_type="application/json")


urlpatterns = [
    path("bare", bare),
    path("bare-file/<path:path>", bare_file),
    path("with-key", with_key),
    path("", include("chitra.urls")),
]
