"""Live events over websockets."""

import asyncio
from typing import Any

from channels.generic.websocket import AsyncJsonWebsocketConsumer

from jobs import hearing
from jobs.listener import ensure_listening

UNAUTHORISED = 4401


class EventsConsumer(AsyncJsonWebsocketConsumer):
    """Sends the events of the libraries that may be seen by whoever opened it; takes nothing."""

    hearing: hearing.Hearing
    watch: "asyncio.Task[None] | None" = None

    async def connect(self) -> None:
        self.hearing = hearing.Hearing(self.channel_layer, self.channel_name, self.scope)
        if not await self.hearing.update():
            await self.accept()
            await self.close(code=UNAUTHORISED)
            return
        await ensure_listening()
        await self.accept()
        self.watch = asyncio.create_task(self.look_again())

    async def look_again(self) -> None:
        """Close when the session ended, the key was revoked or the account was closed meanwhile."""
        while True:
            await asyncio.sleep(hearing.RECHECK_SECONDS)
            if not await self.hearing.update_again():
                await self.close(code=UNAUTHORISED)
                return

    async def disconnect(self, code: int) -> None:
        if self.watch is not None:
            self.watch.cancel()
        await self.hearing.end()

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """Pages only listen."""

    async def library_event(self, message: dict[str, Any]) -> None:
        await self.send_json(message["event"])
