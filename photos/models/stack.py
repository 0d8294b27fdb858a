"""Stacks: photos of which the timeline shows one."""

from collections.abc import Set
from typing import Any, ClassVar

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import connection, models
from django.db.models import Q
from django.utils import timezone

from photos.querysets import ScopedQuerySet

LOCK = 7_240_011
SHOWN = Q(photos__deleted_at__isnull=True, photos__still__isnull=True)


class StackQuerySet(ScopedQuerySet["Stack"]):
    def in_use(self) -> Any:
        """Those with two photos or more outside the trash, with their `photo_ids` in order."""
        ids = ArrayAgg("photos", filter=SHOWN, order_by="photos__stack_position", default=[])
        return self.annotate(photo_ids=ids).filter(photo_ids__len__gt=1)


class Stack(models.Model):
    """Photos that belong together, in an order: `Photo.stack` and `Photo.stack_position`.

    Which one stands for all is not written down: it is the first that is not in the trash. People's changes
    are corrections of the photos (`Photo.Editable.STACK`) with the journal of these; a stack they empty stays
    for an undo.
    """

    class Kind(models.TextChoices):
        RAW = "raw", "RAW and picture"
        EDITED = "edited", "edited copy"
        BURST = "burst", "burst"
        MANUAL = "manual", "put together by a person"

    library = models.ForeignKey("photos.Library", on_delete=models.CASCADE, related_name="stacks")
    kind = models.CharField(max_length=10, choices=Kind)
    created_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = StackQuerySet.as_manager()

    def __str__(self) -> str:
        return f"stack {self.pk}: {self.get_kind_display()}"

    def shown_photos(self) -> Any:
        """Its photos in their order, without the trash."""
        return self.photos.filter(deleted_at__isnull=True, still__isnull=True).order_by("stack_position")


def close_ranks(stack_ids: Set[int]) -> None:
    """Where several photos came to have one place in these stacks, number all of them anew."""
    if not stack_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH crowded AS (SELECT DISTINCT stack_id FROM photos_photo WHERE stack_id = ANY(%s) "
            "GROUP BY stack_id, stack_position HAVING count(*) > 1), "
            "ranked AS (SELECT id, row_number() OVER (PARTITION BY stack_id ORDER BY stack_position, id) - 1 "
            "AS position FROM photos_photo WHERE stack_id IN (SELECT stack_id FROM crowded)) "
            "UPDATE photos_photo AS photo SET stack_position = ranked.position FROM ranked "
            "WHERE photo.id = ranked.id",
            [list(stack_ids)],
        )


def lock_stacks(library_id: int) -> None:
    """Until the transaction ends nobody else changes the stacks of the library."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, library_id])
