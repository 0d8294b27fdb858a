from django.apps import AppConfig


class LegacyConfig(AppConfig):
    name = "chitra.legacy"
    label = "legacy"
