"""Who sends a request: an API key (`Authorization: Bearer KEY`, `x-api-key: KEY`), a token, or nobody.

Nobody is somebody only with CHITRA_LEGACY_OPEN_API.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from rest_framework import authentication
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from chitra.accounts.models import KEY_PREFIX, ApiKey, User, hash_key
from chitra.accounts.tokens import BadToken, ClosedAccount, user_of
from jobs.looks import Sight
from jobs.reads import ask_for_snapshot, fetch_one_here, fetch_seen, snapshot_in
from jobs.unchanged import SNAPSHOT

# Written out, because to compose it takes longer than to run it, and every request of a program needs it.
USER_FIELDS = [field.attname for field in User._meta.concrete_fields]
FIND_USER = f"""
    SELECT "key".last_used_at > now() - interval '1 hour', "key".id,
        {", ".join(f'"user"."{name}"' for name in USER_FIELDS)}, {SNAPSHOT}
    FROM accounts_apikey AS "key" JOIN accounts_user AS "user" ON "user".id = "key".user_id
    WHERE "key".key_hash = %s AND "user".is_active
"""
MOST_REMEMBERED = 1000
REMEMBERED_SECONDS = 600


class ApiKeyAuthentication(BaseAuthentication):
    """One indexed query a request; `last_used_at` is written at most once an hour.

    `request.auth` is the key's id.
    """

    def authenticate(self, request: Request) -> tuple[User, int] | None:
        text = read_key(request)
        if text is None:
            return None
        row = fetch_one_here(FIND_USER, (hash_key(text),))
        if row is not None and not row[0]:
            note_use(row[1])
        return user_and_key(row and row[1:])

    async def authenticate_on_loop(self, request: Any) -> tuple[User, int] | None:
        """The same for `jobs.loop_views`. Who only reads, with a key that was good the last time, gets to the
        view while the key is looked at.
        """
        look: LookAtKey | None = request.look
        if look is None:
            return None
        said = look.said if request.method in SAFE_METHODS else None
        request.taken_for = said or (await look.end()).who
        return user_and_key(request.taken_for)

    @staticmethod
    def begin_look(request: HttpRequest) -> "LookAtKey | None":
        text = read_key(request)
        return None if text is None else LookAtKey(hash_key(text))

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class LookAtKey:
    """Whose a key is now. Nothing was committed since it was remembered: the same account's."""

    def __init__(self, key_hash: str) -> None:
        self._key_hash = key_hash
        self._sight: Sight | None = None
        self._remembered = remembered_keys.get(key_hash)
        if self._remembered is not None:
            self._snapshot = ask_for_snapshot()

    @property
    def said(self) -> Any:
        return self._remembered and self._remembered.sight.who

    async def end(self) -> Sight:
        if self._sight is None:
            self._sight = await self._unchanged() or await self._looked_up()
        return self._sight

    async def _unchanged(self) -> Sight | None:
        """What is remembered, if it is still true."""
        if (known := self._remembered) is None or known.until < time.monotonic():
            return None
        snapshot = await snapshot_in(self._snapshot)
        return known.sight if known.sight.snapshot == snapshot else None

    async def _looked_up(self) -> Sight:
        row, snapshot = await fetch_seen(FIND_USER, (self._key_hash,))
        sight = Sight(row and row[1:], snapshot)
        remember(self._key_hash, sight)
        if row is not None and not row[0]:
            await sync_to_async(note_use)(row[1])
        return sight


@dataclass(frozen=True)
class RememberedKey:
    """Whose it was the last time."""

    sight: Sight
    until: float  # then its use is noted again


def remember(key_hash: str, sight: Sight) -> None:
    """Only what was seen with a snapshot, hence in the web server."""
    if sight.who is None or sight.snapshot is None:
        remembered_keys.pop(key_hash, None)
        return
    if len(remembered_keys) >= MOST_REMEMBERED:
        remembered_keys.clear()
    remembered_keys[key_hash] = RememberedKey(sight, time.monotonic() + REMEMBERED_SECONDS)


remembered_keys: dict[str, RememberedKey] = {}  # by hash


class TokenAuthentication(BaseAuthentication):
    """The bearer token that `POST /api/auth/login` answered."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        text = read_bearer(request)
        if text is None or text.startswith(KEY_PREFIX):
            return None
        try:
            return user_of(text), None
        except ClosedAccount as error:
            raise PermissionDenied(str(error), code=str(error)) from None
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


def user_and_key(owner: Sequence[Any] | None) -> tuple[User, int]:
    """What FIND_USER found, without the first column. Raises AuthenticationFailed for nothing."""
    if owner is None:
        raise AuthenticationFailed("This API key is not known. Make a new one under Settings.")
    key_id, *values = owner
    return User.from_db("default", USER_FIELDS, values[: len(USER_FIELDS)]), key_id


def note_use(key_id: int) -> None:
    ApiKey.objects.filter(pk=key_id).update(last_used_at=timezone.now())


def read_key(request: Request | HttpRequest) -> str | None:
    """The API key a request carries, or None; what has not the form of one is somebody else's."""
    if text := request.META.get("HTTP_X_API_KEY"):
        return str(text).strip()
    text = read_bearer(request)
    return text if text and text.startswith(KEY_PREFIX) else None


def read_bearer(request: Request | HttpRequest) -> str | None:
    scheme, _, text = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return text.strip() if scheme.lower() == "bearer" and text.strip() else None
