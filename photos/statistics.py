"""What a collection consists of, in numbers: a fixed number of queries however large it is."""

from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import ExtractYear

MOST_CAMERAS = 20


def statistics_of(photos: QuerySet[Any], trashed: QuerySet[Any]) -> dict[str, Any]:
    """Numbers of these photos: sums, and how many by type, year and camera. Bytes are those of originals."""
    sums = photos.order_by().aggregate(
        photos=Count("pk"),
        bytes=Sum("size", default=0),
        favorites=Count("pk", filter=Q(is_favorite=True)),
        archived=Count("pk", filter=Q(is_archived=True)),
        with_place=Count("pk", filter=Q(latitude__isnull=False, longitude__isnull=False)),
        first_taken_at=Min("taken_at"),
        last_taken_at=Max("taken_at"),
    )
    in_trash = trashed.order_by().aggregate(photos=Count("pk"), bytes=Sum("size", default=0))
    return {
        **{name: value for name, value in sums.items() if not name.endswith("taken_at")},
        "first_taken_at": wall_clock_text(sums["first_taken_at"]),
        "last_taken_at": wall_clock_text(sums["last_taken_at"]),
        "people": photos.order_by().aggregate(count=Count("faces__person", distinct=True))["count"],
        "trash": in_trash,
        "by_type": counted(photos, "mime_type"),
        "by_year": counted(photos.annotate(year=ExtractYear("taken_at")), "year", order="-year"),
        "by_camera": counted(photos.exclude(camera_model=""), "camera_model")[:MOST_CAMERAS],
    }


def counted(photos: QuerySet[Any], column: str, *, order: str = "-photos") -> list[dict[str, Any]]:
    """`{name, photos, bytes}` for each value of a column."""
    rows = photos.order_by().values_list(column).annotate(photos=Count("pk"), bytes=Sum("size"))
    rows = rows.order_by(order, column)
    return [{"name": str(name), "photos": count, "bytes": size} for name, count, size in rows[:1000]]


def wall_clock_text(moment: Any) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%S") if moment else None
