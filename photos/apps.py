from django.apps import AppConfig
from django.core.checks import register


class PhotosConfig(AppConfig):
    name = "photos"

    def ready(self) -> None:
        from photos import checks

        register(checks.check_media_keys)
        register(checks.check_s3)
