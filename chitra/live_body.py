"""Uploads reach their view while they come in, instead of after they lie in a temporary file."""

import asyncio
import io
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import close_old_connections
from django.http import HttpResponse

from photos.serving import FileAnswer

SEND_FILE = "http.response.zerocopysend"
Receive = Callable[[], Awaitable[dict[str, Any]]]
LIVE_PATHS = ("/api/photos/upload", "/api/uploads")
KEPT_THREADS = 16
TAKEN_BYTES = 512 * 1024  # at a time: each hop from the view's thread to the event loop costs 0.1 ms


class LiveBody(io.RawIOBase):
    """The body of a request as a file, for a thread: reads wait for the client.

    Meanwhile they keep no connection to the database: ten slow clients would have all. Raises OSError when
    the client goes away.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        self._is_complete = False
        self._over = asyncio.Event()  # complete, or the client is gone
        self.is_disconnected = False

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            return self.readall()
        while not self._buffer and not self._is_complete:
            close_old_connections()
            self._buffer = asyncio.run_coroutine_threadsafe(self._take(), self._loop).result()
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def readall(self) -> bytes:
        return b"".join(iter(lambda: self.read(TAKEN_BYTES), b""))

    async def _take(self) -> bytes:
        """What the server has for us, at least one piece."""
        pieces: list[bytes] = []
        size = 0
        while size < TAKEN_BYTES:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.is_disconnected = self._is_complete = True
                self._over.set()
                raise ConnectionAbortedError("The client went away in the middle of the body.")
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
            if not message.get("more_body", False):
                self._is_complete = True
                self._over.set()
                break
        return b"".join(pieces)

    async def until_disconnected(self) -> dict[str, Any]:
        """The message that the client is gone, once the body is complete or broke off."""
        await self._over.wait()
        return {"type": "http.disconnect"} if self.is_disconnected else await self._receive()


class LiveReceive:
    """`receive` of a request with a live body: Django waits beside the view for the client to go."""

    def __init__(self, receive: Receive) -> None:
        self.body = LiveBody(receive)

    async def __call__(self) -> dict[str, Any]:
        return await self.body.until_disconnected()


class LiveBodyHandler(ASGIHandler):
    """Django's handler; requests to LIVE_PATHS start when their headers are there.

    Their views read the body in a thread, never on the event loop, which would wait for itself.

    Each request has a thread of its own for what blocks, as in Django, but threads are kept: to start and to
    join one for each request costs more than most queries. Not that of a request which was given up: it may
    have to do for long, and the next one would wait for it.
    """

    chunk_size = 1024 * 1024  # of a streamed answer; Django's 64 KiB cost a third of the speed

    def __init__(self) -> None:
        super().__init__()
        self.threads: list[ThreadPoolExecutor] = []  # of one thread each, not in use

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        # Django takes a form of undeclared length for empty; such a one is read whole first.
        is_live = scope["method"] in ("POST", "PATCH") and b"content-length" in dict(scope["headers"])
        if is_live and scope["path"].startswith(LIVE_PATHS):
            receive = LiveReceive(receive)
        thread = self.threads.pop() if self.threads else ThreadPoolExecutor(1, thread_name_prefix="request")
        is_over = False
        try:
            async with ThreadSensitiveContext(executor=thread):
                await super().__call__(scope, receive, send)
            is_over = True
        finally:
            if is_over and len(self.threads) < KEPT_THREADS:
                self.threads.append(thread)
            else:
                thread.submit(close_old_connections)
                thread.shutdown(wait=False)

    async def run_get_response(self, request: Any) -> Any:
        response = await super().run_get_response(request)
        if isinstance(response, FileAnswer):
            response.goes_as_file = SEND_FILE in request.scope.get("extensions", {})
        return response

    async def send_response(self, response: Any, send: Any) -> None:
        """A file goes to the server as such, if that can send one (ASGI's “Zero Copy Send”).

        What is sent for long does not keep a connection to the database: ten slow clients would have all.
        """
        if response.streaming:
            await sync_to_async(close_old_connections)()
        if not isinstance(response, FileAnswer) or not response.goes_as_file:
            await super().send_response(response, send)
            return
        head = HttpResponse(status=response.status_code, headers=response.headers)
        head.cookies = response.cookies

        async def send_file(message: Mapping[str, Any]) -> None:
            if message["type"] == "http.response.body":
                place = {"file": response.file, "offset": response.start, "count": response.length}
                message = {"type": SEND_FILE, **place}
            await send(message)

        await super().send_response(head, send_file)

    async def read_body(self, receive: Any) -> Any:
        if isinstance(receive, LiveReceive):
            return receive.body
        return await super().read_body(receive)
