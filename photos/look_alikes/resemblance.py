"""Find photos that look alike, a photo at a time, and show them to people in groups."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from jobs.events import publish
from photos.formats import filetypes
from photos.look_alikes.hash_bands import groups_of, near_bands
from photos.look_alikes.hash_columns import HashBands, HashDistance
from photos.models import LookAlike, Photo
from photos.stacks.best_copy import Best, Copy, best_of
from photos.timeline import as_tiles

NEAR_BITS = 6
"""Bits in which the hashes of two look-alikes differ at most. The same picture smaller, grey, or as a JPEG of
quality 20 differs in at most 2, brightened by a third in 6 at most 99 times of 100; no two of 119 pictures
of different things differ in fewer than 16.
"""
SAME_SHAPE = 0.05
"""How far the ratios of width to height may be apart, as a share."""
MOST_LINKS = 20
"""Of one photo, the nearest: a thousand pictures of one look are linked to each other without them all."""
MOST_PAIRS = 5000
"""Looked through for a page, the latest ones; those behind them come when these are reviewed."""
MOST_IN_GROUP = 60
COLUMNS = ("pk", "library_id", "perceptual_hash", "width", "height")


@dataclass(frozen=True)
class Group:
    """Photos that look alike, the best one first, and why it is."""

    photos: list[Photo]
    best: Best

    @property
    def ids(self) -> list[int]:
        return [photo.pk for photo in self.photos]

    @property
    def library_id(self) -> int:
        return self.photos[0].library_id


def find_look_alikes(photo_ids: Iterable[int]) -> None:
    """Keep which photos of their library look like these; what is known already stays as it is.

    Each photo is searched for after its own hash is there for others to find, so of two that come at the same
    time one finds the other. A flat picture (0) has no look.
    """
    photos = Photo.objects.filter(pk__in=list(photo_ids), media_type="photo", still__isnull=True)
    hashed = photos.exclude(perceptual_hash=None).exclude(perceptual_hash=0)
    rows = list(hashed.order_by("pk").values_list(*COLUMNS))
    with transaction.atomic():
        use_index()
        found = [pair for row in rows for pair in pairs_of(*row)]
    LookAlike.objects.bulk_create(found, ignore_conflicts=True)


def use_index() -> None:
    """For the open transaction: PostgreSQL takes bands for a hundred times more common than they are."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")


def pairs_of(pk: int, library_id: int, value: int, width: int | None, height: int | None) -> list[LookAlike]:
    """The photo with the nearest of its library."""
    rows = near(pk, library_id, value)
    if width and height:
        rows = rows.filter(
            width__gte=F("height") * (width / height / (1 + SAME_SHAPE)),
            width__lte=F("height") * (width / height * (1 + SAME_SHAPE)),
        )
    others = rows.order_by("bits", "pk").values_list("pk", "bits")[:MOST_LINKS]
    return [
        LookAlike(library_id=library_id, photo_id=min(pk, other), other_id=max(pk, other), distance=bits)
        for other, bits in others
    ]


def near(pk: int, library_id: int, value: int) -> Any:
    """Other photos of the library within NEAR_BITS of this hash, by the index over bands of hashes.

    Library and still are compared as sums, to which no other index fits.
    """
    rows = Photo.objects.annotate(bits=HashDistance("perceptual_hash", value))
    return (
        rows.alias(
            bands=HashBands("perceptual_hash"),
            of_library=F("library_id") + 0,
            of_still=Coalesce("still_id", 0),
        )
        .filter(
            bands__overlap=near_bands(value, max_distance=NEAR_BITS),
            perceptual_hash__isnull=False,
            of_library=library_id,
            media_type="photo",
            of_still=0,
            bits__lte=NEAR_BITS,
        )
        .exclude(pk=pk)
    )


def groups(pairs: Any, *, limit: int) -> tuple[list[Group], int]:
    """The first groups of these open pairs, the latest found first, and how many there are."""
    rows = list(pairs.order_by("-pk").values_list("photo_id", "other_id")[:MOST_PAIRS])
    found = groups_of(rows)
    photos = in_bulk(pk for ids in found[:limit] for pk in ids[:MOST_IN_GROUP])
    shown = [[photos[pk] for pk in ids if pk in photos] for ids in found[:limit]]
    return [as_group(members) for members in shown if len(members) > 1], len(found)


def in_bulk(photo_ids: Iterable[int]) -> dict[int, Photo]:
    """Photos as tiles with what the page tells about them."""
    rows = as_tiles(Photo.objects.filter(pk__in=list(photo_ids), deleted_at=None)).only(*SHOWN_COLUMNS)
    return {photo.pk: photo for photo in rows}


SHOWN_COLUMNS = (
    "library_id",
    "original_name",
    "source_path",
    "width",
    "height",
    "size",
    "mime_type",
    "taken_at",
    "taken_at_source",
    "camera_model",
    "latitude",
    "longitude",
    "thumbhash",
    "has_renditions",
    "stack_id",
)


def as_group(photos: Sequence[Photo]) -> Group:
    best = best_of([as_copy(photo) for photo in photos])
    return Group(sorted(photos, key=lambda photo: (photo.pk != best.pk, photo.pk)), best)


def as_copy(photo: Photo) -> Copy:
    return Copy(
        pk=photo.pk,
        pixels=(photo.width or 0) * (photo.height or 0),
        size=photo.size,
        is_raw=photo.mime_type in {kind.mime for kind in filetypes.RAW_TYPES},
        has_camera=bool(photo.camera_model),
        has_place=photo.has_place,
        taken_at=photo.taken_at if photo.taken_at_source.startswith("exif") else None,
    )


@transaction.atomic
def tell_apart(photos: QuerySet[Photo], *, actor: Any) -> int:
    """Remember that these are no duplicates of each other. Returns how many pairs there are."""
    libraries: dict[int, list[int]] = defaultdict(list)
    for pk, library_id in photos.order_by("pk").values_list("pk", "library_id")[:MOST_IN_GROUP]:
        libraries[library_id].append(pk)
    now = timezone.now()
    rows = [
        LookAlike(
            library_id=library_id,
            photo_id=one,
            other_id=other,
            distance=NEAR_BITS,
            told_apart_at=now,
            told_apart_by=actor,
        )
        for library_id, ids in libraries.items()
        for one, other in combinations(ids, 2)
    ]
    LookAlike.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["photo", "other"],
        update_fields=["told_apart_at", "told_apart_by"],
    )
    for library_id in libraries:
        publish(library_id, "duplicates")
    return len(rows)


@transaction.atomic
def take_back(photos: QuerySet[Photo]) -> None:
    """Undo `tell_apart` among these photos: they are compared anew."""
    ids = list(photos.values_list("pk", flat=True))
    LookAlike.objects.filter(photo__in=ids, other__in=ids, told_apart_at__isnull=False).delete()
    find_look_alikes(ids)
