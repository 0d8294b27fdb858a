"""Accounts: the first one, and what every account starts with."""

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from chitra.accounts.models import User
from photos.models import Library, Membership
from photos.services import lock_libraries


class SetupClosed(Exception):
    """An account exists already, so the setup is closed for ever."""


def needs_setup() -> bool:
    """Whether there is no account yet."""
    return not User.objects.exists()


def set_up_first_account(*, email: str, password: str) -> User:
    """Make the first account, an administrator; it owns the libraries filled before anybody was there.

    Raises ValidationError for an unusable address or password, SetupClosed once an account exists.
    """
    validate_email(email)
    validate_password(password, User(email=email))
    with transaction.atomic():
        lock_libraries()
        if not needs_setup():
            raise SetupClosed("An account exists already: log in instead.")
        user = User.objects.create_superuser(email, password)
        for library in Library.objects.filter(memberships__isnull=True):
            Membership.objects.create(library=library, user=user, role=Membership.Role.OWNER)
        Library.objects.home_of(user)
    return user


def set_up_from_environment(*, email: str, password: str) -> User | None:
    """The setup without a browser. None when an account exists or nothing is asked for."""
    if not email or not needs_setup():
        return None
    if not password:
        raise ValidationError("CHITRA_SETUP_EMAIL is set but CHITRA_SETUP_PASSWORD is not: set both.")
    return set_up_first_account(email=email, password=password)


class AccountError(ValueError):
    """Something that cannot be done to an account. The old API's clients know the text as its code."""


def find_account(name: str) -> User | None:
    """The account with this address, else the only one that took this name with it from the old server."""
    by_address = User.objects.filter(email__iexact=name).first()
    if by_address is not None:
        return by_address
    named = list(User.objects.filter(first_name__iexact=name)[:2]) if name else []
    return named[0] if len(named) == 1 else None


def check_login(name: str, password: str) -> User:
    """The account, if the password is its own and it may be used. Raises AccountError.

    A name that nobody has takes as long as a wrong password.
    """
    user = find_account(name)
    if user is None:
        make_password(password)
        raise AccountError("Incorrect username or password")
    if not user.has_usable_password() or not user.check_password(password):
        raise AccountError("Incorrect username or password")
    if user.closed_because:
        raise AccountError(user.closed_because)
    return user


def register(*, name: str, email: str, password: str) -> User:
    """An account that waits for an administrator. Raises AccountError, ValidationError for the password."""
    if needs_setup():
        raise AccountError("Set up the first account before others register")
    if User.objects.filter(first_name__iexact=name).exists():
        raise AccountError("Username already registered")
    if User.objects.filter(email__iexact=email).exists():
        raise AccountError("Username already registered" if name == email else "Email already registered")
    validate_password(password, User(email=email, first_name=name))
    waiting = {"is_active": False, "approved_at": None}
    return User.objects.create_user(email, password, first_name="" if name == email else name, **waiting)


def approve(user: User) -> None:
    """Let somebody in who registered, or again somebody who was shut out. Raises AccountError."""
    if user.is_active:
        raise AccountError("User is already whitelisted")
    user.is_active, user.approved_at = True, timezone.now()
    user.save(update_fields=["is_active", "approved_at"])


def withdraw_approval(user: User) -> None:
    """The account waits for an administrator again; its sessions, keys and tokens are void until then."""
    user.is_active, user.approved_at = False, None
    user.save(update_fields=["is_active", "approved_at"])


def deactivate(user: User) -> None:
    """Close an account; its photos stay."""
    user.is_active, user.approved_at = False, user.approved_at or timezone.now()
    user.save(update_fields=["is_active", "approved_at"])


def set_role(user: User, role: str) -> None:
    """`admin` or `user`. Who is no administrator any more is no superuser either."""
    user.is_staff = user.is_superuser = role == "admin"
    user.save(update_fields=["is_staff", "is_superuser"])
