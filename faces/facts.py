"""Facts of people, faces and answers as plain values: read, compared and written back.

A person's facts are all its columns, so that one that is gone can be made again with its id. Faces are never
removed by people (only dismissed), so what can change about one is enough.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from faces.models import Face, FaceRejection, Person, PersonDistinction

Row = dict[str, Any]
Pair = tuple[int, int]

PERSON_FIELDS = ("name", "aliases", "birth_date", "is_favorite", "is_hidden", "cover_id", "created_at")
FACE_FIELDS = ("person_id", "assigned_by", "is_dismissed", "x1", "y1", "x2", "y2")
BATCH = 10_000  # ids in one query


@dataclass
class Facts:
    """Rows by id. `rejections` (face, person) and `distinctions` (two people) tell if an answer was sure."""

    people: dict[int, Row] = field(default_factory=dict)
    faces: dict[int, Row] = field(default_factory=dict)
    rejections: dict[Pair, bool] = field(default_factory=dict)
    distinctions: dict[Pair, bool] = field(default_factory=dict)

    def update(self, other: "Facts") -> None:
        """Take over what `other` knows and this does not."""
        self.people = other.people | self.people
        self.faces = other.faces | self.faces
        self.rejections = other.rejections | self.rejections
        self.distinctions = other.distinctions | self.distinctions


def read(*, people: Collection[int], faces: Collection[int]) -> Facts:
    """The facts of these people and faces as they are now, with every answer about one of them."""
    facts = Facts()
    for ids in batches(people):
        for row in Person.objects.filter(pk__in=ids).values("pk", *PERSON_FIELDS):
            pk = row.pop("pk")
            facts.people[pk] = plain(row)
        facts.rejections.update(rejections(person__in=ids))
        facts.distinctions.update(distinctions(first__in=ids))
        facts.distinctions.update(distinctions(second__in=ids))
    for ids in batches(faces):
        for row in Face.objects.filter(pk__in=ids).values("pk", *FACE_FIELDS):
            facts.faces[row.pop("pk")] = row
        facts.rejections.update(rejections(face__in=ids))
    return facts


def batches(ids: Collection[int]) -> Iterable[list[int]]:
    ordered = sorted(ids)
    return (ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH))


def plain(row: Row) -> Row:
    """With dates as ISO 8601 text, as JSON holds them."""
    return {
        name: value.isoformat() if isinstance(value, date | datetime) else value
        for name, value in row.items()
    }


def rejections(**where: Any) -> dict[Pair, bool]:
    rows = FaceRejection.objects.filter(**where).values_list("face_id", "person_id", "is_sure")
    return {(face, person): sure for face, person, sure in rows}


def distinctions(**where: Any) -> dict[Pair, bool]:
    rows = PersonDistinction.objects.filter(**where).values_list("first_id", "second_id", "is_sure")
    return {(first, second): sure for first, second, sure in rows}


# --- comparing ----------------------------------------------------------------------------------------------


def difference(before: Facts, after: Facts) -> dict[str, Any]:
    """What changed, as JSON; {} when nothing did.

    people        [{id, before, after}]: the columns that changed; all beside null for one made or gone
    faces         [{ids, before, after}]: faces that changed alike
    rejections    [{face, person, before, after}]: was the answer sure, null for no answer
    distinctions  [{people: [a, b], before, after}]: the same
    """
    found = {
        "people": changed_people(before.people, after.people),
        "faces": changed_faces(before.faces, after.faces),
        "rejections": [
            {"face": face, "person": person, "before": old, "after": new}
            for (face, person), old, new in changed(before.rejections, after.rejections)
        ],
        "distinctions": [
            {"people": list(pair), "before": old, "after": new}
            for pair, old, new in changed(before.distinctions, after.distinctions)
        ],
    }
    return {kind: changes for kind, changes in found.items() if changes}


def changed(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> list[tuple[Any, Any, Any]]:
    keys = sorted(before.keys() | after.keys())
    return [(key, before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)]


def changed_people(before: Mapping[int, Row], after: Mapping[int, Row]) -> list[Row]:
    changes = []
    for pk, old, new in changed(before, after):
        if old is not None and new is not None:
            old, new = only_changed(old, new)
        changes.append({"id": pk, "before": old, "after": new})
    return changes


def changed_faces(before: Mapping[int, Row], after: Mapping[int, Row]) -> list[Row]:
    alike: dict[tuple[Any, ...], Row] = {}
    for pk, old, new in changed(before, after):
        if old is None or new is None:
            continue  # purged with its photo meanwhile
        old, new = only_changed(old, new)
        key = (*old.items(), *new.items())
        alike.setdefault(key, {"ids": [], "before": old, "after": new})["ids"].append(pk)
    return list(alike.values())


def only_changed(old: Row, new: Row) -> tuple[Row, Row]:
    names = [name for name in old if old[name] != new[name]]
    return {name: old[name] for name in names}, {name: new[name] for name in names}


def mentioned(payload: Mapping[str, Any]) -> tuple[set[int], set[int]]:
    """Ids of all people and of all faces that a payload is about."""
    people = {change["id"] for change in payload.get("people", ())}
    faces = {pk for change in payload.get("faces", ()) for pk in change["ids"]}
    for change in payload.get("faces", ()):
        people |= {row.get("person_id") for row in (change["before"], change["after"])} - {None}
    for change in payload.get("rejections", ()):
        people.add(change["person"])
        faces.add(change["face"])
    for change in payload.get("distinctions", ()):
        people |= set(change["people"])
    return people, faces


# --- writing back -------------------------------------------------------------------------------------------


def restore(library_id: int, payload: Mapping[str, Any]) -> None:
    """Write the facts before. Names are set last, so that one may pass from one person to another."""
    people = payload.get("people", ())
    gone = [change["id"] for change in people if change["before"] is None]
    for change in people:
        if change["after"] is None:
            Person.objects.create(pk=change["id"], library_id=library_id)
        elif "name" in change["after"]:
            Person.objects.filter(pk=change["id"]).update(name="")
    for change in payload.get("faces", ()):
        for ids in batches(change["ids"]):
            Face.objects.filter(pk__in=ids).update(**change["before"])
    for change in people:
        if change["before"]:
            Person.objects.filter(pk=change["id"]).update(**with_living_cover(change["before"]))
    restore_answers(payload)
    Person.objects.filter(pk__in=gone).delete()


def with_living_cover(row: Row) -> Row:
    cover = row.get("cover_id")
    if cover is None or Face.objects.filter(pk=cover).exists():
        return row
    return {**row, "cover_id": None}


def restore_answers(payload: Mapping[str, Any]) -> None:
    """Answers about somebody who is gone are left out: nobody will ask again."""
    for change in payload.get("rejections", ()):
        if Face.objects.filter(pk=change["face"]).exists():
            set_answer(FaceRejection, change, face_id=change["face"], person_id=change["person"])
    for change in payload.get("distinctions", ()):
        first, second = change["people"]
        set_answer(PersonDistinction, change, first_id=first, second_id=second)


def set_answer(model: Any, change: Row, **key: int) -> None:
    people = [pk for name, pk in key.items() if name != "face_id"]
    if change["before"] is None or Person.objects.filter(pk__in=people).count() < len(people):
        model.objects.filter(**key).delete()
    else:
        model.objects.update_or_create(**key, defaults={"is_sure": change["before"]})
