"""Setup, login, settings; and that no page answers somebody who is not logged in."""

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from chitra.accounts.models import ApiKey, User

PASSWORD = "a-long-pass-phrase"
OPEN_PAGES = {"setup", "login", "logout"}
SETUP = {"email": "alice@example.org", "password": PASSWORD, "repeated": PASSWORD}
EXAMPLES = {
    "photo_id": 1,
    "person_id": 1,
    "face_id": 1,
    "key_id": 1,
    "library_id": 1,
    "album_id": 1,
    "folder_id": 1,
    "entry_id": 1,
    "key": "0123456789abcdef",
    "edit_id": 1,
    "field": "time",
    "code": "FR",
    "city": "Paris",
    "step": "faces",
    "job_id": "7e3d1b8e-8e4b-4a3c-9c39-0a5a4a6f2f10",
}


def pages() -> list[tuple[str, str]]:
    """Name and path of every page; the API and the admin have tests of their own."""
    found = []
    for included in get_resolver().url_patterns:
        if not isinstance(included, URLResolver) or str(included.pattern):
            continue
        for page in included.url_patterns:
            assert isinstance(page, URLPattern)
            arguments = {name: EXAMPLES[name] for name in page.pattern.converters}
            found.append((str(page.name), reverse(str(page.name), kwargs=arguments)))
    return found


@pytest.mark.parametrize("path", [path for name, path in pages() if name not in OPEN_PAGES])
def test_page_sends_an_anonymous_visitor_to_the_login(alice: User, client: Client, path: str) -> None:
    for answer in (client.get(path), client.post(path)):
        assert answer.status_code == 302
        assert answer["Location"] == f"/login?next={path}"


@pytest.mark.django_db
def test_first_visit_leads_to_the_setup(client: Client) -> None:
    answer = client.get("/people", follow=True)
    assert answer.redirect_chain[-1] == ("/setup", 302)
    assert b"Welcome to Chitra" in answer.content


@pytest.mark.django_db
def test_setup_makes_the_first_account_and_logs_it_in(client: Client) -> None:
    answer = client.post("/setup", SETUP, follow=True)
    assert answer.redirect_chain == [("/", 302)]
    assert answer.context["user"].email == "alice@example.org"
    assert User.objects.get().is_superuser


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"repeated": "another-pass-phrase"}, "The two passwords differ."),
        ({"password": "12345678", "repeated": "12345678"}, "too common"),
        ({"email": "alice"}, "valid email address"),
        ({"email": ""}, "This field is required."),
    ],
)
def test_setup_says_what_cannot_be_used(client: Client, changes: dict[str, str], problem: str) -> None:
    answer = client.post("/setup", SETUP | changes)
    assert answer.status_code == 200
    assert problem in answer.content.decode()
    assert not User.objects.exists()


def test_setup_is_closed_once_an_account_exists(alice: User, client: Client) -> None:
    assert client.get("/setup")["Location"] == "/login"
    assert client.post("/setup", SETUP)["Location"] == "/login"
    assert User.objects.count() == 1


def test_login_takes_the_address_in_any_case_and_leads_on(alice: User, client: Client) -> None:
    alice.set_password(PASSWORD)
    alice.save()
    answer = client.post(
        "/login?next=/people", {"username": "Alice@Example.org", "password": PASSWORD, "next": "/people"}
    )
    assert answer["Location"] == "/people"


def test_login_with_a_wrong_password_says_so(alice: User, client: Client) -> None:
    answer = client.post("/login", {"username": alice.email, "password": "wrong"})
    assert "do not belong together" in answer.content.decode()


def test_login_does_not_lead_to_another_site(alice: User, client: Client) -> None:
    alice.set_password(PASSWORD)
    alice.save()
    form = {"username": alice.email, "password": PASSWORD, "next": "https://example.com/"}
    assert client.post("/login", form)["Location"] == "/"


def test_logout_ends_the_session(alice: User, client: Client) -> None:
    client.force_login(alice)
    assert client.post("/logout")["Location"] == "/login"
    assert client.get("/").status_code == 302


def test_new_key_is_shown_once(alice: User, client: Client) -> None:
    client.force_login(alice)
    shown = client.post("/settings", {"name": "Phone"})
    key = shown.context["new_key"]
    assert key in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    later = client.get("/settings").content.decode()
    assert key not in later
    assert "Phone" in later
    assert Client(headers={"x-api-key": key}).get("/api/photos").status_code == 200


def test_revoked_key_is_refused(alice: User, client: Client) -> None:
    key, text = ApiKey.issue(alice, "Phone")
    client.force_login(alice)
    client.post(f"/settings/keys/{key.pk}/revoke")
    assert Client(headers={"x-api-key": text}).get("/api/photos").status_code == 401


def test_charlie_cannot_revoke_alices_key(alice: User, charlie: User, client: Client) -> None:
    key, _ = ApiKey.issue(alice, "Phone")
    client.force_login(charlie)
    assert client.post(f"/settings/keys/{key.pk}/revoke").status_code == 404
    assert ApiKey.objects.filter(pk=key.pk).exists()


def test_settings_tell_which_models_are_in_use(alice: User, client: Client) -> None:
    client.force_login(alice)
    answer = client.get("/settings")
    assert answer.context["encoder"].label in answer.content.decode()
    assert answer.context["face_pack"].name in answer.content.decode()


def test_password_can_be_changed(alice: User, client: Client) -> None:
    alice.set_password(PASSWORD)
    alice.save()
    client.force_login(alice)
    new = "another-long-pass-phrase"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post("/settings/password", form)["Location"] == "/settings"
    alice.refresh_from_db()
    assert alice.check_password(new)
