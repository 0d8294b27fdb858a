"""Put faces to people: load, let `clustering` decide, write. New faces look only at their neighbourhood.

Named people and everything people assigned by hand are fixed points. Unnamed groups that only a machine made
are free: they may grow together or change when more photos arrive, so the order of arrival matters little.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Cast
from pgvector.django import CosineDistance, HalfVectorField

from faces.clustering import NOBODY, Faces, Group, Settings, cluster
from faces.models import Face, FaceEmbedding, FaceModelVersion, Person
from faces.people import lock_people
from faces.services import model_version, pack_choice
from jobs.events import publish
from jobs.models import Job
from jobs.services import report

NEIGHBOURS = 32
SAMPLE_OF_NAMED = 64  # the best faces of a named person stand for all
LARGEST_FREE_GROUP = 200  # a larger unnamed group is a fixed point for new faces; a whole regrouping frees it


@dataclass(frozen=True)
class Change:
    """Put these faces to a person: an existing one, or a new unnamed one for None."""

    person_id: int | None
    face_ids: tuple[int, ...]


def place_new_faces(
    library_id: int, photo_ids: Sequence[int], version: FaceModelVersion, *, threshold: float
) -> None:
    """Let the unassigned faces of these photos join people or start new groups with their neighbours."""
    with transaction.atomic():
        lock_people(library_id)
        seeds = FaceEmbedding.objects.filter(
            model=version, face__photo__in=photo_ids, face__person=None, face__assigned_by=""
        )
        near = neighbourhood(library_id, list(seeds.order_by("face_id")), version, threshold)
        if near:
            regroup(library_id, Face.objects.filter(pk__in=near), version, threshold)


def neighbourhood(
    library_id: int, seeds: Sequence[FaceEmbedding], version: FaceModelVersion, threshold: float
) -> set[int]:
    """Ids of all faces that can matter for the seeds: near ones, their groups, others on the same photos."""
    near = {seed.face_id for seed in seeds}
    for seed in seeds:
        near.update(nearest_faces(library_id, seed, version, threshold))
    people: QuerySet[Any] = Person.objects.filter(faces__in=near).distinct().annotate(size=Count("faces"))
    for person in people:
        fixed = bool(person.name) or person.size > LARGEST_FREE_GROUP
        members = Face.objects.filter(person=person).order_by("-quality", "pk").values_list("pk", flat=True)
        near.update(members[:SAMPLE_OF_NAMED] if fixed else members)
    free_photos = Face.objects.filter(pk__in=near).filter(free_faces()).values("photo_id")
    near.update(Face.objects.filter(photo__in=free_photos).values_list("pk", flat=True))
    return near


def nearest_faces(
    library_id: int, seed: FaceEmbedding, version: FaceModelVersion, threshold: float
) -> Iterable[int]:
    """Ids of the faces of the library nearest to a seed, as far as they may be the same person."""
    distance = CosineDistance(Cast("vector", HalfVectorField(dimensions=version.dimensions)), seed.vector)
    rows = (
        FaceEmbedding.objects.filter(model=version, face__photo__library_id=library_id)
        .annotate(distance=distance)
        .order_by("distance")
        .values_list("face_id", "distance")[:NEIGHBOURS]
    )
    lowest = Settings.for_threshold(threshold).lowest
    return [face_id for face_id, far in rows if 1 - far >= lowest]


def free_faces() -> Q:
    """Faces that a machine may move: nobody named their person and nobody assigned them."""
    return Q(assigned_by__in=["", Face.AssignedBy.MACHINE]) & (Q(person=None) | Q(person__name=""))


def regroup_library(job: Job, library_id: int, threshold: float | None) -> dict[str, int]:
    """Group all faces of a library anew around what people said. The task of the job “cluster”."""
    choice = pack_choice()
    version = model_version(choice)
    faces = Face.objects.filter(photo__library_id=library_id)
    report(job, done=0, total=faces.count(), message="Comparing faces")
    with transaction.atomic():
        lock_people(library_id)
        created = Person.objects.filter(library_id=library_id).count()
        moved = regroup(
            library_id, faces, version, choice.match_threshold if threshold is None else threshold
        )
        created = max(0, Person.objects.filter(library_id=library_id).count() - created)
    report(job, done=faces.count(), message=f"{moved} faces moved")
    return {"clustered": moved, "persons_created": created}


def regroup(library_id: int, faces: QuerySet[Any], version: FaceModelVersion, threshold: float) -> int:
    """Cluster these faces, write what changes, drop unnamed groups left empty. Returns the number moved."""
    loaded, current = load(faces, version)
    groups = cluster(loaded, Settings.for_threshold(threshold))
    unnamed = set(Person.objects.filter(library_id=library_id, name="").values_list("pk", flat=True))
    changes = plan_changes(groups, current, unnamed)
    moved = sum(apply_change(library_id, change) for change in changes)
    if moved:
        drop_empty_groups(library_id)
        publish(library_id, "people")
    return moved


def load(faces: QuerySet[Any], version: FaceModelVersion) -> tuple[Faces, dict[int, int | None]]:
    """The arrays that `clustering` takes, and the person of each face that may move."""
    rows = list(
        FaceEmbedding.objects.filter(model=version, face__in=faces)
        .exclude(face__assigned_by=Face.AssignedBy.PERSON, face__person=None)
        .select_related("face__person")
        .order_by("face_id")
    )
    current = {row.face_id: row.face.person_id for row in rows if is_free(row.face)}
    vectors = [np.asarray(row.vector, dtype=np.float32) for row in rows]
    matrix = np.stack(vectors) if rows else np.empty((0, version.dimensions), dtype=np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True).clip(min=1e-6)
    loaded = Faces(
        ids=np.array([row.face_id for row in rows], dtype=np.int64),
        vectors=matrix,
        photos=np.array([row.face.photo_id for row in rows], dtype=np.int64),
        quality=np.array([row.face.quality for row in rows], dtype=np.float32),
        confirmed=np.array(
            [NOBODY if row.face_id in current else row.face.person_id for row in rows], dtype=np.int64
        ),
    )
    return loaded, current


def is_free(face: Face) -> bool:
    """`free_faces` for one loaded face."""
    by_hand = face.assigned_by == Face.AssignedBy.PERSON
    return not by_hand and (face.person is None or not face.person.name)


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


def apply_change(library_id: int, change: Change) -> int:
    """Write one change. Returns how many faces moved."""
    person_id = change.person_id or Person.objects.create(library_id=library_id).pk
    return Face.objects.filter(pk__in=change.face_ids).update(
        person_id=person_id, assigned_by=Face.AssignedBy.MACHINE
    )


def drop_empty_groups(library_id: int) -> None:
    """Unnamed people without faces are nothing anybody could miss."""
    Person.objects.filter(library_id=library_id, name="", faces=None).delete()
