"""API keys over the API."""

import json
from typing import Any

import pytest
from django.test import Client

from chitra.accounts.models import ApiKey


def test_a_key_is_made_used_and_revoked(client_of: Any, alice: Any) -> None:
    client = client_of(alice)
    made = client.post("/api/keys", json.dumps({"name": "phone"}), content_type="application/json")
    assert (made.status_code, made["Cache-Control"]) == (201, "no-store")
    phone = Client(headers={"x-api-key": made.json()["key"]})
    assert phone.get("/api/auth/me").status_code == 200
    listed = client.get("/api/keys").json()["keys"]
    assert [key["name"] for key in listed] == ["phone", "test"]
    assert "key" not in listed[0]
    assert client.delete(f"/api/keys/{made.json()['id']}").status_code == 204
    assert phone.get("/api/auth/me").status_code == 401


def test_nobody_sees_or_revokes_the_keys_of_others(client_of: Any, alice: Any, bob: Any) -> None:
    key, _ = ApiKey.issue(alice, "alices")
    client = client_of(bob)
    assert [item["name"] for item in client.get("/api/keys").json()["keys"]] == ["test"]
    assert client.delete(f"/api/keys/{key.pk}").status_code == 404
    assert ApiKey.objects.filter(pk=key.pk).exists()


def test_who_is_let_in_without_a_key_makes_none(alice: Any, settings: Any) -> None:
    settings.LEGACY_OPEN_API = alice.email
    assert Client().get("/api/photos").status_code == 200
    assert Client().get("/api/keys").status_code == 403
    assert Client().post("/api/keys", {"name": "x"}, content_type="application/json").status_code == 403


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "a\0"}, {"name": "x" * 101}, {"name": ["x"]}])
def test_a_key_without_a_name_is_refused(client_of: Any, alice: Any, body: dict[str, Any]) -> None:
    answer = client_of(alice).post("/api/keys", json.dumps(body), content_type="application/json")
    assert answer.status_code == 422
