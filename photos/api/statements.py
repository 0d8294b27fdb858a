"""Queries for photos that are compiled once a user, which takes longer than to run them, and then kept.

Who may see what is looked up whenever they run.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db.models import QuerySet

from jobs.pipeline import Row
from jobs.reads import fetch_one_here, fetch_seen
from jobs.unchanged import SNAPSHOT, Snapshot
from photos.api.serializers import PhotoJson
from photos.models import Photo
from photos.pictures import Picture

ANY_PHOTO = -1  # the place of the id in a compiled query


@dataclass(frozen=True)
class PhotoStatement:
    """A query for one photo by its id."""

    sql: str
    parameters: tuple[Any, ...]

    @classmethod
    def of(cls, photos: QuerySet[Any]) -> "PhotoStatement":
        """For any of these photos."""
        sql, parameters = photos.filter(pk=ANY_PHOTO).query.sql_with_params()
        return cls(f"SELECT photo.*, {SNAPSHOT} FROM ({sql}) AS photo", parameters)

    async def fetch(self, photo_id: int) -> tuple[Row | None, Snapshot | None]:
        """The row, and what it saw."""
        return await fetch_seen(
            self.sql, tuple(photo_id if value == ANY_PHOTO else value for value in self.parameters)
        )


@lru_cache(maxsize=1000)
def pictures_of(user: Any) -> PhotoStatement:
    return PhotoStatement.of(Photo.objects.visible_to(user).values_list(*Picture._fields))


@lru_cache(maxsize=1000)
def details_of(user: Any) -> PhotoStatement:
    return PhotoStatement.of(Photo.objects.visible_to(user).annotate(json=PhotoJson()).values_list("json"))


async def find_picture(user: Any, photo_id: int) -> tuple[Picture | None, Snapshot | None]:
    """The files of a photo that `user` may see, and what was seen."""
    row, snapshot = await pictures_of(user).fetch(photo_id)
    return None if row is None else Picture(*row), snapshot


async def find_json(user: Any, photo_id: int) -> tuple[str | None, Snapshot | None]:
    """The JSON of a photo that `user` may see, and what was seen."""
    row, snapshot = await details_of(user).fetch(photo_id)
    return None if row is None else row[0], snapshot


@dataclass(frozen=True)
class PageStatement:
    """A page of photos and their number in one query."""

    sql: str
    parameters: tuple[Any, ...]

    @classmethod
    def of(cls, photos: QuerySet[Any]) -> "PageStatement":
        """For all photos of a query, in its order."""
        page, parameters = photos.annotate(json=PhotoJson()).values("json").query.sql_with_params()
        every, parameters_of_every = photos.order_by().values("pk").query.sql_with_params()
        number = f"(SELECT count(*) FROM ({every}) AS every)"
        sql = f"SELECT string_agg(page.json, ','), {number}, {SNAPSHOT} FROM ({page}"
        return cls(sql, (*parameters_of_every, *parameters))

    async def fetch(self, *, limit: int, offset: int) -> tuple[str, Snapshot | None]:
        """`{items, limit, offset, total}` as JSON, and what it saw."""
        row, snapshot = await fetch_seen(self.at(limit, offset), self.parameters)
        return page_json(row, limit, offset), snapshot

    def fetch_here(self, *, limit: int, offset: int) -> str:
        """The same in a thread."""
        return page_json(fetch_one_here(self.at(limit, offset), self.parameters), limit, offset)

    def at(self, limit: int, offset: int) -> str:
        """The numbers are part of the text, so that PostgreSQL plans a page that is asked for often once."""
        return f"{self.sql} LIMIT {int(limit)} OFFSET {int(offset)}) AS page"


def page_json(row: Row | None, limit: int, offset: int) -> str:
    items, total, *_ = row or ("", 0)
    return f'{{"items":[{items or ""}],"limit":{limit},"offset":{offset},"total":{total}}}'
