"""People: naming, merging, assigning. Each is one transaction under the library's lock."""

from typing import Any

from django.db import connection, transaction

from faces.models import Face, Person
from jobs.events import publish
from photos.models import Library

PEOPLE_LOCK = 7_240_002
MAX_NAME_CHARACTERS = 100
JOINERS = "\u200c\u200d"  # invisible, yet part of names in several scripts and of emoji


class PeopleError(ValueError):
    """Something that cannot be done to people; `code` is for programs, the message says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def lock_people(library_id: int) -> None:
    """Until the transaction ends nobody else changes people of this library, so two merges never cross."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [PEOPLE_LOCK % 2**31, library_id % 2**31])


def clean_person_name(name: str) -> str:
    """The name without blanks around it and without control characters. Raises PeopleError."""
    cleaned = " ".join("".join(c if c.isprintable() or c in JOINERS else " " for c in name).split())
    if not cleaned:
        raise PeopleError("missing_name", "Give the person a name.")
    if len(cleaned) > MAX_NAME_CHARACTERS:
        raise PeopleError(
            "name_too_long", f"The name has {len(cleaned)} characters; {MAX_NAME_CHARACTERS} fit."
        )
    return cleaned


def create_person(*, library: Library, name: str) -> Person:
    """A person without faces yet. Raises PeopleError for an empty or taken name."""
    name = clean_person_name(name)
    with transaction.atomic():
        lock_people(library.pk)
        refuse_taken_name(library.pk, name)
        return Person.objects.create(library=library, name=name)


def rename_person(*, person: Person, name: str) -> Person:
    """Give a person a name. Raises PeopleError when it is empty or somebody else's (merge the two then)."""
    name = clean_person_name(name)
    with transaction.atomic():
        lock_people(person.library_id)
        refuse_taken_name(person.library_id, name, but=person.pk)
        Person.objects.filter(pk=person.pk).update(name=name)
        publish(person.library_id, "people")
    person.name = name
    return person


def refuse_taken_name(library_id: int, name: str, but: int | None = None) -> None:
    others = Person.objects.filter(library_id=library_id, name=name)
    if others.exists() if but is None else others.exclude(pk=but).exists():
        raise PeopleError(
            "person_exists", f"There is a person called {name} already. Merge the two if they are one."
        )


def merge_people(*, keep: Person, drop: Person) -> None:
    """Move all faces of `drop` to `keep`, then delete `drop`. The kept one takes the name if it has none.

    Raises PeopleError for a merge with itself, across libraries, or with somebody gone meanwhile.
    """
    if keep.pk == drop.pk:
        raise PeopleError("cannot_merge_same_person", "A person cannot be merged with itself.")
    if keep.library_id != drop.library_id:
        raise PeopleError("person_not_found", "The two people are not in one library.")
    with transaction.atomic():
        lock_people(keep.library_id)
        alive = Person.objects.in_bulk([keep.pk, drop.pk])
        if len(alive) < 2:
            raise PeopleError("person_not_found", "One of the two is gone: somebody merged them meanwhile.")
        name = alive[keep.pk].name or alive[drop.pk].name
        Face.objects.filter(person_id=drop.pk).update(person_id=keep.pk, assigned_by=Face.AssignedBy.PERSON)
        Person.objects.filter(pk=drop.pk).delete()
        Person.objects.filter(pk=keep.pk).update(name=name)
        publish(keep.library_id, "people")
    keep.name = name


def assign_face(*, face: Face, person: Person | None) -> None:
    """Put a face to a person by hand, or to nobody; a machine does not change it again.

    Raises PeopleError when the person belongs to another library.
    """
    library_id = face.photo.library_id
    if person is not None and person.library_id != library_id:
        raise PeopleError("person_not_found", "The person is not in the library of this photo.")
    with transaction.atomic():
        lock_people(library_id)
        if person is not None and not Person.objects.filter(pk=person.pk).exists():
            raise PeopleError("person_not_found", "The person is gone: somebody merged it meanwhile.")
        Face.objects.filter(pk=face.pk).update(person=person, assigned_by=Face.AssignedBy.PERSON)
        publish(library_id, "people")


def hide_person(*, person: Person, is_hidden: bool) -> None:
    """Keep a person out of the list of people, or bring it back. The faces stay as they are."""
    Person.objects.filter(pk=person.pk).update(is_hidden=is_hidden)
    person.is_hidden = is_hidden
    publish(person.library_id, "people")


def name_face(*, face: Face, name: str) -> Person:
    """Say who a face is. Raises PeopleError for an empty name.

    Somebody of that name gets the face; else its unnamed group gets the name; else the face becomes a person.
    """
    name = clean_person_name(name)
    with transaction.atomic():
        library = face.photo.library
        lock_people(library.pk)
        known = Person.objects.filter(library=library, name=name).first()
        if known is None and face.person is not None and not face.person.name:
            return rename_person(person=face.person, name=name)
        person: Person = known or create_person(library=library, name=name)
        assign_face(face=face, person=person)
    return person


def people_named_like(user: Any, text: str) -> Any:
    """Visible people whose name holds `text`, in any case."""
    return Person.objects.visible_to(user).filter(name__icontains=text)
