"""Daphne whose bodies flow: a request is read as the application asks for it, a response as the client
takes it.

Daphne alone reads a whole upload into memory before the application sees it, and keeps a whole download
there for a slow client. Run as `python -m chitra.web_server`, with Daphne's options.
"""

import asyncio
import ctypes
import json
import logging
import os
import socket
from io import BytesIO
from typing import Any, BinaryIO
from uuid import uuid4

from daphne.cli import CommandLineInterface
from daphne.http_protocol import WebRequest
from daphne.server import Server
from twisted.internet import tcp
from twisted.web import http as twisted_http

from chitra import request_ids

logger = logging.getLogger("chitra.web_server")  # not the __main__ that it is run as
SPOOLED_BYTES = 64 * 1024  # a body up to this is taken whole, as Daphne does
WAITING_BYTES = 1024 * 1024  # of a body that may wait for the application before the client has to
SENT_BYTES = 1024 * 1024  # in one go; Twisted's own 128 KiB make eight turns of the event loop of it
# Read on behind an early answer, which a client mid-body would miss otherwise.
DISCARDED_BYTES = 64 * 1024 * 1024
SEND_FILE = "http.response.zerocopysend"  # ASGI's extension “Zero Copy Send”
LAST_WORDS_SECONDS = 2  # for a client to read why its request was refused
MALLOC_OPTIONS = {  # of glibc's mallopt
    -8: 2,  # M_ARENA_MAX; by itself each thread keeps the memory that it once used
    -3: 4 * 1024 * 1024,  # M_MMAP_THRESHOLD; a part of an upload goes back to the system when it is sent
    -1: 8 * 1024 * 1024,  # M_TRIM_THRESHOLD; what is smaller is used again without asking the system
}


http: Any = twisted_http  # its types cover half of what is used here


class FlowingRequest(WebRequest):  # type: ignore[misc]
    """A request whose application starts when the headers are there. All runs on the event loop's thread."""

    is_flowing = False
    is_complete = False  # the whole body has come

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.waiting_bytes = 0
        self.is_paused = False
        self.discarded_bytes = -1  # 0 and more: answered, the rest of the body is of no interest
        self.writable = asyncio.Event()
        self.writable.set()

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        """The headers have come; `length` of the body, None for a chunked one."""
        if length is not None and length <= SPOOLED_BYTES:
            super().gotLength(length)
            return
        self.is_flowing = True
        self.content = BytesIO()
        channel = self.channel
        super().requestReceived(channel._command, channel._path, channel._version)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802
        """The body has come."""
        self.is_complete = True
        if not self.is_flowing:
            self.content.seek(0)  # Twisted parses no form then, and refuses none with an empty answer
            super().requestReceived(command, path, version)
        elif self.discarded_bytes >= 0:
            super().finish()
        elif self.application_queue:
            self.application_queue.put_nowait({"type": "http.request", "body": b"", "more_body": False})

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        """A piece of the body."""
        if not self.is_flowing:
            super().handleContentChunk(data)
        elif self.discarded_bytes >= 0:
            self.discarded_bytes += len(data)
            if self.discarded_bytes > DISCARDED_BYTES and not self.finished:
                self.channel.persistent = False
                super().finish()
        elif self.application_queue:
            self.waiting_bytes += len(data)
            self.application_queue.put_nowait({"type": "http.request", "body": data, "more_body": True})
            if self.waiting_bytes > WAITING_BYTES and not self.is_paused:
                self.is_paused = True
                self.channel.setTimeout(None)
                self.channel._networkProducer.pauseProducing()

    def consumed(self, count: int) -> None:
        """The application took so many bytes."""
        self.waiting_bytes -= count
        if self.waiting_bytes <= WAITING_BYTES // 2:
            self.read_on()

    def read_on(self) -> None:
        """Let the client send again."""
        if self.is_paused and self.channel is not None:
            self.is_paused = False
            self.channel.setTimeout(self.channel.factory.timeOut)
            self.channel._networkProducer.resumeProducing()

    def write_and_wait(self) -> None:
        """Hear from the transport when the client does not keep up."""
        if self.producer is None:
            self.channel.transport.SEND_LIMIT = SENT_BYTES
            self.registerProducer(self, True)

    @property
    def can_send_files(self) -> bool:
        """Whether the connection is a bare socket: neither TLS nor HTTP/2."""
        transport = self.channel.transport
        return isinstance(transport, tcp.Connection) and not self.isSecure()

    async def send_file(self, file: BinaryIO, offset: int, count: int) -> None:
        """Send a part of a file, from the disk to the network without a way through Python."""
        self.write(b"")  # the head
        transport = self.channel.transport
        link = transport.socket.dup()  # to be watched here; Twisted watches the other one
        try:
            await flushed(transport, link)
            while count and (sent := await send_piece(link, file, offset, count)):
                offset, count = offset + sent, count - sent
                self.sentLength += sent
        except ConnectionError:
            pass  # Twisted notices as well
        finally:
            link.close()
        if count:
            transport.abortConnection()  # or the client waits for the rest of a file that became shorter
        else:
            self.handle_reply({"type": "http.response.body"})

    def pauseProducing(self) -> None:  # noqa: N802
        self.writable.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self.writable.set()

    def stopProducing(self) -> None:  # noqa: N802
        self.writable.set()

    def finish(self) -> None:
        """The answer is complete; what is left of the body is read and dropped first."""
        self.writable.set()
        if self.producer is self:
            self.unregisterProducer()
        if self.is_flowing and not self.is_complete and self.channel is not None:
            self.discarded_bytes = 0
            self.read_on()
        else:
            super().finish()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        self.writable.set()
        super().connectionLost(reason)


