"""Pages of people, and naming faces."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from faces.models import Face, Person
from photos.models import Library, Photo

Rows = Callable[[int], list[int]]
Share = Callable[[Any, str], None]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def page(alice: Any, client: Client) -> Client:
    client.force_login(alice)
    return client


def face_of(person: Person | None, photo_id: int, *, quality: float = 0.5) -> Face:
    return Face.objects.create(
        photo_id=photo_id,
        person=person,
        x1=0.25,
        y1=0.25,
        x2=0.5,
        y2=0.5,
        detection_score=0.9,
        quality=quality,
        crop_key=f"crops/{photo_id}.webp",
    )


def test_people_come_by_photos_and_names_are_a_filter(
    page: Client, library: Library, photo_rows: Rows, django_assert_max_num_queries: Any
) -> None:
    ids = photo_rows(3)
    group = Person.objects.create(library=library)
    named = Person.objects.create(library=library, name="Bob")
    Person.objects.create(library=library, name="Nobody's face")
    for pk in ids:
        face_of(group, pk)
    poor, best = face_of(named, ids[0], quality=0.1), face_of(named, ids[1], quality=0.9)
    with django_assert_max_num_queries(8):
        html = page.get("/people").content.decode()
    assert html.index(f"Photos of Person {group.pk}") < html.index("Photos of Bob")
    assert f"Photos of Person {group.pk}" not in page.get("/people?show=named").content.decode()
    assert "Photos of Bob" not in page.get("/people?show=unnamed").content.decode()
    assert "Nobody&#x27;s face" not in html
    assert f"/api/faces/{best.pk}/thumbnail" in html
    assert f"/api/faces/{poor.pk}/thumbnail" not in html
    assert "3 photos" in html


def test_chosen_cover_is_shown_before_a_better_face(page: Client, library: Library, photo_rows: Rows) -> None:
    ids = photo_rows(2)
    person = Person.objects.create(library=library, name="Bob")
    face_of(person, ids[0], quality=0.9)
    person.cover = face_of(person, ids[1], quality=0.2)
    person.save()
    assert f"/api/faces/{person.cover.pk}/thumbnail" in page.get("/people").content.decode()


def test_person_is_named_in_place(page: Client, library: Library, photo_rows: Rows) -> None:
    person = Person.objects.create(library=library)
    answer = page.post(f"/people/{person.pk}/name", {"name": "  Bob "}, headers=HTMX)
    person.refresh_from_db()
    assert person.name == "Bob"
    assert 'value="Bob"' in answer.content.decode()


def test_taken_name_offers_to_merge(page: Client, library: Library, photo_rows: Rows) -> None:
    (pk,) = photo_rows(1)
    bob = Person.objects.create(library=library, name="Bob")
    group = Person.objects.create(library=library)
    face = face_of(group, pk)
    answer = page.post(f"/people/{group.pk}/name", {"name": "Bob"}, headers=HTMX).content.decode()
    assert "Are these the same person?" in answer
    assert f'name="keep" value="{bob.pk}" checked' in answer
    assert 'value="Bob"' in answer
    merged = page.post(f"/people/{group.pk}/merge", {"into": str(bob.pk)}, headers=HTMX)
    assert merged["HX-Redirect"] == f"/people/{bob.pk}"
    face.refresh_from_db()
    assert face.person == bob
    assert not Person.objects.filter(pk=group.pk).exists()


def test_empty_name_is_refused_with_a_reason(page: Client, library: Library) -> None:
    person = Person.objects.create(library=library, name="Bob")
    assert "Give the person a name." in page.post(f"/people/{person.pk}/name", headers=HTMX).content.decode()


@pytest.mark.parametrize("name", ["bob", "person {}"])
def test_merge_finds_the_other_by_name_or_number(page: Client, library: Library, name: str) -> None:
    bob = Person.objects.create(library=library, name="Bob")
    group = Person.objects.create(library=library)
    answer = page.post(f"/people/{group.pk}/merge", {"name": name.format(bob.pk)})
    assert answer["Location"] == f"/people/{bob.pk}"


def test_merge_with_nobody_says_so(page: Client, library: Library) -> None:
    person = Person.objects.create(library=library)
    answer = page.post(f"/people/{person.pk}/merge", {"name": ""}, follow=True)
    assert "There is nobody of that name" in answer.content.decode()


def test_hidden_person_is_listed_apart(page: Client, library: Library, photo_rows: Rows) -> None:
    (pk,) = photo_rows(1)
    person = Person.objects.create(library=library, name="Bob")
    face_of(person, pk)
    page.post(f"/people/{person.pk}/hide", {"hidden": "1"})
    assert "Photos of Bob" not in page.get("/people").content.decode()
    assert "Photos of Bob" in page.get("/people?hidden=1").content.decode()
    page.post(f"/people/{person.pk}/hide")
    assert "Photos of Bob" in page.get("/people").content.decode()


def test_person_page_shows_their_photos_only(page: Client, library: Library, photo_rows: Rows) -> None:
    ids = photo_rows(2)
    person = Person.objects.create(library=library, name="Bob")
    face_of(person, ids[0])
    face_of(person, ids[0])
    html = page.get(f"/people/{person.pk}").content.decode()
    assert html.count(f'id="photo-{ids[0]}"') == 1
    assert f'id="photo-{ids[1]}"' not in html
    assert "1 photo" in html


def test_faces_of_a_photo_stand_beside_and_over_it(page: Client, library: Library, photo_rows: Rows) -> None:
    (pk,) = photo_rows(1)
    face_of(Person.objects.create(library=library, name="Bob"), pk)
    face_of(None, pk)
    html = page.get(f"/photos/{pk}/faces").content.decode()
    assert html.count("face-box") >= 2
    assert "--x1:0.2500" in html
    assert html.count("data-edit-face") == 2
    assert "Bob" in html


def test_naming_a_face_of_a_group_names_the_group(page: Client, library: Library, photo_rows: Rows) -> None:
    (pk,) = photo_rows(1)
    group = Person.objects.create(library=library)
    face = face_of(group, pk)
    page.post(f"/faces/{face.pk}/name", {"name": "Bob"}, headers=HTMX)
    group.refresh_from_db()
    assert group.name == "Bob"


def test_naming_a_face_puts_it_to_who_has_the_name(page: Client, library: Library, photo_rows: Rows) -> None:
    (pk,) = photo_rows(1)
    bob = Person.objects.create(library=library, name="Bob")
    face = face_of(Person.objects.create(library=library, name="Charlie"), pk)
    page.post(f"/faces/{face.pk}/name", {"name": "Bob"}, headers=HTMX)
    face.refresh_from_db()
    assert (face.person, face.assigned_by) == (bob, Face.AssignedBy.PERSON)


def test_naming_a_face_alone_makes_a_person(page: Client, library: Library, photo_rows: Rows) -> None:
    (pk,) = photo_rows(1)
    face = face_of(None, pk)
    assert page.post(f"/faces/{face.pk}/name", {"name": "Bob"})["Location"] == f"/photos/{pk}"
    face.refresh_from_db()
    assert str(face.person) == "Bob"


def test_face_can_be_nobodys(page: Client, library: Library, photo_rows: Rows) -> None:
    (pk,) = photo_rows(1)
    face = face_of(Person.objects.create(library=library, name="Bob"), pk)
    page.post(f"/faces/{face.pk}/name", {"nobody": "1"}, headers=HTMX)
    face.refresh_from_db()
    assert (face.person, face.assigned_by) == (None, Face.AssignedBy.PERSON)


def test_charlie_sees_nobody_and_changes_nothing(
    charlie: Any, client: Client, library: Library, photo_rows: Rows
) -> None:
    (pk,) = photo_rows(1)
    person = Person.objects.create(library=library, name="Bob")
    face = face_of(person, pk)
    client.force_login(charlie)
    assert "Bob" not in client.get("/people").content.decode()
    assert client.get(f"/people/{person.pk}").status_code == 404
    assert client.get(f"/photos/{pk}/faces").status_code == 404
    for path in (f"people/{person.pk}/name", f"people/{person.pk}/merge", f"people/{person.pk}/hide"):
        assert client.post(f"/{path}", {"name": "X"}).status_code == 404
    assert client.post(f"/faces/{face.pk}/name", {"name": "X"}).status_code == 404


def test_viewer_gets_names_but_no_controls(
    bob: Any, client: Client, library: Library, photo_rows: Rows, share_with: Share
) -> None:
    (pk,) = photo_rows(1)
    person = Person.objects.create(library=library, name="Alice")
    face_of(person, pk)
    share_with(bob, "viewer")
    client.force_login(bob)
    html = client.get("/people").content.decode()
    assert "in-place" not in html
    assert "selection-bar" not in html
    assert "<form" not in client.get(f"/people/{person.pk}").content.decode().partition("person-head")[2]
    assert "checkbox" not in client.get(f"/people/{person.pk}/faces").content.decode()
    assert client.post(f"/people/{person.pk}/name", {"name": "X"}).status_code == 404


def test_empty_page_says_where_people_come_from(page: Client) -> None:
    assert "Nobody here yet" in page.get("/people").content.decode()
    assert Photo.objects.count() == 0


def test_the_grid_knows_where_its_news_come_from(page: Client, library: Library, photo_rows: Rows) -> None:
    assert '<section class="empty" data-live>' in page.get("/people").content.decode()
    (pk,) = photo_rows(1)
    person = Person.objects.create(library=library, name="Asha")
    face_of(person, pk)
    assert '<ul class="people" data-live="/people"' in page.get("/people").content.decode()
    fragment = page.get("/people", headers=HTMX).content.decode()
    assert "Asha" in fragment
    assert "<html" not in fragment
