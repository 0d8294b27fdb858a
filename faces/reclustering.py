"""Group a whole library anew in the shadow: a plan that people look at first, and apply as it is or not.

Only what people did by hand is fixed here, and one face of each curated person: the one most like all its
faces, so that a name stays where most of its faces are and two named people never become one. All other faces
are grouped afresh. An unnamed group keeps the person that most of its faces have.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from faces import constraints, facts
from faces.clustering import NOBODY, Faces, Group, Settings, cluster
from faces.errors import PeopleError
from faces.fingerprints import fingerprint
from faces.grouping import drop_empty_groups, load
from faces.journal import Verb, writing
from faces.models import Face, FaceModelVersion, JournalEntry, Person
from faces.neighbours import candidate_pairs
from faces.services import model_version, pack_choice
from jobs.models import Job
from jobs.services import report, start_job

KIND = "recluster"


@dataclass(frozen=True)
class Move:
    """These faces leave `source` for `target`, or for the new group number `new`; None is nobody."""

    faces: tuple[int, ...]
    source: int | None
    target: int | None
    new: int | None = None


def start_planning(*, library_id: int, threshold: float | None, user: Any) -> Job:
    """Make a plan in the background; the result of the job is what `plan_recluster` answers."""
    return start_job(
        kind=KIND,
        function="faces.reclustering.plan_in_background",
        arguments={"library_id": library_id, "threshold": threshold},
        library_id=library_id,
        user=user,
        cluster="ml",
    )


def plan_in_background(job: Job, library_id: int, threshold: float | None) -> dict[str, Any]:
    """The task of the job: a plan, nothing changed."""
    choice = pack_choice()
    total = Face.objects.filter(photo__library_id=library_id, is_dismissed=False).count()
    report(job, done=0, total=total, message="Comparing faces")
    plan = plan_recluster(
        library_id, model_version(choice), choice.match_threshold if threshold is None else threshold
    )
    report(job, done=total, total=total, message=plan["summary"]["text"])
    return plan


def plan_recluster(library_id: int, version: FaceModelVersion, threshold: float) -> dict[str, Any]:
    """What would move, as JSON; nothing is changed.

    fingerprint  of the library the plan was made for
    moves        [{faces, from, to, new}]: from and to are people or null for nobody, new numbers new groups
    summary      text, moved, new_groups, unassigned; splits, joins and emptied: [{person, name, …}]
    """
    print_before = fingerprint(library_id)
    faces = Face.objects.filter(photo__library_id=library_id)
    curated = set(Person.objects.filter(library=library_id).curated().values_list("pk", flat=True))
    settings = Settings.for_threshold(threshold)
    loaded, current = load(faces, version, free=None)
    loaded = with_anchors(loaded, current, curated, settings.good_quality)
    told = constraints.apart(library_id, loaded.ids.tolist())
    pairs = candidate_pairs(loaded, version, settings)
    groups = cluster(replace(loaded, apart=told), settings, pairs=pairs)
    moves = plan_moves(groups, current, curated)
    return {
        "fingerprint": print_before,
        "threshold": threshold,
        "model": version.version,
        "moves": [{"faces": m.faces, "from": m.source, "to": m.target, "new": m.new} for m in moves],
        "summary": summarise(library_id, moves),
    }


def with_anchors(
    loaded: Faces, current: Mapping[int, int | None], curated: set[int], good_quality: float
) -> Faces:
    """The same faces, with the most typical good one of each curated person confirmed."""
    place = {int(face): row for row, face in enumerate(loaded.ids)}
    rows_of: dict[int, list[int]] = {}
    for row in np.flatnonzero(loaded.confirmed != NOBODY):
        rows_of.setdefault(int(loaded.confirmed[row]), []).append(int(row))
    for face, person in current.items():
        if person is not None:
            rows_of.setdefault(person, []).append(place[face])
    confirmed = loaded.confirmed.copy()
    for person in sorted(curated & rows_of.keys()):
        rows = np.array(rows_of[person])
        good = rows[loaded.quality[rows] >= good_quality]
        likeness = loaded.vectors[good if len(good) else rows] @ loaded.vectors[rows].mean(axis=0)
        confirmed[(good if len(good) else rows)[int(likeness.argmax())]] = person
    return replace(loaded, confirmed=confirmed)


def plan_moves(groups: Sequence[Group], current: Mapping[int, int | None], curated: set[int]) -> list[Move]:
    """The moves that make people of the groups. `current` has the person of each face that may move."""
    targets = choose_people(groups, current, curated)
    moves: dict[tuple[int | None, int | None, int | None], list[int]] = {}
    unplaced = dict(current)
    fresh = 0
    for group, target in zip(groups, targets, strict=True):
        new = None
        if target is None:
            new, fresh = fresh, fresh + 1
        for face in group.faces:
            source = unplaced.pop(face, target)
            if source != target or (new is not None and face in current):
                moves.setdefault((source, target, new), []).append(face)
    for face, source in unplaced.items():
        if source is not None:
            moves.setdefault((source, None, None), []).append(face)
    return [Move(tuple(sorted(faces)), *key) for key, faces in moves.items()]


def choose_people(
    groups: Sequence[Group], current: Mapping[int, int | None], curated: set[int]
) -> list[int | None]:
    """The person of each group, None for a new one: who was given by hand, else the largest overlap."""
    targets = [group.person for group in groups]
    taken = {person for person in targets if person is not None}
    votes = [
        (person not in curated, -count, place, person)
        for place, group in enumerate(groups)
        if group.person is None
        for person, count in Counter(current.get(face) for face in group.faces).items()
        if person is not None
    ]
    for _, _, place, person in sorted(votes):
        if targets[place] is None and person not in taken:
            targets[place] = person
            taken.add(person)
    return targets


def summarise(library_id: int, moves: Sequence[Move]) -> dict[str, Any]:
    """The plan in numbers and one line."""
    leaving: Counter[int] = Counter()
    joining: Counter[int] = Counter()
    for move in moves:
        if move.source is not None:
            leaving[move.source] += len(move.faces)
        if move.target is not None:
            joining[move.target] += len(move.faces)
    people = Person.objects.filter(library=library_id).in_bulk([*leaving, *joining])
    sizes = sizes_of(leaving)
    emptied = [pk for pk, count in leaving.items() if sizes[pk] == count and pk not in joining]
    splits = [pk for pk in leaving if pk not in emptied]
    new_groups = len({move.new for move in moves if move.new is not None})
    unassigned = sum(len(move.faces) for move in moves if move.target is None and move.new is None)
    return {
        "text": describe_plan(people, joining, len(splits), new_groups, unassigned),
        "moved": sum(len(move.faces) for move in moves),
        "new_groups": new_groups,
        "unassigned": unassigned,
        "splits": [
            {**named(people[pk]), "leaving": leaving[pk], "staying": sizes[pk] - leaving[pk]} for pk in splits
        ],
        "joins": [{**named(people[pk]), "joining": count} for pk, count in joining.most_common()],
        "emptied": [named(people[pk]) for pk in emptied],
    }


def sizes_of(people: Iterable[int]) -> Counter[int]:
    rows = Face.objects.filter(person__in=list(people)).values_list("person_id", flat=True)
    return Counter(pk for pk in rows.iterator() if pk is not None)


def named(person: Person) -> dict[str, Any]:
    return {"person": person.pk, "name": person.display_name}


def describe_plan(
    people: Mapping[int, Person], joining: Counter[int], splits: int, new_groups: int, unassigned: int
) -> str:
    """As in “3 people would split, 41 faces would join Asha”."""
    parts = []
    if splits:
        parts.append("1 person would split" if splits == 1 else f"{splits} people would split")
    for pk, count in joining.most_common(3):
        parts.append(f"{count} {'face' if count == 1 else 'faces'} would join {people[pk].display_name}")
    if new_groups:
        parts.append(f"{new_groups} new {'group' if new_groups == 1 else 'groups'}")
    if unassigned:
        parts.append(f"{unassigned} {'face' if unassigned == 1 else 'faces'} would be nobody's")
    return ", ".join(parts) or "Nothing would change"


# --- apply --------------------------------------------------------------------------------------------------


def apply_recluster(job: Job, *, actor: Any) -> JournalEntry | None:
    """Do exactly what the plan of a finished job says, as one journal entry; None when it moves nothing.

    Raises PeopleError when there is no plan, or the library has changed since (then make a new plan).
    """
    plan = job.result
    if job.kind != KIND or job.library_id is None or not isinstance(plan, dict):
        raise PeopleError("no_plan", "This job has no plan to apply; start one and wait for its end.")
    with writing(job.library_id, actor=actor, verb=Verb.RECLUSTER) as draft:
        if fingerprint(job.library_id) != plan["fingerprint"]:
            raise PeopleError(
                "plan_outdated", "People or faces have changed since the plan was made. Plan again."
            )
        people = list(Person.objects.filter(library=job.library_id).values_list("pk", flat=True))
        draft.watch(people=people, faces=[pk for move in plan["moves"] for pk in move["faces"]])
        fresh: dict[int, int] = {}
        for move in plan["moves"]:
            target = move["to"]
            if move["new"] is not None:
                if move["new"] not in fresh:
                    made = draft.made(Person.objects.create(library_id=job.library_id))
                    fresh[move["new"]] = made.pk
                target = fresh[move["new"]]
            put(move["faces"], target)
        drop_empty_groups(people)
        draft.summary = f"Grouped anew: {plan['summary']['text']}"
    return draft.entry


def discard_plan(job: Job) -> None:
    """Forget a plan. The job stays in the list of jobs."""
    Job.objects.filter(pk=job.pk, kind=KIND).update(result=None, message="Discarded")


def put(face_ids: Sequence[int], person_id: int | None) -> None:
    """What a machine decides; what people assigned meanwhile is not in the plan, or the plan is outdated."""
    by = Face.AssignedBy.NOBODY if person_id is None else Face.AssignedBy.MACHINE
    for ids in facts.batches(face_ids):
        Face.objects.filter(pk__in=ids).exclude(assigned_by=Face.AssignedBy.PERSON).update(
            person_id=person_id, assigned_by=by
        )
