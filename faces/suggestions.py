"""“Is this the same person?”: what is worth asking, most useful first, and what the answers do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import log2
from typing import Any, Literal

from django.db import connection, transaction
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Sqrt
from django.utils import timezone

from faces import curation, people
from faces.errors import PeopleError
from faces.journal import Verb, writing
from faces.models import Face, FaceModelVersion, FaceRejection, Person
from faces.nearness import ASK_AGAIN_DAYS, NearPeople, near_people
from faces.neighbours import walk_index_until_enough

Answer = Literal["yes", "no", "unsure"]

BELOW_THRESHOLD = 0.14  # how far below it a pair is still worth a question
SEEDS = 60  # unassigned faces looked at for one page of questions
NEIGHBOURS = 16

NEAREST_PEOPLE = """
SELECT seed.face_id, near.person_id, near.distance
FROM faces_faceembedding seed CROSS JOIN LATERAL (
    SELECT face.person_id,
        known.vector::halfvec({dimensions}) <=> seed.vector::halfvec({dimensions}) AS distance
    FROM faces_faceembedding known
    JOIN faces_face face ON face.id = known.face_id
    JOIN photos_photo photo ON photo.id = face.photo_id
    JOIN faces_person person ON person.id = face.person_id
    WHERE known.model_id = {version} AND photo.library_id = %(library)s AND NOT person.is_hidden
    ORDER BY known.vector::halfvec({dimensions}) <=> seed.vector::halfvec({dimensions}) LIMIT {count}
) near
WHERE seed.model_id = {version} AND seed.face_id = ANY(%(faces)s)
ORDER BY seed.face_id, near.distance
"""


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
    nearest = nearest_people(library_id, version, chosen)
    people = Person.objects.in_bulk({person for near in nearest.values() for person, _ in near})
    refused = refusals(chosen)
    together: dict[int, set[int | None]] = {}
    for photo, person in Face.objects.filter(photo__faces__in=chosen).values_list("photo_id", "person_id"):
        together.setdefault(photo, set()).add(person)
    for face in chosen:
        not_these = refused.get(face.pk, set()) | together.get(face.photo_id, set())
        for person_id, similarity in nearest.get(face.pk, []):
            candidate = people.get(person_id)
            if candidate is not None and person_id not in not_these and was_born(candidate, face):
                if similarity >= lowest:
                    yield Suggestion(candidate, similarity, faces=1, face=face)
                break


def was_born(person: Person, face: Face) -> bool:
    return person.birth_date is None or face.photo.taken_at.date() >= person.birth_date


def refusals(faces: Sequence[Face]) -> dict[int, set[int | None]]:
    """People that each face is not, or that somebody was not sure about lately."""
    lately = timezone.now() - timedelta(days=ASK_AGAIN_DAYS)
    rows = FaceRejection.objects.filter(Q(is_sure=True) | Q(answered_at__gt=lately), face__in=faces)
    found: dict[int, set[int | None]] = {}
    for face, person in rows.values_list("face_id", "person_id"):
        found.setdefault(face, set()).add(person)
    return found


def nearest_people(
    library_id: int, version: FaceModelVersion, faces: Sequence[Face]
) -> dict[int, list[tuple[int, float]]]:
    """For each face whose the nearest faces are, and their cosine, nearest first; hidden people left out."""
    sql = NEAREST_PEOPLE.format(dimensions=int(version.dimensions), version=int(version.pk), count=NEIGHBOURS)
    found: dict[int, list[tuple[int, float]]] = {}
    with transaction.atomic(), connection.cursor() as cursor:
        walk_index_until_enough()
        cursor.execute(sql, {"library": library_id, "faces": [face.pk for face in faces]})
        for face_id, person_id, distance in cursor.fetchall():
            found.setdefault(face_id, []).append((person_id, 1 - float(distance)))
    return found


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
