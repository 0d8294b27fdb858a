"""While CHITRA_LEGACY_OPEN_API is set, all who may look are told; who has no key acts as that account."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import Client

from chitra import open_api
from chitra.accounts.models import User
from chitra.tests import processes
from photos.models import Library, Photo


@pytest.fixture
def opened(alice: User, settings: Any, media: Any) -> None:
    settings.LEGACY_OPEN_API = alice.email
    settings.CORS_ALLOW_ALL_ORIGINS = True  # as settings.py sets it then


@pytest.mark.usefixtures("opened")
def test_health_log_checks_and_admin_say_so(
    admin: User, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.get("/api/health").json()["warnings"] == [open_api.WARNING]
    with caplog.at_level(logging.WARNING):
        open_api.warn_in_log()
    assert open_api.WARNING in caplog.text
    assert "chitra.W001" in {message.id for message in run_checks()}
    User.objects.filter(pk=admin.pk).update(is_superuser=True)
    client.force_login(User.objects.get(pk=admin.pk))
    assert open_api.WARNING in client.get("/admin/").content.decode()


def test_nobody_says_so_while_it_is_shut(client: Client, db: None, media: Any) -> None:
    assert client.get("/api/health").json()["warnings"] == []
    assert client.get("/api/photos").status_code == 401
    assert "chitra.W001" not in {message.id for message in run_checks()}


def test_pages_may_send_any_header_while_it_is_open() -> None:
    show = (
        "import django; django.setup(); from django.conf import settings; print(settings.CORS_ALLOW_HEADERS)"
    )
    for account, expected in {"alice@example.org": True, "": False}.items():
        code, out, err = processes.run("-c", show, environment={"CHITRA_LEGACY_OPEN_API": account})
        assert code == 0, err
        assert ("'*'" in out, "'authorization'" in out) == (expected, True)


@pytest.mark.usefixtures("opened")
def test_a_client_without_a_key_acts_as_the_account_from_any_origin(alice: User, client: Client) -> None:
    Library.objects.home_of(alice)
    answer = client.get("/api/photos", headers={"origin": "http://localhost:5173"})
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (200, "*")
    assert "Access-Control-Allow-Credentials" not in answer
    made = client.post("/api/persons", {"name": "Asha"}, content_type="application/json")
    assert made.status_code == 200
    assert client.get("/api/auth/me").json()["email"] == alice.email


@pytest.mark.usefixtures("opened")
def test_a_token_that_a_stranger_got_ends_with_the_open_api(
    alice: User,
    client: Client,
    client_of: Callable[[User], Client],
    add_photo: Callable[..., Photo],
    settings: Any,
) -> None:
    path = f"/api/photos/{add_photo().pk}/video"
    strangers, alices = (one.get("/api/media-token").json()["token"] for one in (client, client_of(alice)))
    assert client.get(path, {"token": strangers}).status_code == 400  # it is no film
    settings.LEGACY_OPEN_API = ""
    assert client.get(path, {"token": strangers}).status_code == 401
    assert client.get(path, {"token": alices}).status_code == 400
