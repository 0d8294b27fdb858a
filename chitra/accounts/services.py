"""Accounts: the first one, and what every account starts with."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

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
