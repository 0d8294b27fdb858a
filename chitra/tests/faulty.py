"""A small TCP proxy between Chitra and a server, which answers with errors, dawdles or hangs up."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

Fault = Callable[[socket.socket], bool]
PIECE_BYTES = 64 * 1024


class FaultyProxy:
    """Forwards connections.

    `fault`, when set, is asked on each piece a client sends; True: it has dealt with it.
    """

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.fault: Fault | None = None
        self.faults = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def fail(self, fault: Fault, *, times: int = 1_000_000) -> None:
        """Have the next `times` pieces meet this fault."""
        self.faults = 0

        def counted(client: socket.socket) -> bool:
            if self.faults >= times:
                return False
            self.faults += 1
            return fault(client)

        self.fault = counted

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                threading.Thread(target=self._to_server, args=(client, server), daemon=True).start()
                threading.Thread(target=self._to_client, args=(server, client), daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError), client, server:
            while data := client.recv(PIECE_BYTES):
                if self.fault is not None and self.fault(client):
                    return
                server.sendall(data)

    def _to_client(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(PIECE_BYTES):
                client.sendall(data)


def answer(status: int) -> Fault:
    """An error of the server's own."""

    def send(client: socket.socket) -> bool:
        body = f"<Error><Code>Fault{status}</Code></Error>".encode()
        head = f"HTTP/1.1 {status} Fault\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
        client.sendall(head + body)
        return True

    return send


def reset(client: socket.socket) -> bool:
    """Hang up without a word."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    client.close()
    return True


def dawdle(seconds: float) -> Fault:
    """Let everything wait."""

    def wait(client: socket.socket) -> bool:
        time.sleep(seconds)
        return False

    return wait


@contextmanager
def faulty(endpoint: str) -> Iterator[FaultyProxy]:
    proxy = FaultyProxy(endpoint)
    try:
        yield proxy
    finally:
        proxy.close()
