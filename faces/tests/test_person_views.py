"""One person: details, marks, faces, the end."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.test import Client

from faces.models import Face, FaceRejection, JournalEntry, Person, PersonDistinction
from faces.tests.test_views import HTMX, face_of
from photos.models import Library, Photo

Rows = Callable[[int], list[int]]


@pytest.fixture
def page(alice: Any, client: Client) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def bob_faces(library: Library, photo_rows: Rows) -> list[Face]:
    """Three faces of Bob, on a photo each."""
    person = Person.objects.create(library=library, name="Bob")
    return [face_of(person, pk) for pk in photo_rows(3)]


def person_of(faces: list[Face]) -> Person:
    person = faces[0].person
    assert person is not None
    return person


def change(page: Client, of: list[Face], **body: Any) -> Any:
    path = f"/people/{person_of(of).pk}/faces/change"
    return page.post(path, body, headers=HTMX)


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2020, 5, 19), ""),
        (date(2020, 5, 20), "0 days"),
        (date(2020, 5, 21), "1 day"),
        (date(2020, 6, 20), "1 month"),
        (date(2022, 5, 19), "23 months"),
        (date(2022, 5, 20), "2 years"),
        (date(2024, 5, 19), "3 years"),
    ],
)
def test_age_in_words(day: date, words: str) -> None:
    assert Person(birth_date=date(2020, 5, 20)).age_in_words(day) == words
    assert Person().age_in_words(day) == ""


def test_birth_date_shows_the_age_on_photos(page: Client, bob_faces: list[Face]) -> None:
    bob, photo = person_of(bob_faces), bob_faces[0].photo_id
    Photo.objects.filter(pk=photo).update(taken_at=datetime(2024, 6, 1, 12, tzinfo=UTC))
    body = {"birth_date": "2020-05-20", "aliases": " Bobby \n\nRobert\n"}
    answer = page.post(f"/people/{bob.pk}/details", body, headers=HTMX).content.decode()
    assert "born 20 May 2020" in answer
    assert "also Bobby, Robert" in answer
    html = page.get(f"/photos/{photo}/faces").content.decode()
    assert "Bob, 4 years" in html
    assert JournalEntry.objects.count() == 2


@pytest.mark.parametrize(
    ("born", "aliases", "why"),
    [
        ("31.08.2015", "", "Write the day as in 2015-08-31."),
        ("3000-01-01", "", "between 1750 and today"),
        ("3000-01-01", "Robert", "between 1750 and today"),
        ("", "x" * 500, "500 characters"),
        ("", "\n".join(f"name {n}" for n in range(30)), "30 names are too many"),
    ],
)
def test_bad_details_are_refused_and_stay_typed(
    page: Client, bob_faces: list[Face], born: str, aliases: str, why: str
) -> None:
    bob = person_of(bob_faces)
    body = {"birth_date": born, "aliases": aliases}
    answer = page.post(f"/people/{bob.pk}/details", body, headers=HTMX).content.decode()
    assert why in answer
    assert f'value="{born}"' in answer
    assert aliases in answer
    assert JournalEntry.objects.count() == 0


def test_merge_offer_names_what_is_wrong(page: Client, bob_faces: list[Face], library: Library) -> None:
    bob = person_of(bob_faces)
    for name, why in (("nobody", "nobody of that name"), ("Bob", "this very person")):
        refusal = page.get(f"/people/{bob.pk}/merge-offer", {"name": name}, headers=HTMX)
        assert why in refusal.content.decode()
    group = Person.objects.create(library=library)
    answer = page.get(f"/people/{bob.pk}/merge-offer", {"name": f"person {group.pk}"}, headers=HTMX)
    assert f'value="{bob.pk}" checked' in answer.content.decode()


def test_deleted_person_comes_back_with_the_toast(page: Client, bob_faces: list[Face]) -> None:
    bob = person_of(bob_faces)
    answer = page.post(f"/people/{bob.pk}/delete", follow=True).content.decode()
    entry = JournalEntry.objects.get()
    assert f'action="/people/journal/{entry.pk}/undo"' in answer
    page.post(f"/people/journal/{entry.pk}/undo")
    assert Face.objects.filter(person=bob.pk).count() == 3
    assert "Bob" in page.get(f"/people/{bob.pk}").content.decode()


def test_undo_does_not_lead_to_somebody_who_is_gone(page: Client, bob_faces: list[Face]) -> None:
    change(page, bob_faces, action="split", faces=[bob_faces[0].pk], name="Alice")
    alice = Person.objects.get(name="Alice")
    entry = JournalEntry.objects.get()
    referer = {"Referer": f"http://testserver/people/{alice.pk}"}
    assert page.post(f"/people/journal/{entry.pk}/undo", headers=referer)["Location"] == "/people/journal"
    elsewhere = {"Referer": "https://elsewhere.example.org/people"}
    undone = JournalEntry.objects.order_by("-pk").first()
    assert undone is not None
    assert page.post(f"/people/journal/{undone.pk}/undo", headers=elsewhere)["Location"] == "/people/journal"


def test_faces_split_off_to_a_new_or_a_known_name(page: Client, bob_faces: list[Face]) -> None:
    first, second, _ = bob_faces
    change(page, bob_faces, action="split", faces=[first.pk], name=" Alice ")
    change(page, bob_faces, action="split", faces=[second.pk], name="alice")
    alice = Person.objects.get(name="Alice")
    assert set(Face.objects.filter(person=alice)) == {first, second}
    assert PersonDistinction.objects.count() == 1


def test_all_faces_cannot_be_split_off(page: Client, bob_faces: list[Face]) -> None:
    answer = change(page, bob_faces, action="split", faces=[face.pk for face in bob_faces], name="Alice")
    assert "rename the person instead" in answer.content.decode()
    assert answer["HX-Reswap"] == "none"
    assert not Person.objects.filter(name="Alice").exists()


def test_not_this_person_is_remembered(page: Client, bob_faces: list[Face]) -> None:
    bob = person_of(bob_faces)
    change(page, bob_faces, action="reject", faces=[bob_faces[0].pk])
    assert FaceRejection.objects.get().person == bob
    assert bob.faces.count() == 2


def test_confirm_cover_and_not_a_face(page: Client, bob_faces: list[Face]) -> None:
    bob, (first, second, third) = person_of(bob_faces), bob_faces
    change(page, bob_faces, action="confirm", faces=[first.pk, second.pk])
    html = page.get(f"/people/{bob.pk}/faces?show=unconfirmed").content.decode()
    assert f'id="face-{third.pk}"' in html
    assert f'id="face-{first.pk}"' not in html
    change(page, bob_faces, action="cover", faces=[second.pk])
    bob.refresh_from_db()
    assert bob.cover == second
    assert "one face" in change(page, bob_faces, action="cover", faces=[first.pk, second.pk]).content.decode()
    change(page, bob_faces, action="dismiss", faces=[third.pk])
    assert bob.faces.count() == 2


@pytest.mark.parametrize("action", ["confirm", "reject", "split", "dismiss", "cover", "nonsense", ""])
def test_foreign_and_stale_faces_are_refused(
    page: Client, bob_faces: list[Face], library: Library, charlie: Any, action: str
) -> None:
    other = Person.objects.create(library=library, name="Alice")
    moved = bob_faces[1]
    Face.objects.filter(pk=moved.pk).update(person=other)
    for faces in ([moved.pk], [bob_faces[0].pk, 10**17], [], ["<b>"]):
        answer = change(page, bob_faces, action=action, faces=faces)
        assert answer["HX-Reswap"] == "none"
        assert 'role="alert"' in answer.content.decode()
    assert JournalEntry.objects.count() == 0


def test_pages_of_a_person_cost_the_same_for_many(
    page: Client, bob_faces: list[Face], photo_rows: Rows, django_assert_num_queries: Any
) -> None:
    bob = person_of(bob_faces)
    page.get(f"/people/{bob.pk}")
    for _ in range(2):
        with django_assert_num_queries(7):
            page.get(f"/people/{bob.pk}")
        with django_assert_num_queries(8):
            page.get(f"/people/{bob.pk}/faces")
        for pk in photo_rows(20):
            face_of(bob, pk)
