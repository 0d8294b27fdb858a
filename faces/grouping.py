"""Put faces to people: load, let `clustering` decide, write. New faces look only at their neighbourhood.

Curated people (named, hidden, told apart …) and everything people assigned by hand are fixed points. Unnamed
groups that only a machine made are free: they may grow together or change when more photos arrive, so the
order of arrival matters little. Placing new faces is not journalled; grouping a whole library anew is.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from faces import constraints
from faces.agglomeration import Ints
from faces.clustering import NOBODY, Faces, Group, Settings, cluster
from faces.fingerprints import fingerprint
from faces.journal import Verb, lock_people, writing
from faces.models import Face, FaceEmbedding, FaceModelVersion, Person
from faces.neighbours import candidate_pairs, nearest_faces
from faces.services import model_version, pack_choice
from faces.vectors import HalfVectorBytes, unit_rows
from jobs.events import publish
from jobs.models import Job
from jobs.services import report

SAMPLE_OF_FIXED = 64  # the best faces of a curated person stand for all
LARGEST_FREE_GROUP = 200  # a larger unnamed group is a fixed point for new faces; a whole regrouping frees it
FIRM_GROUP = 8  # an unnamed group of so many good faces is not taken apart for a new face; it may still grow


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
    settings = Settings.for_threshold(threshold)
    with transaction.atomic():
        lock_people(library_id)
        seeds = FaceEmbedding.objects.filter(
            model=version,
            face__photo__in=photo_ids,
            face__person=None,
            face__assigned_by="",
            face__is_dismissed=False,
        )
        ids = set(seeds.values_list("face_id", flat=True))
        ids |= waiting_faces(library_id, photo_ids, version, settings)
        if not ids:
            return
        near, free = neighbourhood(ids | nearest_faces(library_id, ids, version, settings))
        changes = plan(Face.objects.filter(pk__in=near), version, settings, free)
        if apply_changes(library_id, changes):
            publish(library_id, "people")


def waiting_faces(
    library_id: int, photo_ids: Sequence[int], version: FaceModelVersion, settings: Settings
) -> set[int]:
    """Ids of faces near those that just got a vector of this model beside their old one.

    They came after the change of model and before the people of these photos could be compared with them.
    """
    other = FaceEmbedding.objects.filter(face=OuterRef("face")).exclude(model=version)
    renewed = dict(
        FaceEmbedding.objects.filter(
            Exists(other), model=version, face__photo__in=photo_ids, face__person__isnull=False
        ).values_list("face_id", "face__person_id")
    )
    if not renewed:
        return set()
    near = nearest_faces(library_id, renewed, version, settings)
    came_since = ~Exists(FaceEmbedding.objects.filter(face=OuterRef("pk")).exclude(model=version))
    found = Face.objects.filter(came_since, pk__in=near).free().exclude(person__in=renewed.values())
    return set(found.values_list("pk", flat=True))


def neighbourhood(near: set[int]) -> tuple[set[int], set[int]]:
    """All faces that matter for where these belong, and the unnamed people among them that may change.

    Of those all faces are there; of curated people and very large groups the best ones; and whoever else is
    on the photos of faces that may move.
    """
    people = people_on(Face.objects.filter(pk__in=near))
    members = best_faces(people, LARGEST_FREE_GROUP + 1)
    curated = set(Person.objects.filter(pk__in=people).curated().values_list("pk", flat=True))
    free = {pk for pk in people - curated if len(members[pk]) <= LARGEST_FREE_GROUP}
    near = near.union(*(faces if pk in free else faces[:SAMPLE_OF_FIXED] for pk, faces in members.items()))
    movable = Face.objects.filter(pk__in=near).exclude(person__in=people - free)
    beside = Face.objects.filter(photo__in=movable.values("photo_id"))
    return near.union(beside.values_list("pk", flat=True)), free


BEST_FACES = """
SELECT person.id, face.id FROM unnest(%s::bigint[]) person (id) CROSS JOIN LATERAL (
    SELECT id FROM faces_face WHERE person_id = person.id ORDER BY quality DESC, id LIMIT %s
) face
"""


def best_faces(people: Collection[int], count: int) -> dict[int, list[int]]:
    """Ids of the best faces of each person, best first."""
    found: dict[int, list[int]] = {pk: [] for pk in people}
    with connection.cursor() as cursor:
        cursor.execute(BEST_FACES, [list(people), count])
        for person, face in cursor.fetchall():
            found[person].append(face)
    return found


def regroup_library(
    job: Job, library_id: int, threshold: float | None, reset: bool = False
) -> dict[str, int]:
    """Group the faces of a library that have no person. The task of the job “cluster”.

    With `reset` those that only a machine put to somebody are grouped afresh as well. The library is locked
    only to write, so people go on naming while faces are compared; a plan that is outdated then is made anew.
    """
    choice = pack_choice()
    version = model_version(choice)
    faces = Face.objects.filter(photo__library_id=library_id)
    total = faces.count()
    report(job, done=0, total=total, message="Comparing faces")
    settings = Settings.for_threshold(choice.match_threshold if threshold is None else threshold)
    make_plan = plan_anew if reset else plan_unassigned
    print_before = fingerprint(library_id)
    changes = make_plan(faces, version, settings)
    with writing(library_id, actor=job.created_by, verb=Verb.RECLUSTER) as draft:
        if fingerprint(library_id) != print_before:
            changes = make_plan(faces, version, settings)
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


def plan(faces: QuerySet[Any], version: FaceModelVersion, settings: Settings, free: set[int]) -> list[Change]:
    """What has to move among these faces. Only those of nobody and of the people in `free` may."""
    loaded, current = load(faces, version, free)
    loaded = replace(loaded, together=firm_groups(loaded, current, settings))
    return plan_changes(cluster(loaded, settings), current, unnamed=free)


def firm_groups(loaded: Faces, current: Mapping[int, int | None], settings: Settings) -> Ints:
    """The person of each good face (n,) in an unnamed group with enough of them, else NOBODY."""
    person = np.array([current.get(int(face)) or NOBODY for face in loaded.ids], dtype=np.int64)
    person[loaded.quality < settings.good_quality] = NOBODY
    found, count = np.unique(person, return_counts=True)
    return np.where(np.isin(person, found[count >= FIRM_GROUP]), person, NOBODY)


def plan_anew(faces: QuerySet[Any], version: FaceModelVersion, settings: Settings) -> list[Change]:
    """What has to move when all that nobody curated is grouped afresh; what fits nowhere becomes nobody's."""
    people = people_on(faces)
    free = people - set(Person.objects.filter(pk__in=people).curated().values_list("pk", flat=True))
    groups, current = group(faces, version, settings, free)
    grouped = {face for group in groups for face in group.faces}
    loose = tuple(sorted(face for face, person in current.items() if person and face not in grouped))
    changes = plan_changes(groups, current, unnamed=free)
    return [*changes, Change(NOBODY, loose)] if loose else changes