async def flushed(transport: Any, link: socket.socket) -> None:
    """Return when nothing of what was written waits to be sent."""
    transport.doWrite()
    while transport.dataBuffer or transport._tempDataBuffer:
        await until_writable(link)


async def send_piece(link: socket.socket, file: BinaryIO, offset: int, count: int) -> int:
    """Send what the socket takes, at least something. Returns how much; 0 at the end of the file.

    In a thread, because the disk may be slow. It has ended when this does: the socket is closed then.
    """
    while True:
        sending = asyncio.ensure_future(asyncio.to_thread(fill_socket, link, file, offset, count))
        try:
            sent = await asyncio.shield(sending)
        finally:
            await asyncio.wait([sending])
        if sent is not None:
            return sent
        await until_writable(link)


def fill_socket(link: socket.socket, file: BinaryIO, offset: int, count: int) -> int | None:
    """Send until the socket is full; None when it is full already."""
    sent = 0
    try:
        while sent < count and (
            piece := os.sendfile(link.fileno(), file.fileno(), offset + sent, count - sent)
        ):
            sent += piece
    except BlockingIOError:
        return sent or None
    return sent


async def until_writable(link: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_writer(link, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_writer(link)


class PlainSpokenChannel(http.HTTPChannel):  # type: ignore[misc]
    """A connection that says why it ends, where Twisted's closes without a word."""

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: N802 - Twisted's name
        """The request line or a header is longer than 16 KiB."""
        if self._receivedHeaderSize:
            self.refuse("431 Request Header Fields Too Large", "headers_too_large", "A header is too long.")
        else:
            self.refuse("414 URI Too Long", "address_too_long", "The address is longer than 16 KiB.")

    def _respondToBadRequestAndDisconnect(self) -> None:  # noqa: N802
        """What came is no request, or its headers together have more than 16 KiB."""
        self.refuse("400 Bad Request", "bad_request", "This is no HTTP request, or its headers are too long.")

    def refuse(self, status: str, code: str, message: str) -> None:
        """Answer, then read on for a moment: closed with bytes unread, the answer could be lost."""
        request_id = uuid4().hex  # what the client sent as one is in the headers that are not read
        logger.warning("%s [%s]", status, request_id)
        body = json.dumps({"error": code, "detail": code, "message": message}).encode()
        headers = {
            "Content-Type": "application/json",
            "Content-Length": len(body),
            request_ids.HEADER: request_id,
            "Connection": "close",
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.transport.write(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)
        self.setTimeout(LAST_WORDS_SECONDS)
        self.dataReceived = self.lineReceived = drop
        self.transport.loseWriteConnection()


def drop(data: bytes) -> None:
    """What the client still sends is of no interest."""


def make_channel(factory: Any) -> Any:
    """The protocol of a connection, as Twisted's factory makes it, with our channel."""
    return http._GenericHTTPChannelProtocol(PlainSpokenChannel())


class FirstMessageDropped:
    """The queue as `WebRequest.process` sees it: the empty body that it puts in first is not the body."""

    def __init__(self, queue: "asyncio.Queue[dict[str, Any]]") -> None:
        self._queue = queue
        self._dropped = False

    def put_nowait(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.request" and not self._dropped:
            self._dropped = True
            return
        self._queue.put_nowait(message)


class FlowingServer(Server):  # type: ignore[misc]
    """Daphne's server with such requests."""

    application: Any

    def run(self) -> None:
        from daphne import http_protocol

        http_protocol.WebRequest = FlowingRequest  # what its factory makes; there is no hook for it
        http_protocol.HTTPFactory.protocol = make_channel
        super().run()

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Start the application; what it receives is counted, so that more may come."""
        if isinstance(protocol, FlowingRequest) and protocol.can_send_files:
            scope["extensions"] = {SEND_FILE: {}}
        if not isinstance(protocol, FlowingRequest) or not protocol.is_flowing:
            return super().create_application(protocol, scope)
        application = self.application

        async def counted(*, scope: dict[str, Any], receive: Any, send: Any) -> None:
            async def receive_counted() -> dict[str, Any]:
                message: dict[str, Any] = await receive()
                protocol.consumed(len(message.get("body", b"")))
                return message

            await application(scope, receive_counted, send)

        self.application = counted
        try:
            queue = super().create_application(protocol, scope)
        finally:
            self.application = application
        return queue and FirstMessageDropped(queue)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Send, and return when the client has taken enough of it."""
        if message["type"] == SEND_FILE:
            if protocol.channel is not None and not protocol.finished:
                await protocol.send_file(message["file"], message["offset"], message["count"])
            return
        flows = isinstance(protocol, FlowingRequest) and message.get("more_body", False)
        if flows:
            protocol.write_and_wait()
        await super().handle_reply(protocol, message)
        if flows:
            await protocol.writable.wait()


class FlowingCommandLine(CommandLineInterface):  # type: ignore[misc]
    server_class = FlowingServer


def keep_memory_flat() -> None:
    """Have memory given back that a large upload no longer needs. Other C libraries do as they like."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in MALLOC_OPTIONS.items():
            mallopt(option, value)


if __name__ == "__main__":
    keep_memory_flat()
    FlowingCommandLine.entrypoint()
