from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class ChitraConfig(AppConfig):
    name = "chitra"
    default = True


class ChitraAdminConfig(admin_apps.AdminConfig):
    default_site = "chitra.admin_site.ChitraAdminSite"
    default = False
