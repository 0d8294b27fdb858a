"""Keys and sessions at the door of the API."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from chitra.accounts.models import ApiKey, User, hash_key
from photos.models import Photo
from photos.tests.pictures import jpeg

URL = "/api/photos"


@pytest.fixture
def key(alice: User) -> str:
    return ApiKey.issue(alice, "phone")[1]


def test_a_key_is_kept_as_a_hash_only(alice: User) -> None:
    row, key = ApiKey.issue(alice, "phone")
    assert row.key_hash == hash_key(key)
    assert key.startswith("chitra_")
    assert len(key) > 45
    stored = ApiKey.objects.filter(pk=row.pk).values().get()
    assert key not in [str(value) for value in stored.values()]
    assert key.startswith(row.prefix)
    assert len(row.prefix) < 15


@pytest.mark.parametrize(
    "headers",
    [
        lambda key: {"authorization": f"Bearer {key}"},
        lambda key: {"authorization": f"bearer  {key} "},
        lambda key: {"x-api-key": key},
        lambda key: {"x-api-key": key, "authorization": "Basic YTpi"},
    ],
)
def test_a_key_opens_in_either_header(key: str, headers: Callable[[str], dict[str, str]]) -> None:
    assert Client(headers=headers(key)).get(URL).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": "Basic YTpi"},
        {"authorization": "Token x"},
        {"x-api-key": ""},
    ],
)
def test_no_key_is_said(db: None, headers: dict[str, str]) -> None:
    response = Client(headers=headers).get(URL)
    assert (response.status_code, response.json()["error"]) == (401, "Not authenticated")


@pytest.mark.parametrize("text", ["wrong", "chitra_" + "a" * 43, "é", "x" * 5000, "' OR 1=1 --", "a\0b"])
def test_a_wrong_key_is_refused(db: None, text: str) -> None:
    for headers in ({"authorization": f"Bearer {text}"}, {"x-api-key": text}):
        response = Client(headers=headers).get(URL)
        assert (response.status_code, response.json()["error"]) == (401, "Could not validate credentials")
        assert response["WWW-Authenticate"] == "Bearer"


def test_the_hash_is_no_key(alice: User, key: str) -> None:
    assert Client(headers={"x-api-key": hash_key(key)}).get(URL).status_code == 401


def test_a_wrong_key_is_not_made_up_for_by_a_session(alice: User) -> None:
    client = Client(headers={"x-api-key": "wrong"})
    client.force_login(alice)
    assert client.get(URL).status_code == 401


def test_the_key_of_an_inactive_account_is_refused(alice: User, key: str) -> None:
    User.objects.update(is_active=False)
    assert Client(headers={"x-api-key": key}).get(URL).status_code == 401


def test_a_deleted_key_is_refused(key: str) -> None:
    client = Client(headers={"x-api-key": key})
    assert client.get(URL).status_code == 200
    ApiKey.objects.all().delete()
    assert client.get(URL).status_code == 401


def test_the_last_use_is_written_once_an_hour(key: str, django_assert_num_queries: Any) -> None:
    client = Client(headers={"x-api-key": key})
    client.get(URL)
    first = ApiKey.objects.get().last_used_at
    assert first is not None
    client.get(URL)
    assert ApiKey.objects.get().last_used_at == first
    ApiKey.objects.update(last_used_at=timezone.now() - timedelta(hours=2))
    client.get(URL)
    assert ApiKey.objects.filter(last_used_at__gt=first).exists()


def test_a_session_opens_for_reading(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    assert client.get(URL).status_code == 200


def test_a_session_writes_only_with_its_csrf_token(alice: User, media: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)

    def send(**headers: str) -> Any:
        return client.post(
            "/api/photos/upload", {"file": SimpleUploadedFile("a.jpg", jpeg())}, headers=headers
        )

    response = send()
    assert (response.status_code, response.json()["error"]) == (403, "permission_denied")
    assert not Photo.objects.exists()
    token = "a" * 32
    client.cookies["csrftoken"] = token
    assert send(**{"x-csrftoken": "b" * 32}).status_code == 403
    assert send(**{"x-csrftoken": token}).json()["saved"]


def test_a_key_needs_no_csrf_token(key: str, media: Any) -> None:
    client = Client(enforce_csrf_checks=True, headers={"x-api-key": key})
    response = client.post("/api/photos/upload", {"file": SimpleUploadedFile("a.jpg", jpeg())})
    assert response.status_code == 200


def test_the_command_prints_a_key_that_works(alice: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_api_key", "ALICE@example.org", "--name", "backup")
    key = capsys.readouterr().out.strip()
    assert ApiKey.objects.get().name == "backup"
    assert Client(headers={"x-api-key": key}).get(URL).status_code == 200


def test_the_command_says_who_there_is_not(db: None) -> None:
    with pytest.raises(CommandError, match=r"There is no account nobody@example\.org"):
        call_command("create_api_key", "nobody@example.org")
