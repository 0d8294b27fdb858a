"""Photos by day, a page at a time.

The place in the timeline is a key, never an offset, so a page costs the same however far down it is, and
photos that arrive meanwhile shift nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, TruncMonth

from jobs.models import StepStatus
from photos.models import Photo, PhotoStep

PAGE_SIZE = 120
TILE_FIELDS = (
    "library_id",
    "original_name",
    "width",
    "height",
    "thumbhash",
    "has_renditions",
    "taken_at",
    "media_type",
    "duration_seconds",
    "playback_status",
    "missing_since",
    "is_favorite",
    "stack_id",
)


class BadCursor(ValueError):
    """A place in the timeline that is none."""


@dataclass(frozen=True)
class Day:
    """Photos of one day; `continues` when the page before ended with the same day."""

    date: date
    photos: list[Photo]
    continues: bool


@dataclass(frozen=True)
class TimelinePage:
    """Some days, the cursor of what follows ("" at the end) and, where asked for, that of what is newer."""

    days: list[Day]
    next_cursor: str
    previous_cursor: str = ""


@dataclass(frozen=True)
class Month:
    """A month with photos; the cursor is where it begins in the timeline."""

    date: date
    count: int
    cursor: str


def timeline_page(photos: QuerySet[Any], *, before: str = "", size: int = PAGE_SIZE) -> TimelinePage:
    """The next `size` of these photos, newest first, after the cursor `before`. Raises BadCursor."""
    tiles = as_tiles(photos).newest_first()
    last_day = None
    if before:
        taken_at, pk = parse_cursor(before)
        tiles = tiles.after_in_timeline(taken_at, pk)
        last_day = taken_at.date() if pk else None
    rows = list(tiles[: size + 1])
    return TimelinePage(by_day(rows[:size], last_day), cursor_of(rows[size - 1]) if len(rows) > size else "")


def newer_page(photos: QuerySet[Any], *, after: str, size: int = PAGE_SIZE) -> TimelinePage:
    """The `size` of these photos right before the cursor `after`, newest first as ever. Raises BadCursor."""
    tiles = as_tiles(photos).before_in_timeline(*parse_cursor(after)).order_by("taken_at", "pk")
    rows = list(tiles[: size + 1])
    shown = rows[:size][::-1]
    return TimelinePage(by_day(shown), "", cursor_of(shown[0]) if len(rows) > size else "")


def with_newer(page: TimelinePage, photos: Any, *, before: str) -> TimelinePage:
    """The page that begins after `before`, with the cursor of what is newer, when there is something."""
    first = cursor_of(page.days[0].photos[0]) if page.days else before
    is_newest = not photos.before_in_timeline(*parse_cursor(first)).exists()
    return page if is_newest else replace(page, previous_cursor=first)


def as_tiles(photos: QuerySet[Any]) -> Any:
    """Only what a tile shows, with `is_broken` (no renditions, because making them failed), `has_clip` and
    `stack_size` (photos of its stack outside the trash; None without a stack).
    """
    clips = Photo.objects.filter(still=OuterRef("pk"), deleted_at=None)
    failed = PhotoStep.objects.filter(photo=OuterRef("pk"), step="renditions", status=StepStatus.FAILED)
    # No Exists: of that PostgreSQL would rather hash the whole table than look 120 times into an index.
    is_broken = Coalesce(Subquery(failed.values(yes=Value(True))[:1]), False)
    has_clip = Coalesce(Subquery(clips.values(yes=Value(True))[:1]), False)
    together = Photo.objects.filter(stack=OuterRef("stack"), deleted_at=None, still=None).order_by()
    size = Subquery(together.values("stack").values(n=Count("pk")))
    return photos.only(*TILE_FIELDS).annotate(is_broken=is_broken, has_clip=has_clip, stack_size=size)


def by_day(photos: Iterable[Photo], last_day: date | None = None) -> list[Day]:
    """Photos in timeline order under their days."""
    days = groupby(photos, key=lambda photo: photo.taken_at.date())
    return [Day(day, list(members), continues=day == last_day) for day, members in days]


def cursor_of(photo: Photo) -> str:
    """Where in the timeline the photo is."""
    return f"{photo.taken_at.replace(tzinfo=None).isoformat()}_{photo.pk}"


def cursor_before(photo: Photo) -> str:
    """The place in the timeline after which this photo comes next."""
    return f"{photo.taken_at.replace(tzinfo=None).isoformat()}_{photo.pk + 1}"


def parse_cursor(text: str) -> tuple[datetime, int]:
    """The wall-clock time and id of a cursor. Raises BadCursor."""
    moment, _, pk = text.partition("_")
    try:
        taken_at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        return taken_at, min(int(pk), 2**63 - 1)
    except ValueError:
        raise BadCursor(f"{text!r} is no place in the timeline.") from None


def months(photos: QuerySet[Any]) -> list[Month]:
    """The months of these photos, newest first."""
    rows = (
        photos.annotate(month=TruncMonth("taken_at", tzinfo=UTC)).values("month").annotate(count=Count("pk"))
    )
    return [
        Month(row["month"].date(), row["count"], f"{month_after(row['month'].date()).isoformat()}_0")
        for row in rows.order_by("-month")
    ]


def month_after(first: date) -> date:
    """The first of the next month; the last month there is follows itself."""
    year, month = (first.year + 1, 1) if first.month == 12 else (first.year, first.month + 1)
    return date(min(year, 9999), month, 1)
