"""Putting faces to people in the database; the decisions themselves are tested with `clustering`."""

import threading
from typing import Any

import numpy as np
import pytest
from django.db import connection

from faces import curation, grouping, neighbours, people
from faces.clustering import Settings
from faces.models import Face, FaceEmbedding, FaceModelVersion, JournalEntry, Person
from faces.tests.albums import Album, unit
from faces.undo import undo
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
    grouping.regroup_library(Job.objects.create(kind="cluster"), album.library.pk, None, reset=True)
    first.refresh_from_db()
    assert first.person == other


def test_a_face_that_people_put_to_nobody_stays_with_nobody(album: Album) -> None:
    [first] = album.add_photo("a")
    curation.assign_face(face=first, person=None, actor=None)
    album.add_photo("a")
    album.add_photo("a")
    first.refresh_from_db()
    assert first.person is None


def partition(album: Album, number_of: dict[int, int]) -> set[frozenset[int]]:
    """The people as sets of faces, each by the number that `number_of` gives."""
    own = album.people().values()
    return {frozenset(number_of[face] for face in faces) for faces in own if faces <= number_of.keys()}


def test_the_order_of_arrival_does_not_change_the_people(db: None) -> None:
    """Eight people on 30 photos, alone and together, some blurred, in four orders of arrival."""
    random = np.random.default_rng(5)
    names = [f"person {number}" for number in range(8)]
    photos = [
        [(str(name), float(random.choice([0.9, 0.8, 0.35]))) for name in random.choice(names, size, False)]
        for size in random.integers(1, 4, size=30)
    ]
    source = Album()
    vectors = [[source.vector_of(name) for name, _ in photo] for photo in photos]
    found = []
    for seed in range(4):
        album = Album()
        number_of: dict[int, int] = {}
        for place in np.random.default_rng(seed).permutation(len(photos)):
            described = list(zip(photos[place], vectors[place], strict=True))
            faces = album.add_described([(vector, quality) for (_, quality), vector in described])
            number_of |= {face.pk: int(place) * 10 + n for n, face in enumerate(faces)}
        found.append(partition(album, number_of))
    assert found[0] == found[1] == found[2] == found[3]
    label = {place * 10 + n: name for place, photo in enumerate(photos) for n, (name, _) in enumerate(photo)}
    assert all(len({label[face] for face in person}) == 1 for person in found[0])
    assert sum(map(len, found[0])) >= 0.9 * len(label)


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_place_faces_of_one_person_make_one_person() -> None:
    album = Album()
    photos = [album.photo_with([(album.vector_of("a"), 0.9)])[0] for _ in range(6)]
    barrier = threading.Barrier(2)

    def work(batch: list[int]) -> None:
        barrier.wait()
        for photo in batch:
            album.place(photo)
        connection.close()

    threads = [threading.Thread(target=work, args=[photos[n::2]]) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(faces) for faces in album.people().values()] == [6]


def test_who_came_during_a_change_of_the_model_joins_when_the_others_are_described_anew(album: Album) -> None:
    """Old photos of Asha wait for vectors of the new model when new photos of her arrive."""
    asha = album.person("Asha", 4)
    old = list(FaceEmbedding.objects.select_related("face"))
    album.version = FaceModelVersion.objects.create(version="fake:2", dimensions=album.version.dimensions)
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(album.version.dimensions,) * 2))[0]
    album.identities["Asha"] = unit(album.identities["Asha"] @ turn)
    came = [album.add_photo("Asha")[0] for _ in range(3)] + album.add_photo("Bela")
    for row in old:
        vector = unit(np.asarray(row.vector, dtype=np.float32) @ turn)
        FaceEmbedding.objects.create(face=row.face, model=album.version, vector=vector)
        album.place(row.face.photo_id)
    for face in came:
        face.refresh_from_db()
    assert [face.person for face in came] == [asha, asha, asha, None]
    assert Person.objects.count() == 1


def test_names_survive_a_whole_regrouping(album: Album) -> None:
    for _ in range(3):
        album.add_photo("a", "b")
    for number, person in enumerate(Person.objects.order_by("pk")):
        people.rename_person(person=person, name=f"Name {number}", actor=None)
    before = album.people()
    job = Job.objects.create(kind="cluster")
    result = grouping.regroup_library(job, album.library.pk, None, reset=True)
    assert album.people() == before
    assert sorted(Person.objects.values_list("name", flat=True)) == ["Name 0", "Name 1"]
    assert result == {"clustered": 0, "persons_created": 0}


def regroup(album: Album, **body: Any) -> dict[str, int]:
    job = Job.objects.create(kind="cluster")
    return grouping.regroup_library(job, album.library.pk, **{"threshold": None, **body})


def test_without_reset_only_faces_without_a_person_move(album: Album) -> None:
    faces = [album.add_photo("a", "b")[0] for _ in range(4)]
    wrong = Person.objects.create(library=album.library)
    Face.objects.filter(pk=faces[0].pk).update(person=wrong)
    Face.objects.filter(pk=faces[1].pk).update(person=None, assigned_by="")
    assert regroup(album) == {"clustered": 1, "persons_created": 0}
    assert [faces[0].pk] == list(wrong.faces.values_list("pk", flat=True))
    assert album.people()[Face.objects.get(pk=faces[2].pk).person_id or 0] == {face.pk for face in faces[1:]}


def test_with_reset_all_faces_that_a_machine_assigned_move(album: Album) -> None:
    faces = [album.add_photo("a", "b")[0] for _ in range(4)]
    wrong = Person.objects.create(library=album.library)
    Face.objects.filter(pk=faces[0].pk).update(person=wrong)
    assert regroup(album, reset=True) == {"clustered": 1, "persons_created": 0}
    assert not Person.objects.filter(pk=wrong.pk).exists()
    assert sorted(len(faces) for faces in album.people().values()) == [4, 4]


def test_with_reset_the_threshold_dissolves_groups_and_undo_brings_them_back(album: Album) -> None:
    for _ in range(3):
        album.add_photo("a", "b")
    named = people.rename_person(person=Person.objects.order_by("pk")[0], name="Asha", actor=None)
    before = album.people()
    assert regroup(album, threshold=0.99) == {"clustered": 0, "persons_created": 0}
    assert album.people() == before
    assert regroup(album, threshold=0.99, reset=True)["clustered"] == 3
    assert album.people() == {named.pk: before[named.pk]}
    undo(JournalEntry.objects.newest_first()[0], actor=None)
    assert album.people() == before


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
    changes = grouping.plan_anew(Face.objects.all(), album.version, Settings())
    assert sorted(change.face_ids for change in changes) == sorted(
        tuple(sorted(faces)) for faces in before.values()
    )
