"""Accounts and API keys in the admin."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from chitra.accounts.models import ApiKey, User
from photos.models import Library, Membership
from photos.tests.test_admin import act, count_queries

pytestmark = pytest.mark.django_db
KEYS = "admin:accounts_apikey_changelist"
USERS = "admin:accounts_user_changelist"
PASSWORD = "a long enough one"
MEMBERSHIPS = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}


def test_every_model_of_chitra_is_in_the_admin(admin_client: Client) -> None:
    ours = {"accounts", "jobs", "photos", "faces", "search"}
    models = {model for model in apps.get_models() if model._meta.app_label in ours}
    assert models - set(admin.site._registry) == set()
    assert admin_client.get(reverse("admin:index")).status_code == 200


def add_user(client: Client, email: str) -> str:
    data = {"email": email, "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    return client.post(reverse("admin:accounts_user_add"), {**data, **MEMBERSHIPS}, follow=True).text


def test_an_account_is_made_from_an_address_and_a_password(admin_client: Client, client: Client) -> None:
    assert "username" not in admin_client.get(reverse("admin:accounts_user_add")).text.casefold()
    assert "was added successfully" in add_user(admin_client, "alice@example.com")
    assert client.login(username="alice@example.com", password=PASSWORD)


def test_an_address_is_one_account_in_any_case(admin_client: Client) -> None:
    User.objects.create_user("alice@example.com")
    assert "There is an account with this address already" in add_user(admin_client, "Alice@Example.com")


def test_an_account_is_changed_and_made_a_member(admin_client: Client) -> None:
    alice = User.objects.create_user("alice@example.com", is_active=True)
    library = Library.objects.create(name="Family")
    url = reverse("admin:accounts_user_change", args=[alice.pk])
    assert admin_client.get(url).status_code == 200
    inline = {
        "memberships-0-library": library.pk,
        "memberships-0-role": "viewer",
        "memberships-0-user": alice.pk,
    }
    data = {"email": "alice@example.com", "first_name": "Alice", "is_active": "on"}
    admin_client.post(url, {**data, **MEMBERSHIPS, **inline, "memberships-TOTAL_FORMS": "1"})
    assert User.objects.get(first_name="Alice").email == "alice@example.com"
    assert Membership.objects.get(user=alice).role == "viewer"


def test_longer_lists_cost_no_more_queries(admin_client: Client) -> None:
    for url_name in (USERS, KEYS):
        counts = []
        for more in (2, 28):
            for _ in range(more):
                user = User.objects.create_user(f"{User.objects.count()}@example.com")
                ApiKey.issue(user, "phone")
            counts.append(count_queries(admin_client, reverse(url_name)))
        assert counts[0] == counts[1] <= 9


def test_a_key_is_told_apart_but_never_shown(admin_client: Client) -> None:
    key, text = ApiKey.issue(User.objects.create_user("alice@example.com"), "phone")
    pages = [
        admin_client.get(reverse(KEYS)).text,
        admin_client.get(reverse("admin:accounts_apikey_change", args=[key.pk])).text,
    ]
    for page in pages:
        assert key.prefix in page
        assert text not in page
        assert key.key_hash not in page


def test_keys_are_revoked_but_not_made_or_changed(admin_client: Client) -> None:
    alice = User.objects.create_user("alice@example.com")
    (key, text), (kept, _) = ApiKey.issue(alice, "phone"), ApiKey.issue(alice, "laptop")
    assert admin_client.get(reverse("admin:accounts_apikey_add")).status_code == 403
    change = reverse("admin:accounts_apikey_change", args=[kept.pk])
    assert admin_client.post(change, {"name": "mine"}).status_code == 403
    assert "1 revoked" in act(admin_client, KEYS, "revoke", [key])
    assert ApiKey.objects.get() == kept
    assert admin_client.get("/api/photos", headers={"x-api-key": text}).status_code == 401
