"""Who hears which live events: looked up when a connection opens, and again while it stays open."""

from collections.abc import Mapping
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import Error
from django.utils.module_loading import import_string

from jobs.events import library_group

RECHECK_SECONDS = 20.0


class Hearing:
    """The groups that one channel is in, for whoever the headers of its ASGI scope say (EVENT_USER)."""

    def __init__(self, layer: Any, channel: str, scope: Mapping[str, Any]) -> None:
        self._layer = layer
        self._channel = channel
        self._scope = scope
        self._joined: set[str] = set()

    async def update(self) -> bool:
        """Hear the libraries that may be seen now, and no others. False when nobody may hear any more."""
        # With a database connection for this moment only: the pool has fewer than there are open pages.
        groups = await database_sync_to_async(groups_of)(self._scope)
        await self._hear(groups or set())
        return groups is not None

    async def update_again(self) -> bool:
        """`update` on a connection that is open: while the database is away, as it was the last time."""
        try:
            return await self.update()
        except Error:
            return True

    async def end(self) -> None:
        await self._hear(set())

    async def _hear(self, groups: set[str]) -> None:
        for group in groups - self._joined:
            await self._layer.group_add(group, self._channel)
        for group in self._joined - groups:
            await self._layer.group_discard(group, self._channel)
        self._joined = groups


def groups_of(scope: Mapping[str, Any]) -> set[str] | None:
    """Those of EVENT_LIBRARIES; None when the headers are nobody's, or no longer anybody's."""
    user = import_string(settings.EVENT_USER)(scope)
    if user is None:
        return None
    return set(map(library_group, import_string(settings.EVENT_LIBRARIES)(user)))
