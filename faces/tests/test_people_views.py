"""The grid of people: several at once, names that are taken, undo in the toast."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from faces.models import Face, JournalEntry, Person
from faces.tests.test_views import HTMX, face_of
from photos.models import Library

Rows = Callable[[int], list[int]]
Share = Callable[[Any, str], None]
ON_GRID = {**HTMX, "HX-Current-URL": "http://testserver/people?show=named"}


@pytest.fixture
def page(alice: Any, client: Client) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def bob_and_group(library: Library, photo_rows: Rows) -> tuple[Person, Person]:
    """Bob on two photos, and a group without a name on one."""
    bob, group = Person.objects.create(library=library, name="Bob"), Person.objects.create(library=library)
    first, second, third = photo_rows(3)
    face_of(bob, first), face_of(bob, second), face_of(group, third)
    return bob, group


def test_merge_asks_with_both_portraits_and_keeps_the_one_dropped_on(
    page: Client, bob_and_group: tuple[Person, Person]
) -> None:
    bob, group = bob_and_group
    html = page.get(f"/people/merge?people={group.pk}&people={bob.pk}&keep={group.pk}", headers=HTMX)
    text = html.content.decode()
    assert text.count("<img") == 2
    assert f'value="{group.pk}" checked' in text


def test_merge_says_what_speaks_against_it(page: Client, bob_and_group: tuple[Person, Person]) -> None:
    bob, group = bob_and_group
    url = f"/people/merge?people={group.pk}&people={bob.pk}"
    assert "doubt" not in page.get(url, headers=HTMX).content.decode()
    face_of(group, Face.objects.filter(person=bob).values_list("photo", flat=True)[0])
    asked = page.get(url, headers=HTMX).content.decode()
    assert f"Bob and Person {group.pk} are together on a photo." in asked
    named = page.post(f"/people/{group.pk}/name", {"name": "Bob"}, headers=ON_GRID).content.decode()
    assert f"Bob and Person {group.pk} are together on a photo." in named


def unnamed_in(answer: Any) -> int:
    """What the badge of the people without a name says now."""
    found = re.search(r'id="unnamed-badge" hx-swap-oob="true"[^>]*>(\d+)<', answer.content.decode())
    assert found, answer.content
    return int(found[1])


def test_the_number_of_people_without_a_name_follows(
    page: Client, bob_and_group: tuple[Person, Person]
) -> None:
    _, group = bob_and_group
    assert unnamed_in(page.post(f"/people/{group.pk}/name", {"name": "Asha"}, headers=ON_GRID)) == 0
    assert unnamed_in(page.post(f"/people/{group.pk}/name", {"clear": "1"}, headers=ON_GRID)) == 1


def test_merged_people_leave_the_grid_and_undo_brings_them_back(
    page: Client, bob_and_group: tuple[Person, Person]
) -> None:
    bob, group = bob_and_group
    body = {"people": [bob.pk, group.pk], "keep": bob.pk}
    answer = page.post("/people/merge", body, headers=ON_GRID).content.decode()
    assert f'id="person-{group.pk}" hx-swap-oob="delete"' in answer
    assert f'id="person-{bob.pk}"' in answer
    assert "3 photos" in answer
    entry = JournalEntry.objects.get()
    assert f'action="/people/journal/{entry.pk}/undo"' in answer
    back = page.post(f"/people/journal/{entry.pk}/undo", headers={"Referer": "http://testserver/people"})
    assert back["Location"] == "http://testserver/people"
    assert Person.objects.count() == 2
    assert Face.objects.filter(person=group).count() == 1


def test_merge_from_elsewhere_leads_to_who_is_left(
    page: Client, bob_and_group: tuple[Person, Person]
) -> None:
    bob, group = bob_and_group
    body = {"people": [bob.pk, group.pk], "keep": bob.pk}
    assert page.post("/people/merge", body, headers=HTMX)["HX-Redirect"] == f"/people/{bob.pk}"
    assert page.get(f"/people/{group.pk}").status_code == 404


def test_merge_into_itself_and_stale_people_are_refused_near_the_control(
    page: Client, bob_and_group: tuple[Person, Person]
) -> None:
    bob, _ = bob_and_group
    for people, why in (
        ([bob.pk, bob.pk], "Choose two different people."),
        ([bob.pk, 10**17], "is gone"),
        ([bob.pk, "<b>"], "Choose two different people."),
        (range(1, 950), "too many at once"),
    ):
        answer = page.post("/people/merge", {"people": list(people), "keep": bob.pk}, headers=ON_GRID)
        assert answer["HX-Reswap"] == "none"
        assert 'id="problem"' in answer.content.decode()
        assert why in answer.content.decode()
    assert Person.objects.count() == 2


def test_several_are_hidden_as_one_entry(page: Client, bob_and_group: tuple[Person, Person]) -> None:
    bob, group = bob_and_group
    answer = page.post("/people/hide", {"people": [bob.pk, group.pk], "hidden": "1"}, headers=ON_GRID)
    assert answer.content.decode().count('hx-swap-oob="delete"') == 2
    assert unnamed_in(answer) == 0
    assert JournalEntry.objects.get().summary == f"Hid Bob, Person {group.pk}"
    assert Person.objects.filter(is_hidden=True).count() == 2
    page.post("/people/hide", {"people": [bob.pk], "hidden": "0"})
    bob.refresh_from_db()
    assert not bob.is_hidden


@pytest.mark.parametrize(
    ("name", "why"),
    [("x" * 500, "The name has 500 characters; 100 fit."), ("  ", "Give the person a name.")],
)
def test_unusable_name_stays_typed_beside_the_reason(
    page: Client, bob_and_group: tuple[Person, Person], name: str, why: str
) -> None:
    _, group = bob_and_group
    answer = page.post(f"/people/{group.pk}/name", {"name": name}, headers=HTMX).content.decode()
    assert why in answer
    assert not name.strip() or f'value="{name}"' in answer


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "👩‍👩‍👧 Zoë", "“O'Neil” & sons"])
def test_any_text_is_a_name_and_is_escaped(
    page: Client, bob_and_group: tuple[Person, Person], name: str
) -> None:
    _, group = bob_and_group
    answer = page.post(f"/people/{group.pk}/name", {"name": name}, headers=HTMX).content.decode()
    group.refresh_from_db()
    assert group.name == name
    assert "<script>alert" not in answer
    assert "<script>alert" not in page.get("/people").content.decode()


def test_name_in_another_case_asks_first_and_may_be_somebody_else(
    page: Client, bob_and_group: tuple[Person, Person]
) -> None:
    _, group = bob_and_group
    answer = page.post(f"/people/{group.pk}/name", {"name": "bob"}, headers=HTMX).content.decode()
    assert "Bob is there already." in answer
    assert "They are two people" in answer
    page.post(f"/people/{group.pk}/name", {"name": "bob", "apart": "1"}, headers=HTMX)
    group.refresh_from_db()
    assert group.name == "bob"


def test_a_name_can_be_taken_away(page: Client, bob_and_group: tuple[Person, Person]) -> None:
    bob, _ = bob_and_group
    page.post(f"/people/{bob.pk}/name", {"clear": "1"})
    bob.refresh_from_db()
    assert bob.name == ""


def test_names_complete_within_the_library(
    page: Client, bob_and_group: tuple[Person, Person], charlie: Any
) -> None:
    bob, _ = bob_and_group
    Person.objects.create(library=Library.objects.home_of(charlie), name="Bobby")
    html = page.get(f"/people/names?q=BO&library={bob.library_id}").content.decode()
    assert 'data-value="Bob"' in html
    assert "Bobby" not in html
    assert "option" not in page.get(f"/people/names?q=bo&but={bob.pk}").content.decode()


def test_favourites_come_first(page: Client, bob_and_group: tuple[Person, Person]) -> None:
    bob, group = bob_and_group
    answer = page.post(f"/people/{group.pk}/favorite", {"favorite": "1"}, headers=HTMX).content.decode()
    assert 'aria-pressed="true"' in answer
    html = page.get("/people").content.decode()
    assert html.index(f'id="person-{group.pk}"') < html.index(f'id="person-{bob.pk}"')


def test_grid_costs_the_same_for_many(
    page: Client, library: Library, photo_rows: Rows, django_assert_num_queries: Any
) -> None:
    ids = photo_rows(40)
    for pk in ids[:3]:
        face_of(Person.objects.create(library=library), pk)
    page.get("/people")
    with django_assert_num_queries(8):
        page.get("/people")
    for pk in ids[3:]:
        face_of(Person.objects.create(library=library), pk)
    with django_assert_num_queries(8):
        page.get("/people")


def test_viewers_and_strangers_change_nothing(
    bob: Any, charlie: Any, client: Client, bob_and_group: tuple[Person, Person], share_with: Share
) -> None:
    person, group = bob_and_group
    share_with(bob, "viewer")
    for user in (bob, charlie):
        client.force_login(user)
        both = {"people": [person.pk, group.pk], "keep": person.pk}
        paths = ["people/merge", "people/hide"] if user == bob else []
        paths += [
            f"people/{person.pk}/{what}"
            for what in ("name", "merge", "details", "favorite", "hide", "delete", "faces/change")
        ]
        for path in paths:
            assert client.post(f"/{path}", both).status_code == 404, path
        assert client.get(f"/people/{person.pk}/merge-offer?name=x").status_code == 404
    assert JournalEntry.objects.count() == 0


def test_a_stranger_with_a_library_gets_a_reason_and_changes_nothing(
    charlie: Any, client: Client, bob_and_group: tuple[Person, Person]
) -> None:
    Library.objects.home_of(charlie)
    client.force_login(charlie)
    person, group = bob_and_group
    answer = client.post("/people/merge", {"people": [person.pk, group.pk]}, headers=HTMX)
    assert "is gone" in answer.content.decode()
    assert "Bob" not in answer.content.decode()
    assert Person.objects.count() == 2


def test_forms_need_a_token(alice: Any, bob_and_group: tuple[Person, Person]) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    bob, group = bob_and_group
    assert strict.post("/people/merge", {"people": [bob.pk, group.pk]}).status_code == 403
    assert strict.post(f"/people/{bob.pk}/delete").status_code == 403
