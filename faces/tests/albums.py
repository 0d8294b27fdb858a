"""Libraries with faces whose identity is known, for tests of grouping and curation."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from django.utils import timezone

from faces import grouping, people
from faces.models import Face, FaceEmbedding, FaceModelVersion, Person
from faces.services import model_version, pack_choice
from photos.models import Library, Photo

THRESHOLD = 0.40


class Album:
    """A library whose faces are given as identities: vectors of one identity are near each other."""

    def __init__(self) -> None:
        self.library: Library = Library.objects.create(name="Photos")
        self.version: FaceModelVersion = model_version(pack_choice())
        self.random = np.random.default_rng(7)
        self.identities: dict[str, Any] = {}
        self.count = 0

    def add_photo(self, *names: str, quality: float = 0.9, taken_at: datetime | None = None) -> list[Face]:
        """A photo with a face of each named identity, side by side, placed as the step would."""
        return self.add_described([(self.vector_of(name), quality) for name in names], taken_at)

    def add_described(
        self, described: Sequence[tuple[Any, float]], taken_at: datetime | None = None
    ) -> list[Face]:
        """The same with faces given as vector and quality."""
        photo, faces = self.photo_with(described, taken_at)
        self.place(photo)
        return faces

    def place(self, photo: int) -> None:
        grouping.place_new_faces(self.library.pk, [photo], self.version, threshold=THRESHOLD)

    def photo_with(
        self, described: Sequence[tuple[Any, float]], taken_at: datetime | None = None
    ) -> tuple[int, list[Face]]:
        """A photo whose faces are not placed yet: its id and faces."""
        self.count += 1
        photo = Photo.objects.create(
            library=self.library,
            original_name=f"{self.count}.jpg",
            original_key=f"key-{self.library.pk}-{self.count}",
            checksum=f"{self.count:064}",
            sha1=f"{self.count:040}",
            size=1,
            mime_type="image/jpeg",
            taken_at=taken_at or timezone.now(),
        )
        return photo.pk, [self.add_face(photo, *one, place) for place, one in enumerate(described)]

    def add_face(self, photo: Photo, vector: Any, quality: float, place: int) -> Face:
        left = 0.01 + 0.1 * (place % 9)
        face: Face = Face.objects.create(
            photo=photo, x1=left, y1=0.1, x2=left + 0.08, y2=0.2, detection_score=0.9, quality=quality
        )
        FaceEmbedding.objects.create(face=face, model=self.version, vector=vector)
        return face

    def vector_of(self, name: str) -> Any:
        """Near its identity (cosine about 0.8 to another of the same), far from all others."""
        size = self.version.dimensions
        centre = self.identities.setdefault(name, unit(self.random.normal(size=size)))
        return unit(centre + 0.5 * unit(self.random.normal(size=size)))

    def person(self, name: str, photos: int = 3) -> Person:
        """A named person on this many photos."""
        faces = [self.add_photo(name)[0] for _ in range(photos)]
        faces[0].refresh_from_db()
        assert faces[0].person is not None
        return people.rename_person(person=faces[0].person, name=name, actor=None)

    def people(self) -> dict[int, set[int]]:
        """Face ids by person, of all libraries."""
        found: dict[int, set[int]] = {}
        for face in Face.objects.exclude(person=None):
            found.setdefault(face.person_id or 0, set()).add(face.pk)
        return found


def unit(vector: Any) -> Any:
    return (vector / np.linalg.norm(vector)).astype(np.float32)
