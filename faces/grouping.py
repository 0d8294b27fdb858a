"""Put faces to people: load, let `clustering` decide, write. New faces look only at their neighbourhood.

Curated people (named, hidden, told apart …) and everything people assigned by hand are fixed points. Unnamed
groups that only a machine made are free: they may grow together or change when more photos arrive, so the
order of arrival matters little. Placing new faces is not journalled; grouping a whole library anew is.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Cast
from pgvector.django import CosineDistance, HalfVectorField

from faces import constraints
from faces.clustering import NOBODY, Faces, Group, Settings, cluster
from faces.journal import Verb, lock_people, writing
from faces.models import Face, FaceEmbedding, FaceModelVersion, Person
from faces.neighbours import candidate_pairs, walk_index_until_enough
from faces.services import model_version, pack_choice
from faces.vectors import HalfVectorBytes, unit_rows
from jobs.events import publish
from jobs.models import Job
from jobs.services import report

NEIGHBOURS = 32
SAMPLE_OF_FIXED = 64  # the best faces of a curated person stand for all
LARGEST_FREE_GROUP = 200  # a larger unnamed group is a fixed point for new faces; a whole regrouping frees it


@dataclass(frozen=True)
class Change:
    """Put these faces to a person: an existing one, a new unnamed one for None, or NOBODY."""

    person_id: int | None
    face_ids: tuple[int, ...]


def place_new_faces(
    library_id: int, photo_ids: Sequence[int], version: FaceModelVersion, *, threshold: float
) -> None:
    """Let the unassigned faces of these photos join people or start new groups with their neighbours.

    One nearest-neighbour query for each of them, and for each face that got a vector of another model.
    """
    with transaction.atomic():
        lock_people(library_id)
        alone = Q(
            face__photo__in=photo_ids, face__person=None, face__assigned_by="", face__is_dismissed=False
        )
        waiting = Q(face__in=waiting_faces(library_id, photo_ids, version, threshold))
        seeds = FaceEmbedding.objects.filter(alone | waiting, model=version)
        near = neighbourhood(library_id, list(seeds.order_by("face_id")), version, threshold)
        if near:
            changes = plan(Face.objects.filter(pk__in=near), version, threshold)
            if apply_changes(library_id, changes):
                publish(library_id, "people")


def waiting_faces(
    library_id: int, photo_ids: Sequence[int], version: FaceModelVersion, threshold: float
) -> list[int]:
    """Ids of faces near those that just got a vector of this model beside their old one.

    They came after the change of model and before the people of these photos could be compared with them.
    """
    other = FaceEmbedding.objects.filter(face=OuterRef("face")).exclude(model=version)
    of_photos = FaceEmbedding.objects.filter(
        Exists(other), model=version, face__photo__in=photo_ids, face__person__isnull=False
    )
    near: set[int] = set()
    people: set[int | None] = set()
    for renewed in of_photos.select_related("face").order_by("face_id"):
        near.update(nearest_faces(library_id, renewed, version, threshold))
        people.add(renewed.face.person_id)
    came_since = ~Exists(FaceEmbedding.objects.filter(face=OuterRef("pk")).exclude(model=version))
    found = Face.objects.filter(came_since, pk__in=near).free().exclude(person__in=people)
    return list(found.values_list("pk", flat=True))


def neighbourhood(
    library_id: int, seeds: Sequence[FaceEmbedding], version: FaceModelVersion, threshold: float
) -> set[int]:
    """Ids of all faces that can matter for the seeds: near ones, their groups, others on the same photos."""
    near = {seed.face_id for seed in seeds}
    for seed in seeds:
        near.update(nearest_faces(library_id, seed, version, threshold))
    ids = set(Face.objects.filter(pk__in=near, person__isnull=False).values_list("person_id", flat=True))
    curated = set(Person.objects.filter(pk__in=ids).curated().values_list("pk", flat=True))
    sizes = Person.objects.filter(pk__in=ids).annotate(size=Count("faces"))
    for person_id, size in list(sizes.order_by("pk").values_list("pk", "size")):
        fixed = person_id in curated or size > LARGEST_FREE_GROUP
        members = Face.objects.filter(person=person_id).order_by("-quality", "pk")
        near.update(members.values_list("pk", flat=True)[: SAMPLE_OF_FIXED if fixed else None])
    free_photos = Face.objects.filter(pk__in=near).free().values("photo_id")
    near.update(Face.objects.filter(photo__in=free_photos).values_list("pk", flat=True))
    return near


def nearest_faces(
    library_id: int, seed: FaceEmbedding, version: FaceModelVersion, threshold: float
) -> Iterable[int]:
    """Ids of the faces of the library nearest to a seed, as far as they may be the same person."""
    walk_index_until_enough()
    distance = CosineDistance(Cast("vector", HalfVectorField(dimensions=version.dimensions)), seed.vector)
    rows = (
        FaceEmbedding.objects.filter(model=version, face__photo__library_id=library_id)
        .annotate(distance=distance)
        .order_by("distance")
        .values_list("face_id", "distance")[:NEIGHBOURS]
    )
    lowest = Settings.for_threshold(threshold).lowest
    return [face_id for face_id, far in rows if 1 - far >= lowest]


def regroup_library(
    job: Job, library_id: int, threshold: float | None, reset: bool = False
) -> dict[str, int]:
    """Group the faces of a library that have no person. The task of the job “cluster”.

    With `reset` those that only a machine put to somebody are grouped afresh as well.
    """
    choice = pack_choice()
    version = model_version(choice)
    faces = Face.objects.filter(photo__library_id=library_id)
    total = faces.count()
    report(job, done=0, total=total, message="Comparing faces")
    with writing(library_id, actor=job.created_by, verb=Verb.RECLUSTER) as draft:
        threshold = choice.match_threshold if threshold is None else threshold
        changes = (
            plan_anew(faces, version, threshold) if reset else plan_unassigned(faces, version, threshold)
        )
        draft.watch(
            people=list(Person.objects.filter(library=library_id).values_list("pk", flat=True)),
            faces=[pk for change in changes for pk in change.face_ids],
        )
        moved = apply_changes(library_id, changes)
        made = set(Person.objects.filter(library=library_id).values_list("pk", flat=True)) - draft.people
        draft.people |= made
        draft.summary = f"Grouped anew: {moved} faces moved, {len(made)} new groups"
    report(job, done=total, message=f"{moved} faces moved")
    return {"clustered": moved, "persons_created": len(made)}


def plan(faces: QuerySet[Any], version: FaceModelVersion, threshold: float) -> list[Change]:
    """What has to move among these faces. Curated people keep all the faces they have."""
    people = people_on(faces)
    kept = set(Person.objects.filter(pk__in=people).curated().values_list("pk", flat=True))
    groups, current = group(faces, version, threshold, kept)
    return plan_changes(groups, current, unnamed=people - kept)


def plan_anew(faces: QuerySet[Any], version: FaceModelVersion, threshold: float) -> list[Change]:
    """The same, but a face that fits into no group does not stay where it is either."""
    people = people_on(faces)
    kept = set(Person.objects.filter(pk__in=people).curated().values_list("pk", flat=True))
    groups, current = group(faces, version, threshold, kept)
    fitting = {face for one in groups for face in one.faces}
    loose = tuple(face for face, person in current.items() if person is not None and face not in fitting)
    changes = plan_changes(groups, current, unnamed=people - kept)
    return [*changes, Change(NOBODY, loose)] if loose else changes


def plan_unassigned(faces: QuerySet[Any], version: FaceModelVersion, threshold: float) -> list[Change]:
    """Where faces without a person belong; all others stay, whoever put them there."""
    groups, current = group(faces, version, threshold, people_on(faces))
    return plan_changes(groups, current, unnamed=set())


def people_on(faces: QuerySet[Any]) -> set[int]:
    return set(faces.filter(person__isnull=False).order_by().values_list("person_id", flat=True).distinct())


def group(
    faces: QuerySet[Any], version: FaceModelVersion, threshold: float, kept: set[int]
) -> tuple[list[Group], dict[int, int | None]]:
    """The groups these faces form when the people in `kept` keep theirs, and the faces that may move."""
    settings = Settings.for_threshold(threshold)
    loaded, current = load(faces, version, kept)
    return cluster(loaded, settings, pairs=candidate_pairs(loaded, version, settings)), current


def load(
    faces: QuerySet[Any], version: FaceModelVersion, kept: Collection[int]
) -> tuple[Faces, dict[int, int | None]]:
    """The arrays that `clustering` takes, and the person of each face that may move.

    Faces of the people in `kept` may not, nor what was assigned by hand; what somebody put to nobody, or
    dismissed, does not take part.
    """
    rows = list(
        FaceEmbedding.objects.filter(model=version, face__in=faces, face__is_dismissed=False)
        .exclude(face__assigned_by=Face.AssignedBy.PERSON, face__person=None)
        .order_by("face_id")
        .values_list(
            "face_id",
            "face__photo_id",
            "face__quality",
            "face__person_id",
            "face__assigned_by",
            HalfVectorBytes("vector"),
        )
        .iterator(chunk_size=5000)
    )
    by_hand = Face.AssignedBy.PERSON
    current = {row[0]: row[3] for row in rows if row[4] != by_hand and row[3] not in kept}
    loaded = Faces(
        ids=np.array([row[0] for row in rows], dtype=np.int64),
        vectors=unit_rows([row[5] for row in rows], version.dimensions),
        photos=np.array([row[1] for row in rows], dtype=np.int64),
        quality=np.array([row[2] for row in rows], dtype=np.float32),
        confirmed=np.array([NOBODY if row[0] in current else row[3] for row in rows], dtype=np.int64),
        rejected=constraints.rejections(faces),
    )
    return loaded, current


def plan_changes(
    groups: Sequence[Group], current: Mapping[int, int | None], unnamed: set[int]
) -> list[Change]:
    """What has to move so that the people match the groups. `current` has the faces that may move.

    A group nobody named keeps the unnamed person most of its faces have (larger groups choose first), else it
    gets a new one. A face in no group stays where it is.
    """
    changes: list[Change] = []
    taken: set[int] = set()
    for group in sorted(groups, key=lambda group: (-len(group.faces), group.faces)):
        person_id = group.person
        if person_id is None:
            votes = Counter(current.get(face) for face in group.faces)
            person_id = next(
                (pk for pk, _ in votes.most_common() if pk is not None and pk in unnamed and pk not in taken),
                None,
            )
        if person_id is not None:
            taken.add(person_id)
        movers = tuple(face for face in group.faces if face in current and current[face] != person_id)
        if movers or person_id is None:
            changes.append(Change(person_id, movers or group.faces))
    return changes


def apply_changes(library_id: int, changes: Iterable[Change]) -> int:
    """Write them and drop the unnamed groups left empty. Returns how many faces moved."""
    changes = list(changes)
    moving = [pk for change in changes for pk in change.face_ids]
    left = set(Face.objects.filter(pk__in=moving, person__isnull=False).values_list("person_id", flat=True))
    moved = sum(apply_change(library_id, change) for change in changes)
    drop_empty_groups(left)
    return moved


def apply_change(library_id: int, change: Change) -> int:
    """Write one change. Returns how many faces moved."""
    if change.person_id == NOBODY:
        return Face.objects.filter(pk__in=change.face_ids).update(
            person=None, assigned_by=Face.AssignedBy.NOBODY
        )
    person_id = change.person_id or Person.objects.create(library_id=library_id).pk
    return Face.objects.filter(pk__in=change.face_ids).update(
        person_id=person_id, assigned_by=Face.AssignedBy.MACHINE
    )


def drop_empty_groups(people: Collection[int]) -> None:
    """Those of these people without faces whom nobody curated: nothing that anybody could miss."""
    empty = Person.objects.filter(pk__in=people, faces=None)
    empty.exclude(pk__in=Person.objects.filter(pk__in=people).curated().values("pk")).delete()
