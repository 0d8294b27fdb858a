"""Reads that stay on the event loop: for the few statements that make up most of the requests.

A visit to a thread costs more than such a statement, above all when many threads want Python's lock. The web
server, which is where a connection pool is, keeps a few connections for them. Everywhere else the ORM's
connection is asked, in the request's thread.
"""

import asyncio
from typing import cast

import psycopg
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection

from jobs.pipeline import Pipeline, Row
from jobs.prepared import prepared_cursor
from jobs.unchanged import Snapshot

MOST_PIPELINES = 4  # so that a slow read does not hold up the others

era = 0  # one more with each new connection

_pipelines: dict[asyncio.AbstractEventLoop, "Pipelines"] = {}


async def fetch_one(sql: str, parameters: Row) -> Row | None:
    """The first row of a query. Raises OperationalError when the database does not answer."""
    if "pool" not in settings.DATABASES["default"]["OPTIONS"]:
        return await sync_to_async(fetch_one_here)(sql, parameters)
    loop = asyncio.get_running_loop()
    if loop not in _pipelines:
        _pipelines[loop] = Pipelines()
    try:
        return await _pipelines[loop].fetch_one(sql, parameters)
    except psycopg.Error:
        with connection.wrap_database_errors:
            raise


async def fetch_seen(sql: str, parameters: Row) -> tuple[Row | None, Snapshot | None]:
    """The first row of a query whose last column is SNAPSHOT, without it, and what it saw.

    None for that where nothing can be kept: outside of the web server, and on a standby.
    """
    row = await fetch_one(sql, parameters)
    if row is None:
        return None, None
    *values, text = row
    is_usable = text and asyncio.get_running_loop() in _pipelines
    return tuple(values), Snapshot(era, text) if is_usable else None


def fetch_one_here(sql: str, parameters: Row) -> Row | None:
    """The same on the ORM's connection, for code in a thread."""
    with prepared_cursor() as cursor:
        return cast(Row | None, cursor.execute(sql, parameters).fetchone())


class Pipelines:
    """Those of one event loop, opened as they are needed."""

    def __init__(self) -> None:
        self._open: list[Pipeline] = []
        self._connecting = asyncio.Lock()

    async def fetch_one(self, sql: str, parameters: Row) -> Row | None:
        pipeline = await self._flowing()
        return await pipeline.fetch_one(sql, parameters)

    async def _flowing(self) -> Pipeline:
        """The first that is not held up, if need be a new one; the one with the fewest when there are enough.

        As few as possible: what is asked of one connection together wakes one process, once.
        """
        if (flowing := self._first_flowing()) is not None:
            return flowing
        if not self._open or (len(self._open) < MOST_PIPELINES and not self._connecting.locked()):
            async with self._connecting:
                if self._first_flowing() is None:  # else the one before us has opened it
                    await self._add()
        flowing = self._first_flowing()
        return min(self._open, key=len) if flowing is None else flowing

    def _first_flowing(self) -> Pipeline | None:
        self._open[:] = [pipeline for pipeline in self._open if pipeline.is_open]
        return next((pipeline for pipeline in self._open if not pipeline.is_held_up), None)

    async def _add(self) -> None:
        global era
        try:
            opened = await connect()
        except psycopg.OperationalError:
            if not self._open:  # else there is one, if not as many as would be good
                raise
        else:
            self._open.append(opened)
            era += 1


async def connect() -> Pipeline:
    """With the ORM's parameters."""
    parameters = connection.get_connection_params()
    del parameters["cursor_factory"]
    return Pipeline(await psycopg.AsyncConnection.connect(**parameters, autocommit=True))
