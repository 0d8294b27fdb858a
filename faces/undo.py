"""Undo of journal entries: possible as long as what an entry did still stands, and an entry of its own."""

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from faces import facts
from faces.errors import PeopleError
from faces.facts import Facts, Row
from faces.journal import Verb, writing
from faces.models import Face, JournalEntry, Person
from faces.services import describe_again, forget_description

MOST_OBSTACLES = 10


class UndoBlocked(PeopleError):
    """The effect does not stand any more; `obstacles` says why, one sentence each."""

    def __init__(self, obstacles: list[str]) -> None:
        super().__init__("undo_blocked", " ".join(obstacles))
        self.obstacles = obstacles


def undo(entry: JournalEntry, *, actor: Any) -> JournalEntry:
    """Bring back the facts before `entry`, as an entry of its own. Raises UndoBlocked."""
    with writing(entry.library_id, actor=actor, verb=Verb.UNDO, undo_of=entry) as draft:
        people, faces = facts.mentioned(entry.payload)
        draft.watch(people=people, faces=faces)
        if obstacles := find_obstacles(entry, draft.before):
            raise UndoBlocked(obstacles)
        facts.restore(entry.library_id, entry.payload)
        forget_description(faces_with(entry, "x1"))
        describe_again_faces(faces_with(entry, "is_dismissed"))
        draft.summary = f"Undid: {entry.summary}"
    if draft.entry is None:
        raise UndoBlocked(["There is nothing left to undo: the faces went with their photos."])
    return draft.entry


def faces_with(entry: JournalEntry, column: str) -> list[int]:
    """Faces of which the entry changed this column."""
    changes = entry.payload.get("faces", ())
    return [pk for change in changes if column in change["after"] for pk in change["ids"]]


def describe_again_faces(face_ids: list[int]) -> None:
    """What was dismissed while the model changed has no vector of the new one yet."""
    describe_again(list(Face.objects.filter(pk__in=face_ids).values_list("photo_id", flat=True)))


def can_undo(entry: JournalEntry) -> bool:
    """Whether the effect still stands. Several queries: for one entry, not for a list."""
    people, faces = facts.mentioned(entry.payload)
    return not find_obstacles(entry, facts.read(people=people, faces=faces))


def find_obstacles(entry: JournalEntry, now: Facts) -> list[str]:
    """What stands in the way of an undo, as at most ten sentences that say who did what later."""
    obstacles = chain(
        _obstacles_of_people(entry, now),
        _obstacles_of_faces(entry, now),
        _taken_names(entry),
        _new_faces_of_made_people(entry),
    )
    return list(dict.fromkeys(islice(obstacles, MOST_OBSTACLES)))


def _obstacles_of_people(entry: JournalEntry, now: Facts) -> Iterator[str]:
    for change in entry.payload.get("people", ()):
        is_now, after = now.people.get(change["id"]), change["after"]
        if (is_now is None) != (after is None) or (is_now and after and _differs(is_now, after)):
            yield _who_changed(entry, "person", change["id"], after or change["before"])


def _obstacles_of_faces(entry: JournalEntry, now: Facts) -> Iterator[str]:
    made_again = {change["id"] for change in entry.payload.get("people", ()) if change["after"] is None}
    for change in entry.payload.get("faces", ()):
        for pk in change["ids"]:
            is_now = now.faces.get(pk)
            if is_now is not None and _differs(is_now, change["after"]):
                yield _who_changed(entry, "face", pk)
        target = change["before"].get("person_id")
        if target is not None and target not in now.people and target not in made_again:
            yield _who_changed(entry, "person", target)


def _differs(is_now: Row, then: Row) -> bool:
    """Columns that are not as they were left. A cover that went with its photo is no difference."""
    return any(
        is_now[name] != value
        for name, value in then.items()
        if not (name == "cover_id" and is_now[name] is None)
    )


def _who_changed(entry: JournalEntry, kind: str, pk: int, row: Row | None = None) -> str:
    later = JournalEntry.objects.filter(library_id=entry.library_id, pk__gt=entry.pk)
    later = later.about_person(pk) if kind == "person" else later.about_face(pk)
    newest = later.newest_first().first()
    name = (row or {}).get("name") or f"{kind.capitalize()} {pk}"
    if newest is None:
        return f"{name} is not as it was left: a machine run changed it since."
    who = newest.actor or "the machine"
    return f"{name} was changed later: {newest.summary} ({who}, {newest.at:%Y-%m-%d %H:%M} UTC)."


def _taken_names(entry: JournalEntry) -> Iterator[str]:
    changes = entry.payload.get("people", ())
    wanted = {change["before"]["name"] for change in changes if (change["before"] or {}).get("name")}
    given_back = [change["id"] for change in changes if "name" in (change["after"] or ())]
    others = Person.objects.filter(library_id=entry.library_id, name__in=wanted)
    for person in others.exclude(pk__in=given_back):
        yield f"Somebody else is called {person.name} now. Merge the two, or give one another name."


def _new_faces_of_made_people(entry: JournalEntry) -> Iterator[str]:
    """A person that the undo removes must not have got faces since."""
    own = {pk for change in entry.payload.get("faces", ()) for pk in change["ids"]}
    for change in entry.payload.get("people", ()):
        if change["before"] is None:
            count = Face.objects.filter(person=change["id"]).exclude(pk__in=own).count()
            if count:
                name = (change["after"] or {}).get("name") or f"Person {change['id']}"
                yield f"{name} has got {count} more {'face' if count == 1 else 'faces'} since."
