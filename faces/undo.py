"""Undo of journal entries: possible as long as what an entry did still stands, and an entry of its own."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any

from django.db.models import Count, Q

from faces import facts
from faces.errors import PeopleError
from faces.facts import Facts, Row
from faces.journal import Verb, writing
from faces.models import Face, JournalEntry, Person
from faces.services import describe_again, forget_description

MOST_OBSTACLES = 10
MOST_FACES = 2000  # of an entry that a list looks at


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


def standing(entries: Sequence[JournalEntry]) -> set[int]:
    """Ids of those entries of one page that can be undone, in a fixed number of queries.

    The largest ones (see MOST_FACES) are taken to stand without a look: `undo` looks again anyway.
    """
    small = [entry for entry in entries if len(entry.face_ids) <= MOST_FACES]
    mentions = [facts.mentioned(entry.payload) for entry in small]
    now = facts.read(
        people=set().union(*(people for people, _ in mentions)),
        faces=set().union(*(faces for _, faces in mentions)),
    )
    sizes, named = _sizes_of_made_people(small), _people_with_names_of(small)
    blocked = {
        entry.pk
        for entry in small
        if _people_differ(entry, now)
        or _faces_differ(entry, now)
        or _is_name_taken(entry, named)
        or _have_new_faces(entry, now, sizes)
    }
    return {entry.pk for entry in entries} - blocked


def _people_differ(entry: JournalEntry, now: Facts) -> bool:
    return any(True for _ in _changed_people(entry, now))


def _faces_differ(entry: JournalEntry, now: Facts) -> bool:
    return any(True for _ in _changed_faces(entry, now))


def _sizes_of_made_people(entries: Sequence[JournalEntry]) -> dict[int, int]:
    made = {change["id"] for entry in entries for change in _made_people(entry)}
    rows = Face.objects.filter(person__in=made).values_list("person_id").annotate(n=Count("pk")).order_by()
    return {person: count for person, count in rows if person is not None}


def _people_with_names_of(entries: Sequence[JournalEntry]) -> list[Person]:
    """Who has one of the names that the undo of these entries would give."""
    wanted = Q(pk__in=[])
    for entry in entries:
        if names := _wanted_names(entry):
            wanted |= Q(library_id=entry.library_id, name__in=names.values())
    return list(Person.objects.filter(wanted).only("library_id", "name"))


def _is_name_taken(entry: JournalEntry, named: Sequence[Person]) -> bool:
    names, own = _wanted_names(entry), _given_back(entry)
    return any(
        person.name in names.values()
        and person.name != names.get(person.pk)
        and person.library_id == entry.library_id
        and person.pk not in own
        for person in named
    )


def _have_new_faces(entry: JournalEntry, now: Facts, sizes: dict[int, int]) -> bool:
    own = {pk for change in entry.payload.get("faces", ()) for pk in change["ids"]}
    at_home = Counter(now.faces[pk]["person_id"] for pk in own if pk in now.faces)
    return any(sizes.get(change["id"], 0) > at_home[change["id"]] for change in _made_people(entry))


def _made_people(entry: JournalEntry) -> list[Row]:
    return [change for change in entry.payload.get("people", ()) if change["before"] is None]


def _wanted_names(entry: JournalEntry) -> dict[int, str]:
    """The names that the undo gives, by person."""
    changes = entry.payload.get("people", ())
    return {
        change["id"]: change["before"]["name"] for change in changes if (change["before"] or {}).get("name")
    }


def _given_back(entry: JournalEntry) -> set[int]:
    """People who give up the name they have now when the entry is undone."""
    return {change["id"] for change in entry.payload.get("people", ()) if "name" in (change["after"] or ())}


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
    for change in _changed_people(entry, now):
        yield _who_changed(entry, "person", change["id"], change["after"] or change["before"])


def _changed_people(entry: JournalEntry, now: Facts) -> Iterator[Row]:
    for change in entry.payload.get("people", ()):
        is_now, after = now.people.get(change["id"]), change["after"]
        if (is_now is None) != (after is None) or (is_now and after and _differs(is_now, after)):
            yield change


def _obstacles_of_faces(entry: JournalEntry, now: Facts) -> Iterator[str]:
    for kind, pk in _changed_faces(entry, now):
        yield _who_changed(entry, kind, pk)


def _changed_faces(entry: JournalEntry, now: Facts) -> Iterator[tuple[str, int]]:
    """Faces that are not as they were left, and people to whom faces cannot go back."""
    made_again = {change["id"] for change in entry.payload.get("people", ()) if change["after"] is None}
    for change in entry.payload.get("faces", ()):
        for pk in change["ids"]:
            is_now = now.faces.get(pk)
            if is_now is not None and _differs(is_now, change["after"]):
                yield "face", pk
        target = change["before"].get("person_id")
        if target is not None and target not in now.people and target not in made_again:
            yield "person", target


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
    names = _wanted_names(entry)
    others = Person.objects.filter(library_id=entry.library_id, name__in=names.values())
    for person in others.exclude(pk__in=_given_back(entry)):
        if person.name != names.get(person.pk):
            yield f"Somebody else is called {person.name} now. Merge the two, or give one another name."


def _new_faces_of_made_people(entry: JournalEntry) -> Iterator[str]:
    """A person that the undo removes must not have got faces since."""
    own = {pk for change in entry.payload.get("faces", ()) for pk in change["ids"]}
    for change in _made_people(entry):
        count = Face.objects.filter(person=change["id"]).exclude(pk__in=own).count()
        if count:
            name = (change["after"] or {}).get("name") or f"Person {change['id']}"
            yield f"{name} has got {count} more {'face' if count == 1 else 'faces'} since."
