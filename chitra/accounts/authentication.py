"""API keys in requests: `Authorization: Bearer KEY` or `x-api-key: KEY`."""

from typing import Any

from django.http import QueryDict
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from rest_framework import authentication
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from chitra.accounts.models import ApiKey, User, hash_key

# Written out, because to compose it takes longer than to run it, and every request of a program needs it.
FIND_USER = """
    SELECT "user".*, "key".id AS key_id, "key".last_used_at > now() - interval '1 hour' AS key_was_just_used
    FROM accounts_apikey AS "key" JOIN accounts_user AS "user" ON "user".id = "key".user_id
    WHERE "key".key_hash = %s AND "user".is_active
"""


class ApiKeyAuthentication(BaseAuthentication):
    """One indexed query a request; `last_used_at` is written at most once an hour.

    `request.auth` is the key's id.
    """

    def authenticate(self, request: Request) -> tuple[User, int] | None:
        text = read_key(request)
        if text is None:
            return None
        user: Any = next(iter(User.objects.raw(FIND_USER, [hash_key(text)])), None)
        if user is None:
            raise AuthenticationFailed("This API key is not known. Make a new one under Settings.")
        if not user.key_was_just_used:
            ApiKey.objects.filter(pk=user.key_id).update(last_used_at=timezone.now())
        return user, user.key_id

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class SessionAuthentication(authentication.SessionAuthentication):
    """Sessions of the pages. The CSRF token comes in the X-CSRFToken header: an upload is not read for it."""

    def enforce_csrf(self, request: Request) -> None:
        bare = request._request
        bare._post, bare._files = QueryDict(), MultiValueDict()  # type: ignore[attr-defined]
        try:
            super().enforce_csrf(bare)  # type: ignore[arg-type]
        finally:
            del bare._post, bare._files  # type: ignore[attr-defined]


def read_key(request: Request) -> str | None:
    """The key a request carries, or None. A header of another scheme is somebody else's."""
    if text := request.headers.get("x-api-key"):
        return text.strip()
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    return text.strip() if scheme.lower() == "bearer" and text.strip() else None
