"""System checks of photos: names in settings that lead nowhere, and S3 without keys."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from photos.media_keys import KeyOwner, key_owners


def check_media_keys(**kwargs: Any) -> list[CheckMessage]:
    """Resolve MEDIA_KEYS (id photos.E001)."""
    hint = "Correct MEDIA_KEYS in settings."
    try:
        owners = key_owners()
    except ImportError as error:
        return [Error(str(error), hint=hint, id="photos.E001")]
    return [
        Error(
            f"MEDIA_KEYS names {owner!r}, which is no photos.media_keys.KeyOwner.",
            hint=hint,
            id="photos.E001",
        )
        for owner in owners
        if not isinstance(owner, KeyOwner)
    ]


def check_s3(**kwargs: Any) -> list[CheckMessage]:
    """S3 without keys of its own (id photos.W001) uses what the machine offers, which is rarely meant."""
    if settings.STORAGE != "s3" or settings.S3_OPTIONS["access_key"]:
        return []
    return [
        Warning(
            "CHITRA_STORAGE is s3, but MINIO_ACCESS_KEY is not set.",
            hint="Set MINIO_ACCESS_KEY and MINIO_SECRET_KEY, unless this machine has a role of its own.",
            id="photos.W001",
        )
    ]
