"""Faces and people in the admin."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from faces.models import Face, FaceEmbedding, FaceModelVersion, Person
from photos.models import Library, Membership
from photos.tests.test_admin import count_queries, make_photos

FACES = "admin:faces_face_changelist"
PEOPLE = "admin:faces_person_changelist"
EMBEDDINGS = "admin:faces_faceembedding_changelist"


@pytest.fixture
def library(db: None) -> Library:
    library: Library = Library.objects.create(name="Family")
    return library


def make_person(library: Library, name: str = "", *, faces: int = 1) -> Person:
    """A person with faces, one a photo."""
    person: Person = Person.objects.create(library=library, name=name)
    Face.objects.bulk_create(
        Face(
            photo=photo,
            person=person,
            assigned_by="machine",
            x1=0,
            y1=0,
            x2=0.5,
            y2=1,
            detection_score=0.9,
            quality=0.9,
            crop_key=f"{photo.pk}.webp",
        )
        for photo in make_photos(library, faces)
    )
    return person


@pytest.mark.parametrize("url_name", [FACES, PEOPLE, EMBEDDINGS, "admin:faces_facemodelversion_changelist"])
def test_a_longer_list_costs_no_more_queries(admin_client: Client, library: Library, url_name: str) -> None:
    model = FaceModelVersion.objects.create(version="opencv:opencv:1", dimensions=3)
    counts = []
    for more in (2, 28):
        for _ in range(more):
            face = make_person(library).faces.get()
            FaceEmbedding.objects.create(face=face, model=model, vector=[1, 0, 0])
        counts.append(count_queries(admin_client, reverse(url_name)))
    assert counts[0] == counts[1] <= 8


def test_a_person_is_shown_with_its_faces_at_the_same_cost_for_many(
    admin_client: Client, admin_user: Any, library: Library
) -> None:
    join(library, admin_user)
    few, many = make_person(library, "Asha", faces=2), make_person(library, "Bela", faces=60)
    first, second = (reverse("admin:faces_person_change", args=[person.pk]) for person in (few, many))
    count_queries(admin_client, first)  # reads what Django keeps for the next pages
    assert count_queries(admin_client, first) == count_queries(admin_client, second)
    page = admin_client.get(second).text
    assert "60 faces" in page
    assert page.count("/thumbnail") == 1 + 50
    assert 'href="?faces=2#faces-group"' in page
    assert admin_client.get(f"{second}?faces=2").text.count("/thumbnail") == 1 + 10


def join(library: Library, user: Any) -> None:
    Membership.objects.create(library=library, user=user, role="owner")


def test_measures_are_shown_with_two_digits(admin_client: Client, library: Library) -> None:
    person = make_person(library)
    Face.objects.update(quality=1 / 3)
    for url in (reverse(FACES), reverse("admin:faces_person_change", args=[person.pk])):
        page = admin_client.get(url).text
        assert "0.33" in page
        assert "0.333" not in page


def test_crops_are_shown_to_members_only(admin_client: Client, admin_user: Any, library: Library) -> None:
    face = make_person(library, "Asha").faces.get()
    pages = [
        reverse(FACES),
        reverse(PEOPLE),
        reverse("admin:faces_face_change", args=[face.pk]),
        reverse("admin:faces_person_change", args=[face.person_id]),
    ]
    for page in pages:
        text = admin_client.get(page).text
        assert "/thumbnail" not in text
        assert "No picture" in text
    join(library, admin_user)
    for page in pages:
        assert f"/api/faces/{face.pk}/thumbnail" in admin_client.get(page).text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("named=no", {"3 faces"}),
        ("named=yes", {"Asha", "Hidden"}),
        ("is_hidden__exact=1", {"Hidden"}),
        ("faces=poor", {"Hidden"}),
        ("q=mum", {"Asha"}),
    ],
)
def test_people_are_filtered_and_found(
    admin_client: Client, library: Library, query: str, found: set[str]
) -> None:
    asha, hidden = make_person(library, "Asha"), make_person(library, "Hidden")
    unnamed = make_person(library, faces=3)
    Person.objects.filter(pk=asha.pk).update(aliases=["Mum"])
    Person.objects.filter(pk=hidden.pk).update(is_hidden=True)
    Face.objects.filter(person=hidden).update(quality=0.1)
    names = {asha.pk: "Asha", hidden.pk: "Hidden", unnamed.pk: "3 faces"}
    shown = admin_client.get(f"{reverse(PEOPLE)}?{query}").context["cl"].result_list
    assert {names[person.pk] for person in shown} == found


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("whose=nobody", 1),
        ("whose=named", 3),
        ("whose=unnamed", 2),
        ("whose=hidden", 3),
        ("quality=low", 1),
        ("quality=good", 5),
        ("q=asha", 3),
    ],
)
def test_faces_are_filtered_and_found(admin_client: Client, library: Library, query: str, count: int) -> None:
    make_person(library, "Asha", faces=3)
    make_person(library, faces=2)
    alone = make_person(library).faces.get()
    Person.objects.filter(name="Asha").update(is_hidden=True)
    Face.objects.filter(pk=alone.pk).update(person=None, quality=0.2)
    assert len(admin_client.get(f"{reverse(FACES)}?{query}").context["cl"].result_list) == count


def save_person(client: Client, person: Person, **values: object) -> str:
    data = {"name": person.name, "cover": "", "faces-TOTAL_FORMS": "0", "faces-INITIAL_FORMS": "0", **values}
    return client.post(reverse("admin:faces_person_change", args=[person.pk]), data, follow=True).text


def test_a_person_is_renamed_but_not_to_a_name_that_is_taken(admin_client: Client, library: Library) -> None:
    asha, unnamed = make_person(library, "Asha"), make_person(library)
    assert "There is a person called Asha already" in save_person(admin_client, unnamed, name=" Asha ")
    save_person(admin_client, unnamed, name="  Bela  ")
    assert set(Person.objects.values_list("pk", "name")) == {(asha.pk, "Asha"), (unnamed.pk, "Bela")}


def test_the_cover_is_a_face_of_the_person(admin_client: Client, library: Library) -> None:
    asha, bela = make_person(library, "Asha"), make_person(library, "Bela")
    assert "must be a face of this person" in save_person(admin_client, asha, cover=bela.faces.get().pk)
    save_person(admin_client, asha, cover=asha.faces.get().pk)
    assert Person.objects.get(name="Asha").cover == asha.faces.get()


def test_an_impossible_birth_date_is_said_and_saves_nothing(admin_client: Client, library: Library) -> None:
    asha = make_person(library, "Asha")
    page = save_person(admin_client, asha, name="Bela", birth_date="2999-01-01")
    assert "A birth date lies between 1750 and today." in page
    assert Person.objects.get().name == "Asha"
    save_person(admin_client, asha, birth_date="1990-02-03", is_favorite="on")
    assert Person.objects.filter(birth_date="1990-02-03", is_favorite=True).exists()


def test_a_face_given_to_a_person_counts_as_done_by_hand(admin_client: Client, library: Library) -> None:
    face, asha = make_person(library).faces.get(), make_person(library, "Asha")
    admin_client.post(reverse("admin:faces_face_change", args=[face.pk]), {"person": asha.pk})
    face.refresh_from_db()
    assert (face.person, face.assigned_by) == (asha, Face.AssignedBy.PERSON)


def test_a_face_stays_in_its_library(admin_client: Client, library: Library) -> None:
    face, stranger = make_person(library).faces.get(), make_person(Library.objects.create(name="Other"))
    page = admin_client.post(reverse("admin:faces_face_change", args=[face.pk]), {"person": stranger.pk}).text
    assert "not in the library" in page
    face.refresh_from_db()
    assert face.person != stranger


def test_faces_and_people_are_neither_added_nor_deleted(admin_client: Client, library: Library) -> None:
    face = make_person(library).faces.get()
    for url in (
        reverse("admin:faces_face_add"),
        reverse("admin:faces_person_add"),
        reverse("admin:faces_face_delete", args=[face.pk]),
        reverse("admin:faces_person_delete", args=[face.person_id]),
    ):
        assert admin_client.get(url).status_code == 403
