from django.contrib import admin
from django.urls import include, path, re_path

from chitra import health
from chitra.errors import unknown_endpoint

api_patterns = [
    path("health", health.health, name="api-health"),
    path("ready", health.ready, name="api-ready"),
    path("", include("jobs.urls")),
    path("", include("photos.urls")),
    path("", include("faces.urls")),
    path("", include("search.urls")),
    re_path("(?P<path>.*)", unknown_endpoint),
]

urlpatterns = [
    path("api/", include(api_patterns)),
    path("admin/", admin.site.urls),
    path("", include("chitra.accounts.page_urls")),
    path("", include("jobs.page_urls")),
    path("", include("photos.page_urls")),
    path("", include("faces.page_urls")),
    path("", include("search.page_urls")),
]
