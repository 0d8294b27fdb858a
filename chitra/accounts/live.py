"""Who listens to live events, over connections that stay open for hours."""

from collections.abc import Mapping
from importlib import import_module
from io import BytesIO
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.core.handlers.asgi import ASGIRequest
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request
from rest_framework.settings import api_settings

from chitra.accounts.models import User


def user_of_scope(scope: Mapping[str, Any]) -> User | None:
    """Whose key, token or session the headers of an ASGI scope hold now; None for nobody's."""
    bare: Any = ASGIRequest({**scope, "type": "http", "method": "GET"}, BytesIO())
    sessions: Any = import_module(settings.SESSION_ENGINE)
    bare.session = sessions.SessionStore(bare.COOKIES.get(settings.SESSION_COOKIE_NAME))
    bare.user = get_user(bare)
    methods: Any = api_settings.DEFAULT_AUTHENTICATION_CLASSES  # classes by now, which its types do not know
    try:
        user: Any = Request(bare, authenticators=[method() for method in methods]).user
    except (AuthenticationFailed, PermissionDenied):
        return None
    return user if user.is_authenticated else None
