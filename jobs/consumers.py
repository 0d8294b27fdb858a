"""Live events over websockets."""

from typing import Any

from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings
from django.utils.module_loading import import_string

from jobs.events import library_group
from jobs.listener import ensure_listening

UNAUTHORISED = 4401


class EventsConsumer(AsyncJsonWebsocketConsumer):
    """Sends the events of the libraries the user may see (EVENT_LIBRARIES says which); takes nothing."""

    groups_joined: tuple[str, ...] = ()

    async def connect(self) -> None:
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            await self.accept()
            await self.close(code=UNAUTHORISED)
            return
        libraries = import_string(settings.EVENT_LIBRARIES)
        self.groups_joined = tuple(map(library_group, await sync_to_async(libraries)(user)))
        for group in self.groups_joined:
            await self.channel_layer.group_add(group, self.channel_name)
        await ensure_listening()
        await self.accept()

    async def disconnect(self, code: int) -> None:
        for group in self.groups_joined:
            await self.channel_layer.group_discard(group, self.channel_name)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """Pages only listen."""

    async def library_event(self, message: dict[str, Any]) -> None:
        await self.send_json(message["event"])
