"""Putting faces to people in the database; the decisions themselves are tested with `clustering`."""

import pytest

from faces import curation, grouping, neighbours, people
from faces.models import Face, Person
from faces.tests.albums import Album
from jobs.models import Job

pytestmark = pytest.mark.django_db


def test_two_photos_of_one_face_make_an_unnamed_person(album: Album) -> None:
    [first] = album.add_photo("a")
    assert album.people() == {}
    [second] = album.add_photo("a")
    assert list(album.people().values()) == [{first.pk, second.pk}]
    assert Person.objects.get().name == ""


def test_a_new_face_joins_the_named_person_it_looks_like(album: Album) -> None:
    album.add_photo("a")
    album.add_photo("a")
    person = people.rename_person(person=Person.objects.get(), name="Asha", actor=None)
    [third] = album.add_photo("a")
    third.refresh_from_db()
    assert third.person == person


def test_two_faces_of_one_photo_are_never_one_person(album: Album) -> None:
    for _ in range(3):
        album.add_photo("a", "a")
    for faces in album.people().values():
        photos = list(Face.objects.filter(pk__in=faces).values_list("photo_id", flat=True))
        assert len(photos) == len(set(photos))


def test_a_face_assigned_by_hand_is_never_moved(album: Album) -> None:
    [first] = album.add_photo("a")
    other = people.create_person(library=album.library, name="Bela", actor=None)
    curation.assign_face(face=first, person=other, actor=None)
    album.add_photo("a")
    album.add_photo("a")
    grouping.regroup_library(Job.objects.create(kind="cluster"), album.library.pk, None)
    first.refresh_from_db()
    assert first.person == other


def test_a_face_that_people_put_to_nobody_stays_with_nobody(album: Album) -> None:
    [first] = album.add_photo("a")
    curation.assign_face(face=first, person=None, actor=None)
    album.add_photo("a")
    album.add_photo("a")
    first.refresh_from_db()
    assert first.person is None


def test_the_order_of_arrival_does_not_change_the_people(album: Album) -> None:
    arrivals = ["a", "b", "c"] * 4
    for name in arrivals:
        album.add_photo(name)
    in_turn = sorted(len(faces) for faces in album.people().values())
    other = Album()
    for name in sorted(arrivals):
        other.add_photo(name)
    own = [
        set(faces)
        for faces in other.people().values()
        if Face.objects.get(pk=min(faces)).photo.library == other.library
    ]
    assert in_turn == sorted(len(faces) for faces in own) == [4, 4, 4]


def test_names_survive_a_whole_regrouping(album: Album) -> None:
    for _ in range(3):
        album.add_photo("a", "b")
    for number, person in enumerate(Person.objects.order_by("pk")):
        people.rename_person(person=person, name=f"Name {number}", actor=None)
    before = album.people()
    job = Job.objects.create(kind="cluster")
    result = grouping.regroup_library(job, album.library.pk, None)
    assert album.people() == before
    assert sorted(Person.objects.values_list("name", flat=True)) == ["Name 0", "Name 1"]
    assert result == {"clustered": 0, "persons_created": 0}


def test_faces_of_two_libraries_never_meet(album: Album) -> None:
    other = Album()
    other.identities = album.identities
    [first] = album.add_photo("a")
    [second] = other.add_photo("a")
    album.add_photo("a")
    second.refresh_from_db()
    first.refresh_from_db()
    assert second.person is None
    assert first.person is not None


def test_the_index_of_the_model_version_answers_nearest_neighbours(album: Album) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'faces_faceembedding'")
        definitions = [row[0] for row in cursor.fetchall()]
    assert any("hnsw" in text and f"model_id = {album.version.pk}" in text for text in definitions)


def test_the_index_leads_to_the_same_people_as_comparing_all(
    album: Album, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        album.add_photo("a", "b", "c")
    before = album.people()
    Face.objects.update(person=None, assigned_by="")
    monkeypatch.setattr(neighbours, "EXACT_UP_TO", 0)
    changes = grouping.plan(Face.objects.all(), album.version, 0.42)
    assert sorted(change.face_ids for change in changes) == sorted(
        tuple(sorted(faces)) for faces in before.values()
    )
