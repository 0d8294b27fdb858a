"""A TCP proxy that does to HTTP what bad days do: errors, resets, cut answers, slowness."""

import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Literal
from urllib.parse import urlsplit

Fault = Literal["none", "500", "503", "reset", "cut", "slow"]
CUT_AFTER_BYTES = 2_000
LINGER_AND_RESET = struct.pack("ii", 1, 0)


class FaultyProxy:
    """Each connection meets the next of `faults`, in turn."""

    def __init__(self, target: str, faults: Sequence[Fault]) -> None:
        parts = urlsplit(target)
        self.target = (parts.hostname or "", parts.port or 80)
        self.faults = faults
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            fault = self.faults[self.connections % len(self.faults)]
            self.connections += 1
            threading.Thread(target=self.handle, args=(client, fault), daemon=True).start()

    def handle(self, client: socket.socket, fault: Fault) -> None:
        with closing(client), suppress(OSError):
            if fault == "reset":
                client.recv(1)
                reset(client)
            elif fault in ("500", "503"):
                client.recv(65536)
                client.sendall(
                    f"HTTP/1.1 {fault} Bad Day\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
                )
            else:
                with closing(socket.create_connection(self.target)) as server:
                    upward = threading.Thread(target=pump, args=(client, server, "none"), daemon=True)
                    upward.start()
                    pump(server, client, fault)


def pump(source: socket.socket, target: socket.socket, fault: Fault) -> None:
    """Copy until one side ends."""
    passed = 0
    with suppress(OSError):
        while data := source.recv(65536):
            if fault == "slow":
                time.sleep(0.05)
            if fault == "cut" and passed + len(data) > CUT_AFTER_BYTES:
                target.shutdown(socket.SHUT_RDWR)
                break
            target.sendall(data)
            passed += len(data)
        target.shutdown(socket.SHUT_WR)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_AND_RESET)
    connection.close()


@contextmanager
def faulty_proxy(target: str, faults: Sequence[Fault]) -> Iterator[FaultyProxy]:
    proxy = FaultyProxy(target, faults)
    threading.Thread(target=proxy.serve, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.listener.shutdown(socket.SHUT_RDWR)
        proxy.listener.close()
