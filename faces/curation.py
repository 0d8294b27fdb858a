"""Faces by hand: assign, confirm, reject, draw, move, dismiss. All journalled, all on many faces at once."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.utils import timezone

from faces.errors import PeopleError
from faces.journal import Draft, Verb, writing
from faces.models import Face, FaceRejection, Person
from faces.people import clean_person_name, living, refuse_taken_name, rename_person
from faces.people import some_faces as some_faces  # the admin takes it from here
from faces.services import describe_again, forget_description
from photos.models import Photo

Box = tuple[float, float, float, float]

SMALLEST_SIDE = 0.005  # of a hand-drawn box, in fractions of the picture
BY_HAND = Face.AssignedBy.PERSON


def library_of(faces: Sequence[Face]) -> int:
    """The one library of these faces. Raises PeopleError for none, or for faces of several."""
    ids = set(
        Photo.objects.filter(faces__in=[face.pk for face in faces]).values_list("library_id", flat=True)
    )
    if len(ids) != 1:
        raise PeopleError("face_not_found", "Choose faces of one library.")
    return int(ids.pop())


@contextmanager
def changing(faces: Iterable[Face], *, actor: Any, verb: str) -> Iterator[tuple[list[int], Draft]]:
    """Ids of the faces, watched, and the draft of the entry."""
    chosen = list(faces)
    with writing(library_of(chosen), actor=actor, verb=verb) as draft:
        ids = list(Face.objects.filter(pk__in=[face.pk for face in chosen]).values_list("pk", flat=True))
        draft.watch(faces=ids)
        yield ids, draft


def assign_face(*, face: Face, person: Person | None, actor: Any) -> None:
    """Put a face to a person by hand, or to nobody; see `assign_faces`."""
    assign_faces(faces=[face], person=person, actor=actor)


def assign_faces(*, faces: Iterable[Face], person: Person | None, actor: Any) -> int:
    """Put faces to a person by hand, or to nobody; a machine does not change them again. Returns how many.

    Raises PeopleError when the person belongs to another library or is gone.
    """
    with changing(faces, actor=actor, verb=Verb.ASSIGN) as (ids, draft):
        if person is None:
            draft.summary = f"Took {some_faces(len(ids))} from their people"
        else:
            if person.library_id != draft.library_id:
                raise PeopleError("person_not_found", "The person is not in the library of this photo.")
            alive = living(person, draft)
            FaceRejection.objects.filter(face__in=ids, person=person).delete()
            draft.summary = f"Assigned {some_faces(len(ids))} to {alive.display_name}"
        Face.objects.filter(pk__in=ids).update(person=person, assigned_by=BY_HAND)
    return len(ids)


def name_face(*, face: Face, name: str, actor: Any) -> Person:
    """Say who a face is. Raises PeopleError for an empty name.

    Somebody of that name gets the face; else its unnamed group gets the name; else the face becomes a person.
    """
    name = clean_person_name(name)
    library = face.photo.library
    known: Person | None = Person.objects.filter(library=library, name=name).first()
    if known is None and face.person is not None and not face.person.name:
        return rename_person(person=face.person, name=name, actor=actor)
    return name_faces(faces=[face], name=name, actor=actor)


def name_faces(*, faces: Sequence[Face], name: str, actor: Any) -> Person:
    """Say who all these faces are: somebody of that name, or else a new person, as one entry.

    Raises PeopleError for a name that cannot be used, and for faces of several libraries.
    """
    name = clean_person_name(name)
    known: Person | None = Person.objects.filter(library=library_of(faces), name=name).first()
    if known is not None:
        assign_faces(faces=faces, person=known, actor=actor)
        return known
    with changing(faces, actor=actor, verb=Verb.ASSIGN) as (ids, draft):
        person = new_person(draft, name)
        Face.objects.filter(pk__in=ids).update(person=person, assigned_by=BY_HAND)
        draft.summary = f"Assigned {some_faces(len(ids))} to {name}, who is new"
    return person


def new_person(draft: Draft, name: str) -> Person:
    """Somebody new, as a part of what is being written. Raises PeopleError for a taken name."""
    refuse_taken_name(draft.library_id, name)
    return draft.made(Person.objects.create(library_id=draft.library_id, name=name))


def unassign_faces(*, faces: Iterable[Face], actor: Any) -> int:
    """Nobody's, and to stay so."""
    return assign_faces(faces=faces, person=None, actor=actor)


def confirm_faces(*, faces: Iterable[Face], actor: Any) -> int:
    """Say that each face is the person it was put to. Those of nobody are left out. Returns how many."""
    with changing(faces, actor=actor, verb=Verb.CONFIRM) as (ids, draft):
        confirmed = Face.objects.filter(pk__in=ids, person__isnull=False)
        whose = names_of(set(confirmed.order_by().values_list("person_id", flat=True).distinct()))
        count = confirmed.update(assigned_by=BY_HAND)
        draft.summary = f"Confirmed {some_faces(count)} of {whose}"
    return count


