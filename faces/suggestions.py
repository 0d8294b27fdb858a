"""“Is this the same person?”: what is worth asking, most useful first, and what the answers do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import log2
from typing import Any, Literal

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Cast, Sqrt
from django.utils import timezone
from pgvector.django import CosineDistance, HalfVectorField

from faces import curation, people
from faces.errors import PeopleError
from faces.journal import Verb, writing
from faces.models import Face, FaceEmbedding, FaceModelVersion, FaceRejection, Person
from faces.nearness import ASK_AGAIN_DAYS, NearPeople, near_people
from faces.neighbours import walk_index_until_enough

Answer = Literal["yes", "no", "unsure"]

BELOW_THRESHOLD = 0.12  # how far below it a pair is still worth a question
SEEDS = 60  # unassigned faces looked at for one page of questions
NEIGHBOURS = 16


@dataclass(frozen=True)
class Suggestion:
    """Is `face` (or everybody in the group `other`) `person`?"""

    person: Person
    similarity: float  # cosine
    faces: int  # how many the answer settles
    face: Face | None = None
    other: Person | None = None

    @property
    def usefulness(self) -> float:
        return self.similarity * log2(1 + self.faces)


def unassigned_faces(user: Any) -> QuerySet[Any]:
    """Faces of nobody, most useful first: large and good ones."""
    area = (F("x2") - F("x1")) * (F("y2") - F("y1"))
    faces = Face.objects.visible_to(user).filter(person=None, assigned_by="")
    ranked: QuerySet[Any] = faces.annotate(usefulness=F("quality") * Sqrt(area)).order_by("-usefulness", "pk")
    return ranked


def queue(
    user: Any, library_id: int, version: FaceModelVersion, *, threshold: float, limit: int = 20
) -> list[Suggestion]:
    """The next questions, most useful first. What was answered is not asked again, “not sure” for a month."""
    lowest = threshold - BELOW_THRESHOLD
    groups = [
        as_suggestion(pair)
        for pair in near_people(library_id, version, at_least=lowest)
        if not (pair.first.name and pair.second.name and pair.similarity < threshold)
    ]
    faces = about_faces(user, library_id, version, lowest)
    ranked = sorted([*groups, *faces], key=lambda s: (-s.usefulness, s.person.pk, s.face.pk if s.face else 0))
    return ranked[:limit]


def as_suggestion(pair: NearPeople) -> Suggestion:
    """The named one, else the larger one, is who the other may be."""
    keep, drop = sorted((pair.first, pair.second), key=lambda p: (not p.name, -pair.sizes[p.pk], p.pk))
    return Suggestion(keep, pair.similarity, faces=pair.sizes[drop.pk], other=drop)


def about_faces(user: Any, library_id: int, version: FaceModelVersion, lowest: float) -> Iterator[Suggestion]:
    """The most useful unassigned faces, each with the nearest person it may be."""
    chosen = list(unassigned_faces(user).filter(photo__library_id=library_id).select_related("photo")[:SEEDS])
    vectors = FaceEmbedding.objects.filter(model=version, face__in=chosen)
    by_face = dict(vectors.values_list("face_id", "vector"))
    refused = refusals(chosen)
    together: dict[int, set[int | None]] = {}
    for photo, person in Face.objects.filter(photo__faces__in=chosen).values_list("photo_id", "person_id"):
        together.setdefault(photo, set()).add(person)
    for face in chosen:
        if face.pk not in by_face:
            continue
        not_these = refused.get(face.pk, set()) | together.get(face.photo_id, set())
        nearest = nearest_person(library_id, version, by_face[face.pk], not_these, face)
        if nearest is not None and nearest[1] >= lowest:
            yield Suggestion(nearest[0], nearest[1], faces=1, face=face)


def refusals(faces: Sequence[Face]) -> dict[int, set[int | None]]:
    """People that each face is not, or that somebody was not sure about lately."""
    lately = timezone.now() - timedelta(days=ASK_AGAIN_DAYS)
    rows = FaceRejection.objects.filter(Q(is_sure=True) | Q(answered_at__gt=lately), face__in=faces)
    found: dict[int, set[int | None]] = {}
    for face, person in rows.values_list("face_id", "person_id"):
        found.setdefault(face, set()).add(person)
    return found


def nearest_person(
    library_id: int, version: FaceModelVersion, vector: Any, not_these: set[int | None], face: Face
) -> tuple[Person, float] | None:
    """Who has the nearest face, and its cosine. Hidden people and the unborn are left out."""
    distance = CosineDistance(Cast("vector", HalfVectorField(dimensions=version.dimensions)), vector)
    with transaction.atomic():
        walk_index_until_enough()
        rows = (
            FaceEmbedding.objects.filter(
                model=version,
                face__photo__library_id=library_id,
                face__person__isnull=False,
                face__person__is_hidden=False,
            )
            .annotate(distance=distance)
            .order_by("distance")
            .select_related("face__person")
            .defer("vector")[:NEIGHBOURS]
        )
        for row in rows:
            person = row.face.person
            if person is None or person.pk in not_these:
                continue
            if person.birth_date is None or face.photo.taken_at.date() >= person.birth_date:
                return person, 1 - float(row.distance)
    return None


# --- answers ------------------------------------------------------------------------------------------------


def answer_face(*, face: Face, person: Person, answer: Answer, actor: Any) -> None:
    """Yes assigns the face by hand, no rejects it for good, “not sure” asks again after a month."""
    if answer == "yes":
        curation.assign_face(face=face, person=person, actor=actor)
    elif answer == "no":
        curation.reject_faces(faces=[face], person=person, actor=actor)
    else:
        if person.library_id != face.photo.library_id:
            raise PeopleError("person_not_found", "The person is not in the library of this photo.")
        with writing(person.library_id, actor=actor, verb=Verb.NOT_SURE) as draft:
            draft.watch(faces=[face.pk])
            alive = people.living(person, draft)
            curation.answer(face.pk, person.pk, is_sure=False)
            draft.summary = f"Was not sure whether a face is {alive.display_name}"


def answer_people(*, person: Person, other: Person, answer: Answer, actor: Any) -> None:
    """Yes merges `other` into `person`, no tells them apart for good, “not sure” asks again after a month."""
    if answer == "yes":
        people.merge_people(keep=person, drop=other, actor=actor)
        return
    if person.pk == other.pk or person.library_id != other.library_id:
        raise PeopleError("person_not_found", "Choose two people of one library.")
    verb = Verb.TELL_APART if answer == "no" else Verb.NOT_SURE
    with writing(person.library_id, actor=actor, verb=verb) as draft:
        first, second = people.living(person, draft), people.living(other, draft)
        people.tell_apart(first.pk, second.pk, is_sure=answer == "no")
        said = "is not" if answer == "no" else "may or may not be"
        draft.summary = f"Said that {second.display_name} {said} {first.display_name}"


def counts_for_badges(user: Any) -> dict[str, int]:
    """How many faces are nobody's, and how many groups have no name."""
    unnamed = Person.objects.visible_to(user).filter(name="", is_hidden=False)
    return {
        "unassigned_faces": unassigned_faces(user).count(),
        "unnamed_people": unnamed.annotate(n=Count("faces")).filter(n__gt=0).count(),
    }
