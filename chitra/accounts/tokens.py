"""Signed tokens that expire: the bearer token of a login, and one that opens media only."""

from datetime import timedelta
from typing import Any

import jwt
from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac

from chitra.accounts.models import User

ALGORITHM = "HS256"
LOGIN_LIFE = timedelta(hours=24)
MEDIA_LIFE = timedelta(hours=1)
MEDIA_SCOPE = "media"


class BadToken(ValueError):
    """Expired, forged, meant for something else, or of an account that changed its password or was closed."""


class ClosedAccount(BadToken):
    """A good token of an account that may not be used now; the text says why."""


def login_token(user: User) -> str:
    """For `Authorization: Bearer`; void after LOGIN_LIFE and once the password changes."""
    claims = {"username": user.email, "role": "admin" if user.is_staff else "user"}
    return sign(user, LOGIN_LIFE, claims)


def media_token(user: User, *, is_open: bool = False) -> str:
    """For `?token=` of media in places that send no headers, such as a video element.

    `is_open`: for somebody whom only CHITRA_LEGACY_OPEN_API lets in; void once that is off.
    """
    return sign(user, MEDIA_LIFE, {"scope": MEDIA_SCOPE, "open": is_open})


def sign(user: User, life: timedelta, claims: dict[str, Any]) -> str:
    values = {"sub": str(user.pk), "exp": timezone.now() + life, "key": password_mark(user), **claims}
    return jwt.encode(values, signing_key(), algorithm=ALGORITHM)


def user_of(token: str, *, scope: str | None = None) -> User:
    """Whose token it is. Raises BadToken."""
    required = {"require": ["sub", "exp", "key"]}
    try:
        claims = jwt.decode(token, signing_key(), algorithms=[ALGORITHM], options=required)  # type: ignore[arg-type]
    except jwt.InvalidTokenError as error:
        raise BadToken(str(error)) from None
    if claims.get("scope") != scope or not str(claims["sub"]).isdecimal():
        raise BadToken("The token is meant for something else.")
    if claims.get("open") and not settings.LEGACY_OPEN_API:
        raise BadToken("The API is not open any more.")
    user = User.objects.filter(pk=int(claims["sub"])).first()
    if user is None or claims["key"] != password_mark(user):
        raise BadToken("The account is gone or has another password now.")
    if user.closed_because:
        raise ClosedAccount(user.closed_because)
    return user


def password_mark(user: User) -> str:
    """Changes with the password, so that old tokens end with it."""
    return user.get_session_auth_hash()[:16]


def signing_key() -> bytes:
    """A key of the tokens' own, derived from SECRET_KEY."""
    return salted_hmac("chitra.tokens", "signing", secret=settings.SECRET_KEY, algorithm="sha256").digest()
