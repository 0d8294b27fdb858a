"""One LISTEN connection a web process, started by the first page that wants live events."""

import asyncio
import json
import logging
from contextlib import suppress
from typing import Any

import psycopg
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connection

from jobs.events import CHANNEL, library_group

logger = logging.getLogger(__name__)
RECONNECT_SECONDS = (1, 2, 5, 10)
START_SECONDS = 5

_listeners: dict[asyncio.AbstractEventLoop, "Listener"] = {}


async def ensure_listening() -> None:
    """Start this loop's listener unless it runs, and wait until it hears (a few seconds at most).

    With Redis there is nothing to listen for.
    """
    if settings.REDIS_URL:
        return
    loop = asyncio.get_running_loop()
    listener = _listeners.get(loop)
    if listener is None or listener.task.done():
        listener = _listeners[loop] = Listener(loop)
    with suppress(TimeoutError):
        await asyncio.wait_for(listener.hears.wait(), START_SECONDS)


class Listener:
    """The task that listens; `hears` is set while it is connected."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.hears = asyncio.Event()
        self.task = loop.create_task(self.listen_for_ever())

    async def listen_for_ever(self) -> None:
        """Listen, and connect again with a growing pause when the database goes away."""
        failures = 0
        while True:
            try:
                await self.listen()
            except psycopg.Error as error:
                failures = 0 if self.hears.is_set() else failures + 1
                self.hears.clear()
                pause = RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)]
                logger.warning("Live events are off for %s s: %s", pause, error)
                await asyncio.sleep(pause)

    async def listen(self) -> None:
        """Hand every notification to the channel layer until the connection ends."""
        async with await psycopg.AsyncConnection.connect(**connection_parameters(), autocommit=True) as link:
            await link.execute(f"LISTEN {CHANNEL}")
            self.hears.set()
            async for notification in link.notifies():
                await deliver(notification.payload)


async def deliver(payload: str) -> None:
    """Send one event to the group of its library."""
    event = json.loads(payload)
    layer = get_channel_layer()
    await layer.group_send(library_group(event["library_id"]), {"type": "library.event", "event": event})


def connection_parameters() -> dict[str, Any]:
    """psycopg's parameters for the ORM's database, without what belongs to the ORM."""
    wanted = {"dbname", "user", "password", "host", "port", "sslmode", "sslrootcert"}
    parameters = connection.get_connection_params()
    return {key: value for key, value in parameters.items() if key in wanted}
