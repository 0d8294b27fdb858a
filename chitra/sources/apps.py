from django.apps import AppConfig


class SourcesConfig(AppConfig):
    name = "chitra.sources"
    label = "sources"
