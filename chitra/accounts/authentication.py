"""Who sends a request: an API key (`Authorization: Bearer KEY`, `x-api-key: KEY`), a token, or nobody.

Nobody is somebody only with CHITRA_LEGACY_OPEN_API.
"""

from dataclasses import dataclass

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import QueryDict
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from rest_framework import authentication
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from chitra.accounts.models import KEY_PREFIX, ApiKey, User, hash_key
from chitra.accounts.tokens import BadToken, user_of
from jobs.pipeline import Row
from jobs.reads import fetch_one_here, fetch_seen
from jobs.unchanged import SNAPSHOT

# Written out, because to compose it takes longer than to run it, and every request of a program needs it.
USER_FIELDS = [field.attname for field in User._meta.concrete_fields]
FIND_USER = f"""
    SELECT "key".id, "key".last_used_at > now() - interval '1 hour',
        {", ".join(f'"user"."{name}"' for name in USER_FIELDS)}, {SNAPSHOT}
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
        user, key_id, was_just_used = found(fetch_one_here(FIND_USER, (hash_key(text),)))
        if not was_just_used:
            note_use(key_id)
        return user, key_id

    async def authenticate_on_loop(self, request: Request) -> tuple[User, int] | None:
        """The same for `jobs.loop_views`; `request.snapshot` is what was seen."""
        text = read_key(request)
        if text is None:
            return None
        row, request.snapshot = await fetch_seen(FIND_USER, (hash_key(text),))  # type: ignore[attr-defined]
        user, key_id, was_just_used = found(row)
        if not was_just_used:
            await sync_to_async(note_use)(key_id)
        return user, key_id

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class TokenAuthentication(BaseAuthentication):
    """The bearer token that `POST /api/auth/login` answered."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        text = read_bearer(request)
        if text is None or text.startswith(KEY_PREFIX):
            return None
        try:
            return user_of(text), None
        except BadToken:
            raise AuthenticationFailed("The token is not valid or no longer so. Log in again.") from None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


@dataclass(frozen=True)
class OpenAccess:
    """Stands for the credentials of a request that brought none."""

    is_open = True


class OpenAuthentication(BaseAuthentication):
    """With CHITRA_LEGACY_OPEN_API a request without credentials acts as that user. Comes last."""

    def authenticate(self, request: Request) -> tuple[User, OpenAccess] | None:
        if not settings.LEGACY_OPEN_API:
            return None
        user = User.objects.filter(email__iexact=settings.LEGACY_OPEN_API, is_active=True).first()
        return (user, OpenAccess()) if user else None

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


def found(row: Row | None) -> tuple[User, int, bool]:
    """What FIND_USER found. Raises AuthenticationFailed for nothing."""
    if row is None:
        raise AuthenticationFailed("This API key is not known. Make a new one under Settings.")
    key_id, was_just_used, *values = row
    return User.from_db("default", USER_FIELDS, values[: len(USER_FIELDS)]), key_id, was_just_used


def note_use(key_id: int) -> None:
    ApiKey.objects.filter(pk=key_id).update(last_used_at=timezone.now())


def read_key(request: Request) -> str | None:
    """The API key a request carries, or None; what has not the form of one is somebody else's."""
    if text := request.headers.get("x-api-key"):
        return text.strip()
    text = read_bearer(request)
    return text if text and text.startswith(KEY_PREFIX) else None


def read_bearer(request: Request) -> str | None:
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    return text.strip() if scheme.lower() == "bearer" and text.strip() else None
