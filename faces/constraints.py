"""What people said, as the constraints that `clustering` knows: pairs apart, and who a face is not."""

from collections.abc import Collection, Iterator
from itertools import product
from typing import Any

from django.db.models import QuerySet

from faces.models import Face, FaceRejection, Person, PersonDistinction
from faces.people import taken_before

Pairs = list[tuple[int, int]]

REPRESENTATIVES = 3  # the best faces of a group keep the whole group apart


def rejections(faces: QuerySet[Any]) -> Pairs:
    """(face, person) of these faces: told by somebody, or the photo is older than the person."""
    told = FaceRejection.objects.filter(is_sure=True, face__in=faces)
    return [*told.values_list("face_id", "person_id"), *before_birth(faces)]


def before_birth(faces: QuerySet[Any]) -> Iterator[tuple[int, int]]:
    """(face, person) where the photo was taken before the person was born."""
    libraries = faces.order_by().values("photo__library").distinct()
    born = Person.objects.filter(library__in=libraries, birth_date__isnull=False)
    for person_id, birth_date in born.order_by("pk").values_list("pk", "birth_date"):
        if birth_date is not None:
            early = Face.objects.filter(taken_before(birth_date), pk__in=faces.values("pk"))
            yield from ((pk, person_id) for pk in early.order_by("pk").values_list("pk", flat=True))


def apart(library_id: int, face_ids: Collection[int]) -> Pairs:
    """Pairs of faces that keep people who were told apart from growing together.

    Needed where the faces a machine put to these people may move; each person's best faces stand for all.
    """
    told = PersonDistinction.objects.filter(first__library=library_id, is_sure=True)
    pairs = list(told.values_list("first_id", "second_id"))
    loaded = set(face_ids)
    best = {person: best_faces(person, loaded) for pair in pairs for person in pair}
    return [pair for a, b in pairs for pair in product(best[a], best[b])]


def best_faces(person_id: int, loaded: set[int]) -> list[int]:
    rows = Face.objects.filter(person=person_id).order_by("-quality", "pk").values_list("pk", flat=True)
    return [pk for pk in rows[:64] if pk in loaded][:REPRESENTATIVES]
