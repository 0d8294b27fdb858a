from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator

from chitra.open_api import warning_of_open_api
from jobs.rate_limits import limit_posts


class ChitraAdminSite(AdminSite):
    """The admin for curation, under the product's name."""

    site_header = "Chitra"
    site_title = "Chitra admin"
    index_title = "Curation and upkeep"

    @method_decorator(limit_posts("login"))
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().login(request, extra_context)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """The header of every page says so when the API is open."""
        context: dict[str, Any] = super().each_context(request)
        if warning := warning_of_open_api():
            context["site_header"] = f"Chitra – {warning}"
        return context
