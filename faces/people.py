"""People: naming, merging, splitting, deleting. One journalled transaction each, under the library's lock."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from unicodedata import normalize

from django.db.models import CharField, Q, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from faces.errors import PeopleError
from faces.journal import Draft, Verb, lock_people, writing
from faces.models import Face, FaceRejection, Person, PersonDistinction
from photos.models import Library

__all__ = ["PeopleError", "lock_people"]

MAX_NAME_CHARACTERS = 100
MAX_ALIASES = 20
EARLIEST_BIRTH = date(1750, 1, 1)
JOINERS = {
    "\u200c",
    "\u200d",
    *map(chr, range(0xE0020, 0xE0080)),
}  # invisible, yet part of names and of emoji


# --- names --------------------------------------------------------------------------------------------------


def clean_person_name(name: str) -> str:
    """The name as it is kept. Raises PeopleError for an empty or too long one."""
    cleaned = spelt(name)
    if not cleaned:
        raise PeopleError("missing_name", "Give the person a name.")
    if len(cleaned) > MAX_NAME_CHARACTERS:
        raise PeopleError(
            "name_too_long", f"The name has {len(cleaned)} characters; {MAX_NAME_CHARACTERS} fit."
        )
    return cleaned


def spelt(name: str) -> str:
    """In one spelling, without blanks around it and without control characters.

    Some systems write “é” as two characters: the same name for the eye, so the same person.
    """
    composed = normalize("NFC", name)
    return " ".join("".join(c if c.isprintable() or c in JOINERS else " " for c in composed).split())


def create_person(*, library: Library, name: str, actor: Any) -> Person:
    """A person without faces yet. Raises PeopleError for an empty or taken name."""
    name = clean_person_name(name)
    with writing(library.pk, actor=actor, verb=Verb.CREATE) as draft:
        refuse_taken_name(library.pk, name)
        person = draft.made(Person.objects.create(library=library, name=name))
        draft.summary = f"Created {name}"
    return person


def rename_person(*, person: Person, name: str, actor: Any) -> Person:
    """Give a person a name. Raises PeopleError when it is empty or somebody else's (merge the two then)."""
    name = clean_person_name(name)
    with writing(person.library_id, actor=actor, verb=Verb.RENAME) as draft:
        alive = living(person, draft)
        refuse_taken_name(person.library_id, name, but=person.pk)
        Person.objects.filter(pk=person.pk).update(name=name)
        draft.summary = (
            f"Renamed {alive.name} to {name}" if alive.name else f"Named {alive.display_name} {name}"
        )
    person.name = name
    return person


def clear_name(*, person: Person, actor: Any) -> None:
    """Make a person an unnamed group again."""
    _set(person, actor, Verb.RENAME, "Took the name of {}", name="")


def refuse_taken_name(library_id: int, name: str, but: int | None = None) -> None:
    others = Person.objects.filter(library_id=library_id, name=name)
    if others.exists() if but is None else others.exclude(pk=but).exists():
        raise PeopleError(
            "person_exists", f"There is a person called {name} already. Merge the two if they are one."
        )


def person_called(library_id: int, name: str) -> Person | None:
    """Who has this name already, for the offer to merge; upper and lower case are the same here."""
    people = Person.objects.filter(library_id=library_id, name__iexact=spelt(name)).exclude(name="")
    person: Person | None = people.order_by("pk").first()
    return person


def people_named_like(user: Any, text: str) -> Any:
    """Visible people whose name, another name of theirs, or number (of an unnamed group) holds `text`.

    Upper and lower case are the same.
    """
    number = Concat(Value("Person "), Cast("pk", CharField()))
    by_name = Q(name__icontains=text) | Q(aliases__icontains=text) | Q(name="", number__icontains=text)
    return Person.objects.visible_to(user).annotate(number=number).filter(by_name)