def plan_unassigned(faces: QuerySet[Any], version: FaceModelVersion, settings: Settings) -> list[Change]:
    """Where faces without a person belong; all others stay, whoever put them there."""
    groups, current = group(faces, version, settings, set())
    return plan_changes(groups, current, unnamed=set())


def people_on(faces: QuerySet[Any]) -> set[int]:
    return set(faces.filter(person__isnull=False).order_by().values_list("person_id", flat=True).distinct())


def group(
    faces: QuerySet[Any], version: FaceModelVersion, settings: Settings, free: set[int]
) -> tuple[list[Group], dict[int, int | None]]:
    """The groups these faces form when only the people in `free` change, and the faces that may move."""
    loaded, current = load(faces, version, free)
    return cluster(loaded, settings, pairs=candidate_pairs(loaded, version, settings)), current


def load(
    faces: QuerySet[Any], version: FaceModelVersion, free: Collection[int] | None
) -> tuple[Faces, dict[int, int | None]]:
    """The arrays that `clustering` takes, and the person of each face that may move.

    Those are the faces of nobody and of the people in `free`, or of anybody for None, but not what was
    assigned by hand; what somebody put to nobody, or dismissed, does not take part.
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
    current = {
        row[0]: row[3]
        for row in rows
        if row[4] != Face.AssignedBy.PERSON and (free is None or row[3] is None or row[3] in free)
    }
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
