"""The pages that show the API's description, from files that Chitra itself serves."""

from functools import cache
from typing import Any

from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer2
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import (
    SpectacularJSONAPIView,
    SpectacularRedocView,
    SpectacularSwaggerView,
)

from chitra.content_security_policy import policy

# Redoc fills style elements by script, which begin empty, and one with the rules of its scroll bars.
REDOC_STYLES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='",
)


class SchemaView(SpectacularJSONAPIView):
    """The description itself; its errors are JSON like all others."""

    renderer_classes = [OpenApiJsonRenderer2]

    def _get_schema_response(self, request: Any) -> HttpResponse:
        return HttpResponse(description(), content_type="application/json")


@cache
def description() -> bytes:
    """Made once: that takes a second of CPU, and strangers may ask for it."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    text: bytes = OpenApiJsonRenderer2().render(schema, renderer_context={})
    return text


class SwaggerPage(SpectacularSwaggerView):
    url_name = "openapi-json"
    template_name = "api/swagger.html"


class RedocPage(SpectacularRedocView):
    url_name = "openapi-json"
    template_name = "api/redoc.html"

    @extend_schema(exclude=True)
    def get(self, *args: Any, **options: Any) -> Any:
        response = super().get(*args, **options)  # type: ignore[no-untyped-call]
        response.headers["Content-Security-Policy"] = policy(*REDOC_STYLES)
        return response
