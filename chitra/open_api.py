"""CHITRA_LEGACY_OPEN_API: loud wherever somebody may look."""

import logging

from django.conf import settings

logger = logging.getLogger(__name__)
WARNING = "The API is open: requests without a key act as an account (CHITRA_LEGACY_OPEN_API)."


def warning_of_open_api() -> str:
    """What to say everywhere while the API is open, "" when it is not. Anybody reads it: no account in it."""
    return WARNING if settings.LEGACY_OPEN_API else ""


def warn_in_log() -> None:
    if settings.LEGACY_OPEN_API:
        logger.warning(
            "%s It is %s. Unset it once all clients send a key.", WARNING, settings.LEGACY_OPEN_API
        )
