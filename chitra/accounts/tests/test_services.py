"""The first account, made once."""

import threading
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection

from chitra.accounts import services
from chitra.accounts.models import User
from chitra.accounts.services import SetupClosed, needs_setup, set_up_first_account
from photos.models import Library, Membership
from photos.services import library_for_import

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def fast_hashes(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def test_the_first_account_is_an_administrator_with_a_library(db: None) -> None:
    assert needs_setup()
    user = set_up_first_account(email="alice@Example.org", password=PASSWORD)
    assert (user.email, user.is_staff, user.is_superuser) == ("alice@example.org", True, True)
    assert user.check_password(PASSWORD)
    assert Membership.objects.get().role == "owner"
    assert not needs_setup()


def test_the_first_account_owns_what_was_imported_before(db: None) -> None:
    library, nobody = library_for_import(None)
    assert nobody is None
    user = set_up_first_account(email="alice@example.org", password=PASSWORD)
    assert Library.objects.home_of(user) == library
    assert Library.objects.count() == 1


def test_there_is_no_second_first_account(alice: User) -> None:
    with pytest.raises(SetupClosed):
        set_up_first_account(email="mallory@example.org", password=PASSWORD)


@pytest.mark.parametrize(
    ("email", "password"), [("alice", PASSWORD), ("", PASSWORD), ("alice@example.org", "123")]
)
def test_an_unusable_address_or_password_is_refused(db: None, email: str, password: str) -> None:
    with pytest.raises(ValidationError):
        set_up_first_account(email=email, password=password)
    assert needs_setup()


def test_one_address_is_one_account_in_any_case(alice: User) -> None:
    with pytest.raises(IntegrityError):
        User.objects.create_user("Alice@example.org")


@pytest.mark.django_db(transaction=True)
def test_two_setups_at_once_make_one_account() -> None:
    start = threading.Barrier(3)
    ends: list[str] = []

    def set_up(name: str) -> None:
        try:
            start.wait()
            ends.append(set_up_first_account(email=f"{name}@example.org", password=PASSWORD).email)
        except SetupClosed:
            ends.append("closed")
        finally:
            connection.close()

    threads = [threading.Thread(target=set_up, args=[name]) for name in ("alice", "bob", "charlie")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ends.count("closed") == 2
    assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_import_that_begins_during_the_setup_imports_for_the_new_account() -> None:
    start = threading.Barrier(2)
    libraries: list[Library] = []

    def import_photos() -> None:
        try:
            start.wait()
            libraries.append(library_for_import(None)[0])
        finally:
            connection.close()

    thread = threading.Thread(target=import_photos)
    thread.start()
    start.wait()
    user = set_up_first_account(email="alice@example.org", password=PASSWORD)
    thread.join()
    assert libraries == [Library.objects.home_of(user)]


@pytest.fixture
def set_up(monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(email: str, password: str) -> None:
        monkeypatch.setenv("CHITRA_SETUP_EMAIL", email)
        monkeypatch.setenv("CHITRA_SETUP_PASSWORD", password)
        call_command("set_up_account")

    return run


def test_the_environment_makes_the_first_account_once(db: None, set_up: Any) -> None:
    set_up("alice@example.org", PASSWORD)
    set_up("mallory@example.org", PASSWORD)
    assert [user.email for user in User.objects.all()] == ["alice@example.org"]


def test_the_environment_asks_for_nothing(db: None, set_up: Any) -> None:
    set_up("", "")
    assert services.needs_setup()


def test_an_address_without_a_password_is_said(db: None, set_up: Any) -> None:
    with pytest.raises(CommandError, match="CHITRA_SETUP_PASSWORD is not: set both"):
        set_up("alice@example.org", "")
