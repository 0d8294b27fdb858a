"""System checks of the installation as a whole."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register


@register
def check_open_api(**kwargs: Any) -> list[CheckMessage]:
    if not settings.LEGACY_OPEN_API:
        return []
    message = f"Requests without a key act as {settings.LEGACY_OPEN_API} (CHITRA_LEGACY_OPEN_API)."
    hint = "Unset it once all clients send a key. Until then let only a trusted network reach Chitra."
    return [Warning(message, hint=hint, id="chitra.W001")]
