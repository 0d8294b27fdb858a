"""Stacks as people change them: in the journal of corrections, undone there, and left alone by the steps."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from photos import editing
from photos.models import Library, Photo, PhotoEdit, Stack
from photos.models.stack import lock_stacks

MOST_PHOTOS = 1000


class BadStack(ValueError):
    """A stack that cannot be; the message says why."""


@transaction.atomic
def stack_photos(*, library: Library, photo_ids: Sequence[int], actor: Any) -> tuple[Stack, PhotoEdit]:
    """A stack of these photos in this order, the first one its cover; the rest of their stacks comes along.

    Raises BadStack.
    """
    lock_stacks(library.pk)
    stack = Stack.objects.create(library=library, kind=Stack.Kind.MANUAL)
    order = with_companions(library, photo_ids)
    if len(order) < 2:
        raise BadStack("A stack has two photos or more.")
    edit = arrange(stack, order, actor=actor, summary=f"a stack of {len(order)} photos")
    assert edit is not None  # the stack is new to all of them
    return stack, edit


@transaction.atomic
def add_photos(*, stack: Stack, photo_ids: Sequence[int], actor: Any) -> PhotoEdit | None:
    """Put photos, with the rest of their stacks, behind the others. None when all are in it. BadStack."""
    lock_stacks(stack.library_id)
    order = members(stack)
    new = [pk for pk in with_companions(stack.library, photo_ids) if pk not in order]
    return arrange(stack, [*order, *new], actor=actor, summary=f"{len(new)} photos into a stack")


@transaction.atomic
def take_out(*, stack: Stack, photo_ids: Sequence[int], actor: Any) -> PhotoEdit | None:
    """Let these photos stand alone; of a stack that would keep one, all. None when none is in it."""
    lock_stacks(stack.library_id)
    order = members(stack)
    leaving = [pk for pk in order if pk in set(photo_ids)]
    if not leaving:
        return None
    left = [pk for pk in order if pk not in leaving]
    if len(left) < 2:
        return unstack(stack=stack, actor=actor)
    return arrange(stack, left, leaving, actor=actor, summary=f"{len(leaving)} photos out of a stack")


@transaction.atomic
def unstack(*, stack: Stack, actor: Any) -> PhotoEdit | None:
    """Let all its photos stand alone. None when there are none."""
    lock_stacks(stack.library_id)
    order = members(stack)
    return arrange(stack, [], order, actor=actor, summary=f"a stack of {len(order)} photos taken apart")


@transaction.atomic
def set_cover(*, stack: Stack, photo_id: int, actor: Any) -> PhotoEdit | None:
    """Let this photo of the stack stand for all. None when it does. Raises BadStack."""
    lock_stacks(stack.library_id)
    order = members(stack)
    if not stack.shown_photos().filter(pk=photo_id).exists():
        raise BadStack("The cover must be a photo of the stack.")
    first = [photo_id, *(pk for pk in order if pk != photo_id)]
    return arrange(stack, first, actor=actor, summary="another cover of a stack")


def members(stack: Stack) -> list[int]:
    """All its photos in their order, the trash included."""
    return list(Photo.objects.filter(stack=stack).order_by("stack_position").values_list("pk", flat=True))


def with_companions(library: Library, photo_ids: Sequence[int]) -> list[int]:
    """These photos in this order, then the others of their stacks. Raises BadStack."""
    wanted = list(dict.fromkeys(photo_ids))
    chosen = Photo.objects.filter(pk__in=wanted, library=library, deleted_at=None, still=None)
    stacks = dict(chosen.values_list("pk", "stack_id"))
    if len(stacks) < len(wanted):
        raise BadStack("The photos of a stack are of one library, and none of them is in the trash.")
    others = Photo.objects.filter(stack__in={pk for pk in stacks.values() if pk is not None})
    others = others.exclude(pk__in=wanted).order_by("stack_id", "stack_position")
    found = [*wanted, *others.values_list("pk", flat=True)]
    if len(found) > MOST_PHOTOS:
        raise BadStack(f"A stack has at most {MOST_PHOTOS:,} photos.")
    return found


def arrange(
    stack: Stack, order: Sequence[int], leaving: Sequence[int] = (), *, actor: Any, summary: str
) -> PhotoEdit | None:
    """Let the stack have these photos in this order, and those that leave stand alone, as one edit."""
    places: dict[int, tuple[int | None, int]] = {
        pk: (stack.pk, position) for position, pk in enumerate(order)
    }
    places |= dict.fromkeys(leaving, (None, 0))

    def alter(photo: Photo) -> None:
        photo.stack_id, photo.stack_position = places[photo.pk]

    return editing.change(
        photos=Photo.objects.filter(pk__in=places),
        library=stack.library,
        actor=actor,
        fields=[Photo.Editable.STACK.value],
        alter=alter,
        summary=summary,
    )
