from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class ChitraConfig(AppConfig):
    name = "chitra"
    default = True

    def ready(self) -> None:
        """Load what registers itself, and say so when the API is open."""
        from chitra import checks, open_api, openapi  # noqa: F401

        open_api.warn_in_log()


class ChitraAdminConfig(admin_apps.AdminConfig):
    default_site = "chitra.admin_site.ChitraAdminSite"
    default = False
