"""Pages of photos by a key instead of an offset: what arrives meanwhile shifts nothing, and page 1000 costs
what page 1 does.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from photos.api.serializers import PhotoJson
from photos.models import Photo
from photos.timeline import BadCursor, cursor_of, parse_cursor

MOST_CHARACTERS = 200


@dataclass(frozen=True)
class CursorPage:
    """JSON texts of photos, newest first, and the cursor of what follows; None at the end."""

    items: list[str]
    next_cursor: str | None


def page_after(photos: QuerySet[Any], cursor: str, *, limit: int) -> CursorPage:
    """The next `limit` of these photos behind `cursor`, "" for the first page. Raises BadCursor."""
    ordered: Any = photos.newest_first()  # type: ignore[attr-defined]
    if cursor:
        ordered = ordered.after_in_timeline(*place_of(cursor))
    rows = list(ordered.annotate(json=PhotoJson()).values_list("json", "taken_at", "pk")[: limit + 1])
    items = [row[0] for row in rows[:limit]]
    if len(rows) <= limit:
        return CursorPage(items, None)
    _, taken_at, pk = rows[limit - 1]
    return CursorPage(items, as_cursor(Photo(pk=pk, taken_at=taken_at)))


def as_cursor(photo: Photo) -> str:
    """A place in the timeline as text that clients hand back without looking into it."""
    return base64.urlsafe_b64encode(cursor_of(photo).encode()).decode().rstrip("=")


def place_of(cursor: str) -> Any:
    """Wall clock and id of such a text. Raises BadCursor."""
    if len(cursor) > MOST_CHARACTERS:
        raise BadCursor("The cursor is too long.")
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode(
            "ascii"
        )
    except (binascii.Error, ValueError):
        raise BadCursor("The cursor is none of ours.") from None
    taken_at, pk = parse_cursor(text)
    if pk < 0:
        raise BadCursor("The cursor is none of ours.")
    return taken_at, pk
