"""The product's URLs and two views that do nothing, as the measure of what a request costs at least."""

from adrf.decorators import api_view
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from rest_framework.request import Request

from jobs.loop_views import on_event_loop


async def bare(request: HttpRequest) -> HttpResponse:
    """No query, no authentication, two bytes of JSON."""
    return HttpResponse(b"{}", content_type="application/json")


@on_event_loop
@api_view(["GET"])
async def with_key(request: Request) -> HttpResponse:
    """The same by adrf, for who has a key: one query."""
    return HttpResponse(b"{}", content_type="application/json")


urlpatterns = [path("bare", bare), path("with-key", with_key), path("", include("chitra.urls"))]
