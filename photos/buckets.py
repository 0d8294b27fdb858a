"""The timeline for fast grids: months with counts, and a month as columns, written as JSON by PostgreSQL."""

from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import Count, QuerySet
from django.db.models.functions import TruncMonth

from photos.timeline import month_after


def bucket_counts(photos: QuerySet[Any]) -> list[dict[str, Any]]:
    """`{month: "YYYY-MM", count}` of these photos, newest first."""
    months = photos.order_by().annotate(month=TruncMonth("taken_at", tzinfo=UTC)).values("month")
    rows = months.annotate(count=Count("pk")).order_by("-month")
    return [{"month": f"{row['month']:%Y-%m}".zfill(7), "count": row["count"]} for row in rows]


def in_month(photos: QuerySet[Any], first: datetime) -> Any:
    """Those taken in the month that begins with `first`."""
    after = month_after(first.date())
    end = datetime(after.year, after.month, 1, tzinfo=UTC)
    if end <= first:  # December 9999, the last month there is
        return photos.filter(taken_at__gte=first)
    return photos.filter(taken_at__gte=first, taken_at__lt=end)


def bucket_columns(photos: QuerySet[Any]) -> str:
    """These photos newest first as arrays of one length: `{count, id, ratio, thumbhash, time}`.

    `ratio` is width over height (1 while unknown), `thumbhash` base64 or "", `time` the wall clock.
    """
    columns = ("id", "width", "height", "thumbhash", "taken_at")
    chosen = photos.order_by("-taken_at", "-id").values(*columns)
    sql, parameters = chosen.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT json_build_object('count', count(*), "
            "'id', coalesce(json_agg(id), '[]'), "
            "'ratio', coalesce(json_agg(coalesce(round(width::numeric / nullif(height, 0), 4), 1)), '[]'), "
            "'thumbhash', coalesce(json_agg(translate(encode(thumbhash, 'base64'), E'\\n', '')), '[]'), "
            "'time', coalesce(json_agg(to_char(taken_at AT TIME ZONE 'UTC', "
            "'YYYY-MM-DD\"T\"HH24:MI:SS')), '[]')"
            f")::text FROM ({sql}) AS chosen",
            parameters,
        )
        text: str = cursor.fetchone()[0]
    return text
