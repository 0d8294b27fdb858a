"""Registration, login by token and the administration of accounts, as old clients know them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from chitra.accounts.models import User

PASSWORD = "a long enough phrase"
NEWCOMER = {"username": "newcomer", "password": PASSWORD, "email": "newcomer@example.org"}


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def register(**changes: Any) -> Any:
    return Client().post("/api/auth/register", {**NEWCOMER, **changes}, content_type="application/json")


def login(name: str, password: str = PASSWORD) -> Any:
    return Client().post("/api/auth/login", {"username": name, "password": password})


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["detail"]


def test_a_newcomer_waits_is_let_in_logs_in_and_is_shut_out(
    admin: User, client_of: Callable[[User], Client]
) -> None:
    assert register().json()["status"] == "pending_approval"
    waiting = "Account pending admin approval. Please contact an administrator."
    assert code_of(login("newcomer@example.org")) == (403, waiting)
    program = client_of(admin)
    pending = program.get("/api/admin/users/pending").json()
    assert [entry["username"] for entry in pending] == ["newcomer"]
    listed = program.get("/api/admin/users?include_pending=true").json()
    assert (len(listed["users"]), listed["pending_count"]) == (2, 1)
    path = f"/api/admin/users/{pending[0]['id']}"
    assert program.post(f"{path}/whitelist").json()["is_whitelisted"] is True
    assert code_of(program.post(f"{path}/whitelist")) == (400, "User is already whitelisted")
    answer = login("newcomer").json()
    assert (answer["token_type"], answer["user"]["last_login"]) == ("bearer", None)
    own = Client(headers={"authorization": f"Bearer {answer['access_token']}"})
    assert own.get("/api/auth/me").json()["email"] == "newcomer@example.org"
    assert code_of(own.get("/api/admin/users")) == (403, "Admin access required")
    role = program.put(f"{path}/role", {"role": "admin"}, content_type="application/json")
    assert role.json()["role"] == "admin"
    wrong = program.put(f"{path}/role", {"role": "king"}, content_type="application/json")
    assert wrong.status_code == 422
    assert program.post(f"{path}/deactivate").json() == {"status": "User deactivated"}
    assert code_of(own.get("/api/auth/me")) == (403, "Account is deactivated")
    assert code_of(login("newcomer@example.org")) == (403, "Account is deactivated")
    assert program.post(f"{path}/unwhitelist").json() == {"status": "User removed from whitelist"}
    assert code_of(own.get("/api/photos")) == (403, waiting)
    assert code_of(program.post("/api/admin/users/999999/whitelist")) == (404, "User not found")
    for action, code in (
        ("deactivate", "Cannot deactivate yourself"),
        ("unwhitelist", "Cannot unwhitelist yourself"),
    ):
        assert code_of(program.post(f"/api/admin/users/{admin.pk}/{action}")) == (400, code)


def test_names_and_addresses_are_taken_once(admin: User) -> None:
    assert register().status_code == 200
    assert code_of(register(email="other@example.org")) == (400, "Username already registered")
    assert code_of(register(username="another")) == (400, "Email already registered")
    assert register(username="third", email=None).status_code == 422
    assert (
        "password" in register(username="fourth", email="d@example.org", password="12345678").json()["fields"]
    )


def test_nobody_registers_before_the_setup(db: None) -> None:
    assert register().status_code == 400
    assert not User.objects.exists()


def test_a_wrong_password_and_a_body_that_is_no_form_are_refused(alice: User) -> None:
    alice.set_password(PASSWORD)
    alice.save()
    assert code_of(login("alice@example.org", "wrong")) == (401, "Incorrect username or password")
    assert code_of(login("nobody", "wrong")) == (401, "Incorrect username or password")
    assert Client().post("/api/auth/login").status_code == 422
    assert Client().post("/api/auth/login", {}, content_type="application/json").status_code == 415
    assert Client().post("/api/auth/logout").json() == {"message": "Logged out successfully"}


def test_a_token_ends_with_the_password(alice: User) -> None:
    alice.set_password(PASSWORD)
    alice.save()
    token = login("ALICE@example.org").json()["access_token"]
    own = Client(headers={"authorization": f"Bearer {token}"})
    assert own.get("/api/auth/me").status_code == 200
    alice.set_password("another long phrase")
    alice.save()
    assert own.get("/api/auth/me").status_code == 401


def test_guessing_is_slowed_down(alice: User) -> None:
    answers = [login("alice@example.org", "wrong").status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]
