"""Faces and people in the admin."""

import pytest
from django.test import Client
from django.urls import reverse

from faces.models import Face, FaceEmbedding, FaceModelVersion, Person
from photos.models import Library
from photos.tests.test_admin import act, count_queries, make_photos

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
        Face(photo=photo, person=person, assigned_by="machine", x1=0, y1=0, x2=0.5, y2=1, detection_score=0.9)
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
    admin_client: Client, library: Library
) -> None:
    few, many = make_person(library, "Asha", faces=2), make_person(library, "Bela", faces=60)
    first, second = (reverse("admin:faces_person_change", args=[person.pk]) for person in (few, many))
    count_queries(admin_client, first)  # reads what Django keeps for the next pages
    assert count_queries(admin_client, first) == count_queries(admin_client, second)
    page = admin_client.get(second).text
    assert "60 faces" in page
    assert page.count("/thumbnail") == 50


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


def test_merging_keeps_the_name(admin_client: Client, library: Library) -> None:
    unnamed, asha = make_person(library, faces=3), make_person(library, "Asha")
    assert "Merged into Asha" in act(admin_client, PEOPLE, "merge", [unnamed, asha])
    assert Person.objects.get() == asha
    assert asha.faces.count() == 4


def test_two_names_are_not_merged(admin_client: Client, library: Library) -> None:
    both = [make_person(library, "Asha"), make_person(library, "Bela")]
    assert "More than one has a name" in act(admin_client, PEOPLE, "merge", both)
    assert Person.objects.count() == 2


def test_people_of_two_libraries_are_not_merged(admin_client: Client, library: Library) -> None:
    elsewhere = make_person(Library.objects.create(name="Other"))
    assert "not in one library" in act(
        admin_client, PEOPLE, "merge", [make_person(library, "Asha"), elsewhere]
    )
    assert Person.objects.count() == 2


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
