"""API keys in requests: `Authorization: Bearer KEY` or `x-api-key: KEY`."""

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from chitra.accounts.models import ApiKey, User, hash_key


class ApiKeyAuthentication(BaseAuthentication):
    """One indexed query a request; `last_used_at` is written at most once an hour."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        text = read_key(request)
        if text is None:
            return None
        active = ApiKey.objects.select_related("user").filter(user__is_active=True)
        key = active.filter(key_hash=hash_key(text)).first()
        if key is None:
            raise AuthenticationFailed("This API key is not known. Make a new one under Settings.")
        if not key.was_just_used():
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=timezone.now())
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def read_key(request: Request) -> str | None:
    """The key a request carries, or None. A header of another scheme is somebody else's."""
    if text := request.headers.get("x-api-key"):
        return text.strip()
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    return text.strip() if scheme.lower() == "bearer" and text.strip() else None
