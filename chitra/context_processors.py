from typing import Any

from django.http import HttpRequest

from chitra import __version__


def chitra(request: HttpRequest) -> dict[str, Any]:
    """What every page shows."""
    return {"chitra_version": __version__}
