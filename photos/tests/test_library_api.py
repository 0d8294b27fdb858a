"""Libraries and their members by the API: who may decide, and that no library is left without an owner."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from photos.models import Library, Membership

ClientOf = Callable[[Any], Client]
Rows = Callable[[int], list[int]]


@pytest.fixture
def client(client_of: ClientOf, alice: Any, library: Library) -> Client:
    return client_of(alice)


def send(client: Client, method: str, path: str, body: Any = None) -> Any:
    return getattr(client, method)(path, body, content_type="application/json")


def test_a_library_is_shared_and_keeps_its_owner(client: Client, alice: Any, bob: Any) -> None:
    made = send(client, "post", "/api/libraries", {"name": "Family"})
    assert (made.status_code, made.json()["role"]) == (201, "owner")
    path = f"/api/libraries/{made.json()['id']}"
    member = send(client, "post", f"{path}/members", {"email": bob.email, "role": "viewer"})
    assert member.json() == {"user_id": bob.pk, "email": bob.email, "role": "viewer"}
    assert len(client.get(f"{path}/members").json()["members"]) == 2
    assert send(client, "patch", f"{path}/members/{alice.pk}", {"role": "viewer"}).status_code == 409
    assert client.delete(f"{path}/members/{alice.pk}").json()["error"] == "last_owner"
    assert send(client, "patch", f"{path}/members/{bob.pk}", {"role": "owner"}).status_code == 200
    assert client.delete(f"{path}/members/{alice.pk}").status_code == 204
    assert client.get(path).status_code == 404


def test_only_owners_decide_about_a_library(
    client_of: ClientOf, library: Library, bob: Any, charlie: Any, share_with: Any
) -> None:
    share_with(bob, "editor")
    client, path = client_of(bob), f"/api/libraries/{library.pk}"
    assert client.get(path).json()["role"] == "editor"
    assert send(client, "patch", path, {"name": "Mine"}).status_code == 404
    assert client.delete(path).status_code == 404
    body = {"email": charlie.email, "role": "owner"}
    assert send(client, "post", f"{path}/members", body).status_code == 404
    assert send(client, "patch", f"{path}/members/{bob.pk}", {"role": "owner"}).status_code == 404
    assert client.delete(f"{path}/members/{bob.pk}").status_code == 204  # leaves
    assert not Membership.objects.filter(user=bob).exists()


@pytest.mark.parametrize(
    "body", [{}, {"email": "x", "role": "viewer"}, {"email": "a@example.org", "role": "king"}, {"email": 1}]
)
def test_a_member_that_is_none_is_refused(client: Client, library: Library, body: dict[str, Any]) -> None:
    assert send(client, "post", f"/api/libraries/{library.pk}/members", body).status_code == 422


def test_an_unknown_address_and_a_full_library_are_said(
    client: Client, library: Library, photo_rows: Rows
) -> None:
    photo_rows(1)
    body = {"email": "nobody@example.org", "role": "viewer"}
    answer = send(client, "post", f"/api/libraries/{library.pk}/members", body)
    assert (answer.status_code, answer.json()["error"]) == (404, "user_not_found")
    assert client.delete(f"/api/libraries/{library.pk}").json()["error"] == "library_in_use"