def names_of(people: Collection[int]) -> str:
    """Of the first three."""
    return ", ".join(who.display_name for who in Person.objects.filter(pk__in=people).order_by("pk")[:3])


def reject_faces(*, faces: Iterable[Face], actor: Any, person: Person | None = None) -> int:
    """Say that the faces are not `person`, or not the one each was put to. Returns how many.

    They become free: a machine may put them to others, never to this person again.
    """
    with changing(faces, actor=actor, verb=Verb.REJECT) as (ids, draft):
        if person is not None and person.library_id != draft.library_id:
            raise PeopleError("person_not_found", "The person is not in the library of this photo.")
        target = living(person, draft) if person else None
        rows = dict(Face.objects.filter(pk__in=ids).values_list("pk", "person_id"))
        pairs = [(pk, target.pk if target else current) for pk, current in rows.items()]
        told = [(pk, not_this) for pk, not_this in pairs if not_this is not None]
        for pk, not_this in told:
            answer(pk, not_this, is_sure=True)
        leaving = [pk for pk, not_this in told if rows[pk] == not_this]
        Face.objects.filter(pk__in=leaving).update(person=None, assigned_by=Face.AssignedBy.NOBODY)
        names = names_of({pk for _, pk in told})
        draft.summary = f"Said that {some_faces(len(told))} {'is' if len(told) == 1 else 'are'} not {names}"
    return len(told)


def answer(face_id: int, person_id: int, *, is_sure: bool) -> None:
    """Write down that a face is not a person, or that somebody could not tell."""
    FaceRejection.objects.update_or_create(
        face_id=face_id,
        person_id=person_id,
        defaults={"is_sure": is_sure, "answered_at": timezone.now()},
    )


def dismiss_faces(*, faces: Iterable[Face], actor: Any) -> int:
    """Say that these are no faces. The detector does not bring them back; undo does. Returns how many."""
    with changing(faces, actor=actor, verb=Verb.DISMISS) as (ids, draft):
        Face.objects.filter(pk__in=ids).update(is_dismissed=True, person=None, assigned_by=BY_HAND)
        draft.summary = f"Marked {some_faces(len(ids))} as not a face"
    return len(ids)


# --- boxes --------------------------------------------------------------------------------------------------


def checked_box(box: Sequence[float]) -> Box:
    """x1, y1, x2, y2 in fractions of the upright picture. Raises PeopleError for a box that is none."""
    x1, y1, x2, y2 = (min(max(float(value), 0.0), 1.0) for value in box)
    if not (x2 - x1 >= SMALLEST_SIDE and y2 - y1 >= SMALLEST_SIDE):  # also what is not a number
        raise PeopleError("invalid_box", "Draw a larger box, from the top left to the bottom right.")
    return x1, y1, x2, y2


def draw_face(
    *, photo: Photo, box: Sequence[float], person: Person | None, actor: Any, new_name: str = ""
) -> Face:
    """A face that the detector missed. Its crop and vector are made in the background.

    It is `person`, or somebody new called `new_name`, or nobody yet. Undone, it is dismissed. Raises
    PeopleError for a box that is none, a person of another library, or a name that cannot be used.
    """
    x1, y1, x2, y2 = checked_box(box)
    new_name = clean_person_name(new_name) if new_name else ""
    if person is not None and person.library_id != photo.library_id:
        raise PeopleError("person_not_found", "The person is not in the library of this photo.")
    with writing(photo.library_id, actor=actor, verb=Verb.DRAW) as draft:
        face = new_drawn_face(draft, photo, (x1, y1, x2, y2))
        if person is not None:
            living(person, draft)
        elif new_name:
            person = new_person(draft, new_name)
        face.person, face.assigned_by = person, BY_HAND if person else Face.AssignedBy.NOBODY
        face.is_dismissed = False
        face.save()
        whose = f"the face of {person.display_name}" if person else "a face"
        draft.summary = f"Drew {whose} on {photo.original_name}"
        describe_again([photo.pk])
    return face


def new_drawn_face(draft: Draft, photo: Photo, box: Box) -> Face:
    """A drawn face that is dismissed still, and watched: so undoing what follows dismisses it again."""
    x1, y1, x2, y2 = box
    face: Face = Face.objects.create(
        photo=photo, x1=x1, y1=y1, x2=x2, y2=y2, detection_score=0.0, is_drawn=True, is_dismissed=True
    )
    draft.watch(faces=[face.pk])
    return face


def move_face(*, face: Face, box: Sequence[float], actor: Any) -> None:
    """Correct a face's box; it counts as drawn, and is described anew in the background."""
    x1, y1, x2, y2 = checked_box(box)
    with changing([face], actor=actor, verb=Verb.MOVE) as (ids, draft):
        Face.objects.filter(pk__in=ids).update(x1=x1, y1=y1, x2=x2, y2=y2, is_drawn=True)
        forget_description(ids)
        draft.summary = f"Moved a face on {face.photo.original_name}"
    face.refresh_from_db()
