"""The journal of people and faces: all that is done is written down and can be undone, weeks later too.

    with writing(library_id, actor=user, verb=Verb.MERGE) as draft:
        draft.watch(people=[1, 2], faces=faces_of_2)
        ... change rows ...
        draft.summary = "Merged Bela into Asha"

The facts are read before and after, and their difference is the entry: what the code did not mean to
change is seen as well. One transaction under the library's lock: a crash leaves neither rows nor entry.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from faces import facts
from faces.facts import Facts, Row
from faces.models import JournalEntry, Person
from jobs.events import publish

Verb = JournalEntry.Verb

PEOPLE_LOCK = 7_240_002

_written: ContextVar[list[JournalEntry] | None] = ContextVar("written", default=None)


@contextmanager
def written_entries() -> Iterator[list[JournalEntry]]:
    """The entries that are written inside, for an offer to undo them. Empty when nothing changed."""
    entries: list[JournalEntry] = []
    token = _written.set(entries)
    try:
        yield entries
    finally:
        _written.reset(token)


def lock_people(library_id: int) -> None:
    """Until the transaction ends nobody else changes people of this library, so two merges never cross."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [PEOPLE_LOCK % 2**31, library_id % 2**31])


@dataclass
class Draft:
    """An entry while its change is made."""

    library_id: int
    verb: str
    summary: str = ""
    before: Facts = field(default_factory=Facts)
    people: set[int] = field(default_factory=set)
    faces: set[int] = field(default_factory=set)
    entry: JournalEntry | None = None  # once written; None when nothing changed

    def watch(self, *, people: Collection[int] = (), faces: Collection[int] = ()) -> None:
        """Remember how these are now, before they are changed. What is watched already stays as it was."""
        new_people, new_faces = set(people) - self.people, set(faces) - self.faces
        self.before.update(facts.read(people=new_people, faces=new_faces))
        self.people |= new_people
        self.faces |= new_faces

    def made(self, person: Person) -> Person:
        """This person did not exist before."""
        self.people.add(person.pk)
        return person


@contextmanager
def writing(
    library_id: int, *, actor: Any, verb: str, undo_of: JournalEntry | None = None
) -> Iterator[Draft]:
    """One transaction under the library's lock that ends with an entry, unless nothing changed."""
    with transaction.atomic():
        lock_people(library_id)
        draft = Draft(library_id, verb)
        yield draft
        payload = facts.difference(draft.before, facts.read(people=draft.people, faces=draft.faces))
        if payload:
            draft.entry = record(draft, payload, actor=actor, undo_of=undo_of)
            publish(library_id, "people")


def record(draft: Draft, payload: Row, *, actor: Any, undo_of: JournalEntry | None) -> JournalEntry:
    people, faces = facts.mentioned(payload)
    entry: JournalEntry = JournalEntry.objects.create(
        library_id=draft.library_id,
        actor=actor,
        verb=draft.verb,
        summary=draft.summary[:300],
        payload=payload,
        person_ids=sorted(people),
        face_ids=sorted(faces),
        undo_of=undo_of,
    )
    if (written := _written.get()) is not None:
        written.append(entry)
    return entry