def living(person: Person, draft: Draft) -> Person:
    """The row as it is now, watched. Raises PeopleError when somebody removed it meanwhile."""
    draft.watch(people=[person.pk])
    alive: Person | None = Person.objects.filter(pk=person.pk).first()
    if alive is None:
        raise PeopleError("person_not_found", "The person is gone: somebody merged or deleted it meanwhile.")
    return alive


def some_faces(count: int) -> str:
    return "1 face" if count == 1 else f"{count} faces"


# --- marks --------------------------------------------------------------------------------------------------


def hide_person(*, person: Person, is_hidden: bool, actor: Any) -> None:
    """Keep a person out of the list of people, or bring it back. The faces stay as they are."""
    hide_people(people=[person], is_hidden=is_hidden, actor=actor)


def hide_people(*, people: Sequence[Person], is_hidden: bool, actor: Any) -> None:
    """The same for several of one library, as one entry. Raises PeopleError when one is gone."""
    if len({person.library_id for person in people}) != 1:
        raise PeopleError("person_not_found", "The people are not in one library.")
    verb = Verb.HIDE if is_hidden else Verb.UNHIDE
    with writing(people[0].library_id, actor=actor, verb=verb) as draft:
        names = ", ".join(living(person, draft).display_name for person in people)
        Person.objects.filter(pk__in=[person.pk for person in people]).update(is_hidden=is_hidden)
        draft.summary = f"Hid {names}" if is_hidden else f"Showed {names} again"
    for person in people:
        person.is_hidden = is_hidden


def set_favorite(*, person: Person, favorite: bool, actor: Any) -> None:
    """Favourites come first on the people pages."""
    text = "Marked {} as a favourite" if favorite else "Unmarked {} as a favourite"
    _set(person, actor, Verb.FAVORITE, text, is_favorite=favorite)


def set_aliases(*, person: Person, aliases: Sequence[str], actor: Any) -> None:
    """Other names that find the person. Raises PeopleError for an unusable one or more than MAX_ALIASES."""
    cleaned = list(dict.fromkeys(clean_person_name(alias) for alias in aliases))
    if len(cleaned) > MAX_ALIASES:
        raise PeopleError("too_many_aliases", f"{len(cleaned)} names are too many; {MAX_ALIASES} fit.")
    _set(person, actor, Verb.ALIASES, "Set the other names of {}", aliases=cleaned)


def set_cover(*, person: Person, face: Face | None, actor: Any) -> None:
    """The face that stands for the person; None leaves the choice to the machine.

    Raises PeopleError when it is not one of theirs.
    """
    own = Face.objects.filter(person=person, is_dismissed=False)
    if face is not None and not own.filter(pk=face.pk).exists():
        raise PeopleError("face_not_found", "The face is not one of this person.")
    _set(person, actor, Verb.COVER, "Changed the cover of {}", cover_id=face.pk if face else None)


def _set(person: Person, actor: Any, verb: str, summary: str, **values: Any) -> None:
    with writing(person.library_id, actor=actor, verb=verb) as draft:
        alive = living(person, draft)
        Person.objects.filter(pk=person.pk).update(**values)
        draft.summary = summary.format(alive.display_name)
    for name, value in values.items():
        setattr(person, name, value)


def taken_before(birth_date: date) -> Q:
    """Faces on photos from before somebody was born. (`taken_at` is a wall clock written as UTC.)"""
    return Q(photo__taken_at__lt=datetime.combine(birth_date, time.min, tzinfo=UTC))


