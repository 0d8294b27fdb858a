"""The stacks that people made or changed, as an export of Chitra writes them, and back into a library."""

from typing import Any

from django.db import transaction

from photos.models import Library, Photo, Stack
from photos.models.stack import lock_stacks


def stack_records(library: Library) -> list[dict[str, Any]]:
    """Their photos by checksum, in order, without the trash. What Chitra found it finds again by itself."""
    changed = Photo.objects.filter(library=library, locked_fields__contains=[Photo.Editable.STACK])
    stacks = Stack.objects.filter(pk__in=changed.values("stack")).order_by("pk")
    records = [{"kind": stack.kind, "photos": checksums_of(stack)} for stack in stacks]
    return [record for record in records if len(record["photos"]) > 1]


def checksums_of(stack: Stack) -> list[str]:
    return list(stack.shown_photos().values_list("checksum", flat=True))


@transaction.atomic
def restore_stacks(library: Library, records: list[dict[str, Any]]) -> None:
    """Make the stacks of those photos that are here; one that is there already stays as it is."""
    lock_stacks(library.pk)
    for record in records:
        photos = {photo.checksum: photo for photo in library.photos.filter(checksum__in=record["photos"])}
        members = [photos[checksum] for checksum in record["photos"] if checksum in photos]
        stacks = {photo.stack_id for photo in members}
        is_there = len(stacks) == 1 and None not in stacks
        if len(members) < 2 or is_there:
            continue
        stack = Stack.objects.create(library=library, kind=record["kind"])
        for position, photo in enumerate(members):
            photo.stack, photo.stack_position = stack, position
        Photo.objects.bulk_update(members, ["stack", "stack_position"])
