"""How often somebody may do something."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone

from jobs.models import RateWindow
from jobs.rate_limits import address_of, forget_windows, seconds_to_wait


@pytest.fixture(autouse=True)
def _two_a_minute(db: None, settings: Any) -> None:
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, 2)


def test_the_third_time_has_to_wait_and_others_do_not() -> None:
    assert [seconds_to_wait("search", "alice") for _ in range(2)] == [0, 0]
    assert 0 < seconds_to_wait("search", "alice") <= 60
    assert seconds_to_wait("search", "bob") == 0
    assert seconds_to_wait("upload", "alice") == 0


def test_after_the_window_it_begins_anew() -> None:
    for _ in range(3):
        seconds_to_wait("search", "alice")
    RateWindow.objects.update(began_at=timezone.now() - timedelta(seconds=61))
    assert seconds_to_wait("search", "alice") == 0
    assert RateWindow.objects.get().count == 1


def test_zero_is_no_limit(settings: Any) -> None:
    settings.RATE_LIMITS = {"search": 0}
    assert {seconds_to_wait("search", "alice") for _ in range(5)} == {0}
    assert not RateWindow.objects.exists()


def test_windows_that_are_over_are_forgotten() -> None:
    seconds_to_wait("search", "alice")
    assert forget_windows() == 0
    RateWindow.objects.update(began_at=timezone.now() - timedelta(hours=1))
    assert forget_windows() == 1


def test_the_table_is_unlogged() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE relname = 'jobs_ratewindow'")
        assert cursor.fetchone() == ("u",)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        *((0, "1.1.1.1", "127.0.0.1"), (1, "1.1.1.1", "1.1.1.1"), (1, "9.9.9.9, 1.1.1.1", "1.1.1.1")),
        *((2, "1.1.1.1, 2.2.2.2", "1.1.1.1"), (1, "", "127.0.0.1"), (2, "1.1.1.1", "127.0.0.1")),
    ],
)
def test_an_address_is_believed_of_as_many_proxies_as_there_are(
    settings: Any, proxies: int, forwarded: str, address: str
) -> None:
    settings.PROXIES = proxies
    assert address_of(RequestFactory().get("/", headers={"x-forwarded-for": forwarded})) == address


def test_pages_of_log_in_and_setup_count_together(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    assert Client().post("/setup", {}).status_code == 200
    get_user_model()._default_manager.create_user("alice@example.org", "something")
    wrong = {"username": "alice@example.org", "password": "wrong"}
    assert Client().post("/login", wrong).status_code == 200
    for path in ("/login", "/setup", "/admin/login/"):
        response = Client().post(path, wrong)
        assert response.status_code == 429
        assert 0 < int(response["Retry-After"]) <= 60
        assert "Try again in" in response.text
    assert Client().get("/login").status_code == 200
    answer = Client().post("/api/auth/login", wrong)
    assert (answer.status_code, answer.json()["error"]) == (429, "throttled")


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", "/api/search/photos"), ("post", "/api/photos/upload"), ("post", "/api/uploads")],
)
def test_endpoints_are_limited_per_account(
    client_of: Any, alice: Any, bob: Any, method: str, path: str
) -> None:
    hers, his = client_of(alice), client_of(bob)
    for _ in range(2):
        assert getattr(hers, method)(path).status_code != 429
    limited = getattr(hers, method)(path)
    assert (limited.status_code, limited.json()["error"]) == (429, "throttled")
    assert int(limited["Retry-After"]) > 0
    assert getattr(his, method)(path).status_code != 429