def set_birth_date(*, person: Person, birth_date: date | None, actor: Any) -> int:
    """Faces on photos from before it, as far as a machine put them to the person, become nobody's.

    Returns how many. Raises PeopleError for a day in the future or before photography had sitters.
    """
    if birth_date is not None and not EARLIEST_BIRTH <= birth_date <= timezone.localdate():
        raise PeopleError("impossible_birth_date", "A birth date lies between 1750 and today.")
    with writing(person.library_id, actor=actor, verb=Verb.BIRTH_DATE) as draft:
        alive = living(person, draft)
        too_early = Face.objects.filter(person=person).exclude(assigned_by=Face.AssignedBy.PERSON)
        ids = (
            list(too_early.filter(taken_before(birth_date)).values_list("pk", flat=True))
            if birth_date
            else []
        )
        draft.watch(faces=ids)
        Person.objects.filter(pk=person.pk).update(birth_date=birth_date)
        Face.objects.filter(pk__in=ids).update(person=None, assigned_by=Face.AssignedBy.NOBODY)
        day = f" to {birth_date}" if birth_date else ""
        draft.summary = f"{'Set' if birth_date else 'Took'} the birth date of {alive.display_name}{day}"
    person.birth_date = birth_date
    return len(ids)


# --- merge, split, delete -----------------------------------------------------------------------------------


def merge_people(*, keep: Person, drop: Person, actor: Any) -> None:
    """Move all faces of `drop` to `keep`, then delete `drop`; see `merge_all`."""
    merge_all(keep=keep, drops=[drop], actor=actor)


def merge_all(*, keep: Person, drops: Sequence[Person], actor: Any) -> None:
    """One person of several: `keep` gets all faces, and what it lacks (name, birth date, cover).

    A second name becomes another name of the kept one. Raises PeopleError for a merge with itself, across
    libraries, or with somebody gone meanwhile.
    """
    if keep.pk in {drop.pk for drop in drops}:
        raise PeopleError("cannot_merge_same_person", "A person cannot be merged with itself.")
    if {drop.library_id for drop in drops} - {keep.library_id}:
        raise PeopleError("person_not_found", "The people are not in one library.")
    with writing(keep.library_id, actor=actor, verb=Verb.MERGE) as draft:
        alive = Person.objects.in_bulk([keep.pk, *(drop.pk for drop in drops)])
        if len(alive) < 1 + len({drop.pk for drop in drops}):
            raise PeopleError("person_not_found", "One of them is gone: somebody merged them meanwhile.")
        kept = alive.pop(keep.pk)
        draft.watch(people=[keep.pk, *alive])
        count = _move_faces_of(kept, list(alive), draft)
        _carry_over(kept, list(alive.values()))
        names = ", ".join(person.display_name for person in alive.values())
        draft.summary = f"Merged {names} into {kept.display_name} ({some_faces(count)})"
    keep.name = kept.name


def _move_faces_of(keep: Person, drops: list[int], draft: Draft) -> int:
    """What is together by hand stays together; so do the faces of an unnamed group that is merged into."""
    moving = Q(person__in=drops)
    if not Person.objects.curated().filter(pk=keep.pk).exists():
        moving |= Q(person=keep)
    ids = list(Face.objects.filter(moving).values_list("pk", flat=True))
    draft.watch(faces=ids)
    count = Face.objects.filter(person__in=drops).count()
    Face.objects.filter(pk__in=ids).update(person=keep, assigned_by=Face.AssignedBy.PERSON)
    return count


def _carry_over(keep: Person, drops: list[Person]) -> None:
    """What is known about the dropped ones; then they go."""
    ids = [drop.pk for drop in drops]
    _carry_rejections(keep.pk, ids)
    _carry_distinctions(keep.pk, ids)
    Person.objects.filter(pk__in=ids).delete()
    for column, value in what_remains(keep, drops).items():
        setattr(keep, column, value)
    keep.save(update_fields=["name", "aliases", "birth_date", "cover", "is_favorite"])


def what_remains(keep: Person, drops: Sequence[Person]) -> dict[str, Any]:
    """The columns of the kept one after a merge: its own, and from the others what it lacks."""
    name = keep.name
    aliases = list(keep.aliases)
    for drop in drops:
        aliases += [*drop.aliases, *([drop.name] if name and drop.name else [])]
        name = name or drop.name
    everybody = [keep, *drops]
    return {
        "name": name,
        "aliases": [alias for alias in dict.fromkeys(aliases) if alias != name][:MAX_ALIASES],
        "birth_date": next((who.birth_date for who in everybody if who.birth_date), None),
        "cover_id": next((who.cover_id for who in everybody if who.cover_id), None),
        "is_favorite": any(who.is_favorite for who in everybody),
    }


