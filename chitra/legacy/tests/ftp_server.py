"""A real FTP server on loopback for tests, which can break off transfers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import DTPHandler, FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer


class Faults:
    """How often the server breaks off, and after how many bytes; `commands` are all it was asked."""

    def __init__(self, breaks: int, after_bytes: int) -> None:
        self.breaks = breaks
        self.after_bytes = after_bytes
        self.broken = 0
        self.commands: set[str] = set()


def handlers(root: Path, faults: Faults, *, knows_mlsd: bool) -> type[FTPHandler]:
    authorizer = DummyAuthorizer()
    authorizer.add_user("chitra", "p@ss word", str(root), perm="elr")

    class Channel(DTPHandler):
        def send(self, data: bytes) -> int:
            if faults.broken < faults.breaks and self.tot_bytes_sent >= faults.after_bytes:
                faults.broken += 1
                self.cmd_channel.close()
                self.close()
                return 0
            return int(super().send(data[: max(1, faults.after_bytes)] if faults.breaks else data))

    class Handler(FTPHandler):
        use_sendfile = False
        dtp_handler = Channel

        def pre_process_command(self, line: str, cmd: str, arg: str) -> Any:
            faults.commands.add(cmd)
            return super().pre_process_command(line, cmd, arg)

    Handler.authorizer = authorizer
    if not knows_mlsd:
        Handler.proto_cmds = {
            name: v for name, v in FTPHandler.proto_cmds.items() if not name.startswith("MLS")
        }
    return Handler


@contextmanager
def ftp_server(
    root: Path, *, breaks: int = 0, after_bytes: int = 0, knows_mlsd: bool = True
) -> Iterator[tuple[str, Faults]]:
    """The URL of a running server, and its faults."""
    faults = Faults(breaks, after_bytes)
    loop = IOLoop()
    server = FTPServer(("127.0.0.1", 0), handlers(root, faults, knows_mlsd=knows_mlsd), ioloop=loop)
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            loop.loop(timeout=0.05, blocking=False)

    thread = threading.Thread(target=serve, name="ftp", daemon=True)
    thread.start()
    try:
        yield f"ftp://chitra:p%40ss%20word@127.0.0.1:{server.address[1]}", faults
    finally:
        stop.set()
        thread.join(10)
        server.close_all()
