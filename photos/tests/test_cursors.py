"""Pages by cursor: every photo once, whatever arrives meanwhile."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from photos.api.cursors import as_cursor, page_after, place_of
from photos.models import Photo
from photos.timeline import BadCursor

Rows = Callable[[int], list[int]]
NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)


def ids(items: list[str]) -> list[int]:
    return [json.loads(item)["id"] for item in items]


def test_pages_show_every_photo_once_newest_first(photo_rows: Rows) -> None:
    photos = photo_rows(7)
    Photo.objects.update(taken_at=NOON)  # the same moment: the id decides
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = page_after(Photo.objects.all(), cursor, limit=3)
        seen += ids(page.items)
        cursor = page.next_cursor
    assert seen == sorted(photos, reverse=True)


def test_photos_that_arrive_shift_nothing(photo_rows: Rows) -> None:
    old = photo_rows(4)
    Photo.objects.update(taken_at=NOON)
    first = page_after(Photo.objects.all(), "", limit=2)
    photo_rows(3)  # newer ones
    second = page_after(Photo.objects.all(), first.next_cursor or "", limit=10)
    assert ids(first.items) + ids(second.items) == sorted(old, reverse=True)


def test_a_full_last_page_has_no_next(photo_rows: Rows) -> None:
    photo_rows(2)
    assert page_after(Photo.objects.all(), "", limit=2).next_cursor is None


def test_a_page_costs_one_query(photo_rows: Rows, django_assert_num_queries: Any) -> None:
    photo_rows(5)
    with django_assert_num_queries(1):
        page_after(Photo.objects.all(), as_cursor(Photo(pk=3, taken_at=NOON)), limit=2)


def test_a_cursor_leads_back_to_its_place() -> None:
    assert place_of(as_cursor(Photo(pk=7, taken_at=NOON))) == (NOON, 7)


@pytest.mark.parametrize(
    "text", ["x", "====", "é", "\0", "MjAyNA", "a" * 201, "MjAyNC0wMS0wMV8tMQ", "bm9fMQ"]
)
def test_a_text_that_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        place_of(text)