def _carry_rejections(keep: int, drops: list[int]) -> None:
    """Who is not the dropped one is not the kept one, except for faces that are the kept one by hand."""
    FaceRejection.objects.filter(person=keep, face__person=keep).delete()
    others = FaceRejection.objects.filter(person__in=drops).exclude(face__person=keep)
    FaceRejection.objects.bulk_create(
        [FaceRejection(face_id=row.face_id, person_id=keep, is_sure=row.is_sure) for row in others],
        ignore_conflicts=True,
    )


def _carry_distinctions(keep: int, drops: list[int]) -> None:
    rows = PersonDistinction.objects.filter(Q(first__in=drops) | Q(second__in=drops), is_sure=True)
    others = {pk for row in rows for pk in (row.first_id, row.second_id)} - {keep, *drops}
    PersonDistinction.objects.bulk_create(
        [PersonDistinction(first_id=min(keep, pk), second_id=max(keep, pk)) for pk in others],
        ignore_conflicts=True,
    )


def split_person(
    *, person: Person, faces: Iterable[Face], actor: Any, into: Person | None = None, name: str = ""
) -> Person:
    """Move some faces of a person to another one: to `into`, or to a new one called `name` (may be empty).

    The two are told apart for good. Raises PeopleError when a face is not the person's, when all or none are
    chosen for a new person, or for a name that cannot be used.
    """
    name = clean_person_name(name) if name else ""
    ids = [face.pk for face in faces]
    if into is not None and (into.pk == person.pk or into.library_id != person.library_id):
        raise PeopleError("person_not_found", "Choose another person of the same library.")
    with writing(person.library_id, actor=actor, verb=Verb.SPLIT) as draft:
        alive = living(person, draft)
        _refuse_useless_split(person, ids, into)
        if into is None:
            if name:
                refuse_taken_name(person.library_id, name)
            target = draft.made(Person.objects.create(library_id=person.library_id, name=name))
        else:
            target = living(into, draft)
        draft.watch(faces=ids)
        FaceRejection.objects.filter(face__in=ids, person=target).delete()
        Face.objects.filter(pk__in=ids).update(person=target, assigned_by=Face.AssignedBy.PERSON)
        tell_apart(person.pk, target.pk)
        draft.summary = f"Split {some_faces(len(ids))} of {alive.display_name} off to {target.display_name}"
    return target


def _refuse_useless_split(person: Person, ids: list[int], into: Person | None) -> None:
    own = Face.objects.filter(person=person, is_dismissed=False)
    if not ids or own.filter(pk__in=ids).count() < len(set(ids)):
        raise PeopleError("face_not_found", "Choose faces of this person.")
    if into is None and own.count() == len(set(ids)):
        raise PeopleError("nothing_left", "All faces were chosen: rename the person instead.")


def tell_apart(a: int, b: int, *, is_sure: bool = True) -> None:
    """Write down that two people are not one, or that somebody could not tell."""
    PersonDistinction.objects.update_or_create(
        first_id=min(a, b),
        second_id=max(a, b),
        defaults={"is_sure": is_sure, "answered_at": timezone.now()},
    )


def delete_person(*, person: Person, actor: Any) -> None:
    """Delete a person; the faces become nobody's and may be grouped again. The journal can bring all back."""
    with writing(person.library_id, actor=actor, verb=Verb.DELETE) as draft:
        alive = living(person, draft)
        ids = list(Face.objects.filter(person=person).values_list("pk", flat=True))
        draft.watch(faces=ids)
        Face.objects.filter(pk__in=ids).update(person=None, assigned_by=Face.AssignedBy.NOBODY)
        Person.objects.filter(pk=person.pk).delete()
        draft.summary = f"Deleted {alive.display_name} ({some_faces(len(ids))})"
