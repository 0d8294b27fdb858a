"""A load generator on bare asyncio: `load.py PORT PATH CLIENTS SECONDS KEY` prints one line of JSON.

`{n}` in the path stands for a number that no request has had before; an empty key is not sent. A redirect is
followed over one more kept-alive connection of each client, and both answers together are one.

A process of its own, so that it does not share the server's interpreter; it counts bytes and looks at the
status, and parses nothing else.
"""

import asyncio
import itertools
import json
import statistics
import sys
import time
from collections import Counter
from urllib.parse import urlsplit

NUMBERS = itertools.count(time.time_ns())


class Client(asyncio.Protocol):
    """Sends the same request over one kept-alive connection again and again until the deadline."""

    def __init__(self, request: bytes, deadline: float) -> None:
        self._request = request
        self._deadline = deadline
        self._missing = 0  # bytes of the response under way; 0 between responses
        self._head = b""
        self._store: asyncio.Transport | None = None  # the connection to where redirects lead
        self.seconds: list[float] = []
        self.errors: Counter[str] = Counter()
        self.body_bytes = 0
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._started = time.perf_counter()
        if self._started > self._deadline:
            self._transport.close()
            return
        self._transport.write(self._request.replace(b"{n}", b"%d" % next(NUMBERS)))

    def data_received(self, data: bytes) -> None:
        if not self._missing:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            head, data, self._head = self._head[:end], self._head[end + 4 :], b""
            if head.startswith(b"HTTP/1.1 302"):
                self._follow = asyncio.ensure_future(self._get(value_of(head, b"Location").decode()))
                return
            if not head.startswith(b"HTTP/1.1 200"):
                self.errors[head[9:12].decode()] += 1
            self._missing = self.body_bytes = int(value_of(head, b"Content-Length"))
        self._missing -= len(data)
        if not self._missing:
            self.seconds.append(time.perf_counter() - self._started)
            self._send()

    async def _get(self, address: str) -> None:
        """Ask another server for the answer."""
        parts = urlsplit(address)
        if self._store is None:
            self._store, _ = await asyncio.get_running_loop().create_connection(
                lambda: Follower(self), parts.hostname or "", parts.port or 80
            )
        self._store.write(f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None or time.perf_counter() < self._deadline:
            self.errors["lost"] += 1
        self.closed.set_result(None)


class Follower(asyncio.Protocol):
    """The other connection of a client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def data_received(self, data: bytes) -> None:
        self._client.data_received(data)


def value_of(head: bytes, name: bytes) -> bytes:
    """Of a header, as servers write its name."""
    return head.partition(b"\r\n%b: " % name)[2].partition(b"\r")[0]


async def main(port: int, path: str, clients: int, seconds: float, key: str) -> None:
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {'localhost' if key else f'127.0.0.1:{port}'}",
        *([f"Authorization: Bearer {key}"] if key else []),
        "Accept: */*",
    )
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    started = time.perf_counter()
    made = []
    for _ in range(clients):
        _, client = await asyncio.get_running_loop().create_connection(
            lambda: Client(request, started + seconds), "127.0.0.1", port
        )
        made.append(client)
    await asyncio.gather(*(client.closed for client in made))
    elapsed = time.perf_counter() - started
    times = [value for client in made for value in client.seconds]
    result = {
        "requests": len(times),
        "per_second": len(times) / elapsed,
        "median_ms": 1000 * statistics.median(times),
        "p95_ms": 1000 * sorted(times)[int(0.95 * len(times))],
        "errors": sum((client.errors for client in made), Counter()),
        "bytes": made[0].body_bytes,
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), sys.argv[5]))
