"""The product's URLs and a view that does nothing, as the measure of what a request costs at least."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


async def bare(request: HttpRequest) -> HttpResponse:
    """No query, no authentication, two bytes of JSON."""
    return HttpResponse(b"{}", content_type="application/json")


urlpatterns = [path("bare", bare), path("", include("chitra.urls"))]
