from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from chitra import health, media_api
from chitra.api_pages import RedocPage, SchemaView, SwaggerPage
from chitra.unknown_api import unknown_path
from photos import converters  # noqa: F401 - brings “id” into paths

schema = SchemaView.as_view()

api_patterns = [
    path("", include("photos.urls")),  # first: patterns are tried in turn, and most requests are these
    path("health", health.health, name="api-health"),
    path("ready", health.ready, name="api-ready"),
    path("schema", schema, name="api-schema"),
    path("photos/<id:photo_id>/video", media_api.photo_video, name="api-photo-video"),
    path("", include("chitra.accounts.urls")),
    path("", include("jobs.urls")),
    path("", include("faces.urls")),
    path("", include("search.urls")),
    re_path("(?P<path>.*)", unknown_path),
]

handler400 = "chitra.error_pages.bad_request"
handler500 = "chitra.error_pages.server_error"

urlpatterns = [
    path("favicon.ico", RedirectView.as_view(url=static("icon.svg"))),
    path("api/", include(api_patterns)),
    path("openapi.json", schema, name="openapi-json"),
    path("docs", SwaggerPage.as_view(), name="api-docs"),
    path("redoc", RedocPage.as_view(), name="api-redoc"),
    path("admin/", admin.site.urls),
    path("", include("chitra.accounts.page_urls")),
    path("", include("jobs.page_urls")),
    path("", include("photos.page_urls")),
    path("", include("faces.page_urls")),
    path("", include("search.page_urls")),
    path("", include("chitra.sources.page_urls")),
]
