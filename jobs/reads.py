"""Reads that stay on the event loop: for the few statements that make up most of the requests.

A visit to a thread costs more than such a statement, above all when many threads want Python's lock. The web
server, which is where a connection pool is, keeps a few connections for them. Everywhere else the ORM's
connection is asked, in the request's thread.
"""

import asyncio
from collections.abc import Awaitable
from typing import cast

import psycopg
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection

from jobs.pipeline import Pipeline, Row
from jobs.prepared import prepared_cursor
from jobs.unchanged import SNAPSHOT, Snapshot

MOST_PIPELINES = 4  # so that a slow read does not hold up the others

era = 0  # one more with each new connection

_pipelines: dict[asyncio.AbstractEventLoop, "Pipelines"] = {}


async def fetch_one(sql: str, parameters: Row) -> Row | None:
    """The first row of a query. Raises OperationalError when the database does not answer."""
    if (pipelines := pipelines_here()) is None:
        return await sync_to_async(fetch_one_here)(sql, parameters)
    return await answer_to(pipelines.ask(sql, parameters))


async def fetch_seen(sql: str, parameters: Row) -> tuple[Row | None, Snapshot | None]:
    """The first row of a query whose last column is SNAPSHOT, without it, and what it saw.

    None for that where nothing can be kept: outside of the web server, and on a standby.
    """
    row = await fetch_one(sql, parameters)
    if row is None:
        return None, None
    *values, text = row
    is_usable = text and pipelines_here() is not None
    return tuple(values), Snapshot(era, text) if is_usable else None


def ask_for_snapshot() -> Awaitable[Row | None]:
    """Ask, at once, for what a statement sees now; `snapshot_in` awaits it. In the web server only."""
    pipelines = pipelines_here()
    assert pipelines is not None
    return pipelines.ask_for_snapshot()


async def snapshot_in(answer: Awaitable[Row | None]) -> Snapshot:
    """Raises OperationalError when the database does not answer."""
    (text,) = await answer_to(answer) or ("",)
    return Snapshot(era, text)


async def answer_to(question: Awaitable[Row | None]) -> Row | None:
    """The row, with errors as the ORM has them."""
    try:
        return await question
    except psycopg.Error:
        with connection.wrap_database_errors:
            raise


def pipelines_here() -> "Pipelines | None":
    """Those of this event loop; None outside of the web server."""
    if "pool" not in settings.DATABASES["default"]["OPTIONS"]:
        return None
    loop = asyncio.get_running_loop()
    if loop not in _pipelines:
        _pipelines[loop] = Pipelines()
    return _pipelines[loop]


def fetch_one_here(sql: str, parameters: Row) -> Row | None:
    """The same on the ORM's connection, for code in a thread."""
    with prepared_cursor() as cursor:
        return cast(Row | None, cursor.execute(sql, parameters).fetchone())


class Pipelines:
    """Those of one event loop, opened as they are needed."""

    def __init__(self) -> None:
        self._open: list[Pipeline] = []
        self._connecting = asyncio.Lock()
        self._snapshot: asyncio.Future[Row | None] | None = None  # asked for in this turn of the loop

    def ask_for_snapshot(self) -> asyncio.Future[Row | None]:
        """One for all who ask in one turn: it is sent when the turn ends."""
        if self._snapshot is None:
            self._snapshot = self.ask(f"SELECT {SNAPSHOT}", ())
            asyncio.get_running_loop().call_soon(self._end_turn)
        return self._snapshot

    def _end_turn(self) -> None:
        self._snapshot = None

    def ask(self, sql: str, parameters: Row) -> asyncio.Future[Row | None]:
        flowing = self._first_flowing()
        if flowing is not None:
            return flowing.fetch_one(sql, parameters)
        return asyncio.ensure_future(self._ask_when_flowing(sql, parameters))

    async def _ask_when_flowing(self, sql: str, parameters: Row) -> Row | None:
        pipeline = await self._flowing()
        return await pipeline.fetch_one(sql, parameters)

    async def _flowing(self) -> Pipeline:
        """The first that is not held up, if need be a new one; the one with the fewest when there are enough.

        As few as possible: what is asked of one connection together wakes one process, once.
        """
        self._open[:] = [pipeline for pipeline in self._open if pipeline.is_open]
        if not self._open or (len(self._open) < MOST_PIPELINES and not self._connecting.locked()):
            async with self._connecting:
                if self._first_flowing() is None:  # else the one before us has opened it
                    await self._add()
        flowing = self._first_flowing()
        return min(self._open, key=len) if flowing is None else flowing

    def _first_flowing(self) -> Pipeline | None:
        for pipeline in self._open:
            if pipeline.is_open and not pipeline.is_held_up:
                return pipeline
        return None

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
