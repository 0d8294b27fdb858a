"""Putting faces to people in the database; the decisions themselves are tested with `clustering`."""

from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from faces import grouping, people
from faces.models import Face, FaceEmbedding, FaceModelVersion, Person
from faces.services import model_version, pack_choice
from jobs.models import Job
from photos.models import Library, Photo

pytestmark = pytest.mark.django_db
THRESHOLD = 0.42


class Album:
    """A library whose faces are given as identities: vectors of one identity are near each other."""

    def __init__(self) -> None:
        self.library = Library.objects.create(name="Photos")
        self.version: FaceModelVersion = model_version(pack_choice())
        self.random = np.random.default_rng(7)
        self.identities: dict[str, Any] = {}
        self.count = 0

    def add_photo(self, *names: str, quality: float = 0.9) -> list[Face]:
        """A photo with a face of each named identity, placed as the step would."""
        self.count += 1
        photo = Photo.objects.create(
            library=self.library,
            original_name=f"{self.count}.jpg",
            original_key=f"key-{self.library.pk}-{self.count}",
            checksum=f"{self.count:064}",
            sha1=f"{self.count:040}",
            size=1,
            mime_type="image/jpeg",
            taken_at=timezone.now(),
        )
        faces = [self.add_face(photo, name, quality) for name in names]
        grouping.place_new_faces(self.library.pk, [photo.pk], self.version, threshold=THRESHOLD)
        return faces

    def add_face(self, photo: Photo, name: str, quality: float) -> Face:
        face = Face.objects.create(
            photo=photo, x1=0.1, y1=0.1, x2=0.2, y2=0.2, detection_score=0.9, quality=quality
        )
        FaceEmbedding.objects.create(face=face, model=self.version, vector=self.vector_of(name))
        return face

    def vector_of(self, name: str) -> Any:
        """Near its identity (cosine about 0.8 to another of the same), far from all others."""
        size = self.version.dimensions
        centre = self.identities.setdefault(name, unit(self.random.normal(size=size)))
        return unit(centre + 0.5 * unit(self.random.normal(size=size)))

    def people(self) -> dict[int, set[int]]:
        """Face ids by person."""
        found: dict[int, set[int]] = {}
        for face in Face.objects.exclude(person=None):
            found.setdefault(face.person_id or 0, set()).add(face.pk)
        return found


def unit(vector: Any) -> Any:
    return (vector / np.linalg.norm(vector)).astype(np.float32)


@pytest.fixture
def album() -> Album:
    return Album()


def test_two_photos_of_one_face_make_an_unnamed_person(album: Album) -> None:
    [first] = album.add_photo("a")
    assert album.people() == {}
    [second] = album.add_photo("a")
    assert list(album.people().values()) == [{first.pk, second.pk}]
    assert Person.objects.get().name == ""


def test_a_new_face_joins_the_named_person_it_looks_like(album: Album) -> None:
    album.add_photo("a")
    album.add_photo("a")
    person = people.rename_person(person=Person.objects.get(), name="Asha")
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
    other = people.create_person(library=album.library, name="Bela")
    people.assign_face(face=first, person=other)
    album.add_photo("a")
    album.add_photo("a")
    grouping.regroup_library(Job.objects.create(kind="cluster"), album.library.pk, None)
    first.refresh_from_db()
    assert first.person == other


def test_a_face_that_people_put_to_nobody_stays_with_nobody(album: Album) -> None:
    [first] = album.add_photo("a")
    people.assign_face(face=first, person=None)
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
        people.rename_person(person=person, name=f"Name {number}")
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
