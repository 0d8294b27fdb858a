"""Photos by who is on them."""

from collections.abc import Callable

import pytest

from faces.models import Face, Person
from photos.filters import PhotoFilter
from photos.models import Library, Photo


@pytest.fixture
def pair(photo_rows: Callable[[int], list[int]]) -> list[int]:
    return photo_rows(2)


def found(wanted: PhotoFilter) -> list[int]:
    return sorted(wanted.apply(Photo.objects.all()).values_list("pk", flat=True))


def test_all_people_must_be_on_it(pair: list[int], library: Library) -> None:
    people = [Person.objects.create(library=library, name=name) for name in "ab"]
    box = {"x1": 0.0, "y1": 0.0, "x2": 1.0, "y2": 1.0, "detection_score": 1.0}
    for photo, person in (
        (pair[0], people[0]),
        (pair[0], people[1]),
        (pair[0], people[0]),
        (pair[1], people[0]),
    ):
        Face.objects.create(photo_id=photo, person=person, **box)
    assert found(PhotoFilter(people=(people[0].pk,))) == pair
    assert found(PhotoFilter(people=(people[0].pk, people[1].pk))) == [pair[0]]


def test_a_dismissed_face_is_nobody(pair: list[int], library: Library) -> None:
    person = Person.objects.create(library=library, name="a")
    Face.objects.create(
        photo_id=pair[0], person=person, x1=0, y1=0, x2=1, y2=1, detection_score=1, is_dismissed=True
    )
    assert found(PhotoFilter(people=(person.pk,))) == []
