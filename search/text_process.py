"""Query vectors from a process of their own: with torch in it the web process would take three times its
memory, for something that is needed rarely.

Started at the first need, from nothing (no forked sockets or connections), started again when it has ended or
crashed. All functions are for the event loop: they wait for nothing but the answer.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from search.encoders import Choice
from search.text_child import as_argument

ROOT = Path(__file__).resolve().parent.parent
ATTEMPTS = 2  # a process that was killed, or that went idle at this very moment, costs one
ANSWER_SECONDS = 30.0  # loading takes 3 to 15; proxies commonly give up after 60
IDLE_SECONDS = (
    600.0  # people search in bursts: between them 450 MB are worth more than the seconds of loading
)


class TextProcessError(Exception):
    """There is no vector; the message says why."""


@dataclass(eq=False)
class Child:
    """One life of the process. `has_answered` tells that its model is loaded."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    has_answered: bool = False


@dataclass(eq=False)
class TextProcess:
    """The process for one choice of encoder."""

    choice: Choice
    answer_seconds: float = ANSWER_SECONDS
    idle_seconds: float = IDLE_SECONDS
    child: Child | None = field(default=None, init=False)

    async def embed(self, text: str) -> tuple[np.ndarray[Any, Any], float]:
        """Vector and cutoff of a text, as `encoders.Encoder` gives them. Raises TextProcessError."""
        for _ in range(ATTEMPTS):
            if data := await self._ask(self.start(), text):
                answer = json.loads(data)
                if "error" in answer:
                    raise TextProcessError(answer["error"])
                return np.asarray(answer["vector"], dtype=np.float32), answer["cutoff"]
        raise TextProcessError("The search model ended twice; the log of the web server says why.")

    def start(self) -> Child:
        """The process, which begins to load its model when it is new. Does not wait for it."""
        if self.child is not None and self.child.process.poll() is None:
            return self.child
        self.stop()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        command = [
            sys.executable,
            "-m",
            "search.text_child",
            as_argument(self.choice),
            str(self.idle_seconds),
        ]
        with theirs:
            process = subprocess.Popen(command, stdin=theirs.fileno(), cwd=ROOT)
        threading.Thread(target=process.wait, name="text-child", daemon=True).start()  # no zombie stays
        self.child = Child(process, ours)
        return self.child

    def stop(self) -> None:
        """End the process: without our end of the socket it goes by itself."""
        if self.child is not None:
            self.child.control.close()
            self.child = None

    async def _ask(self, child: Child, text: str) -> bytes:
        """What this process answers; b"" when it ended instead."""
        connection = pass_request(child.control, text)
        if connection is None:
            self._forget(child)
            return b""
        with connection:
            try:
                data = await asyncio.wait_for(read_line(connection), self.answer_seconds)
            except TimeoutError:
                raise self._give_up(child) from None
        if data:
            child.has_answered = True
        else:
            self._forget(child)
        return data

    def _give_up(self, child: Child) -> TextProcessError:
        """A process that hangs is killed; one that is slow to load goes on, for whoever asks next."""
        if not child.has_answered:
            return TextProcessError("The search model is still being loaded. Try again in a minute.")
        child.process.kill()
        self._forget(child)
        return TextProcessError("The search model did not answer and is started anew. Try again in a minute.")

    def _forget(self, child: Child) -> None:
        if self.child is child:
            self.stop()


def pass_request(control: socket.socket, text: str) -> socket.socket | None:
    """Our end of a connection whose other end goes to the process with the text; None when that is gone.

    Raises TextProcessError when hundreds wait already.
    """
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    ours.send(text.encode())  # a few kB at most: they fit
    ours.shutdown(socket.SHUT_WR)
    with theirs:
        try:
            socket.send_fds(control, [b"?"], [theirs.fileno()])
        except BlockingIOError:
            ours.close()
            raise TextProcessError("Too many searches at the same time. Try again in a minute.") from None
        except OSError:
            ours.close()
            return None
    return ours


async def read_line(connection: socket.socket) -> bytes:
    """The answer; b"" when the other side died before the end of it."""
    loop = asyncio.get_running_loop()
    data = b""
    try:
        while piece := await loop.sock_recv(connection, 65536):
            data += piece
    except ConnectionError:
        return b""
    return data if data.endswith(b"\n") else b""
