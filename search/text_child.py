"""The process that turns texts into vectors, for a web process that has no room for torch.

`python -m search.text_child CHOICE IDLE_SECONDS`; its parent is `search.text_process`. Each request comes as
a socket of its own over the socket on standard input: a text up to its end, answered with a line of JSON. The
process ends when nobody asked for a while, and at once when its parent is gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import socket
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from search import encoders

Requests = queue.SimpleQueue[socket.socket]


def as_argument(choice: encoders.Choice) -> str:
    """A choice for the command line."""
    return json.dumps(asdict(choice), default=str)


def from_argument(text: str) -> encoders.Choice:
    values: dict[str, Any] = json.loads(text)
    weights = values.pop("weights")
    state_dir = Path(values.pop("state_dir"))
    return encoders.Choice(**values, weights=Path(weights) if weights else None, state_dir=state_dir)


def receive(control: socket.socket, requests: Requests) -> None:
    """Take requests in, also while the model works; its end is that of the process."""
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not data:
            os._exit(0)  # at once: an import or a model under way is of no use to anybody
        requests.put(socket.socket(fileno=descriptors[0]))


def serve(choice: encoders.Choice, requests: Requests, idle_seconds: float) -> None:
    """Answer requests one after another, until there was none for so long."""
    with contextlib.suppress(encoders.EncoderUnavailableError):
        embed(choice, "a photo")  # loads everything before somebody waits for it
    with contextlib.suppress(queue.Empty):
        while True:
            with requests.get(timeout=idle_seconds) as connection, contextlib.suppress(ConnectionError):
                respond(choice, connection)


def respond(choice: encoders.Choice, connection: socket.socket) -> None:
    """One line: what does not end with its end is not the whole answer."""
    text = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
    connection.sendall(json.dumps(answer(choice, text)).encode() + b"\n")


def answer(choice: encoders.Choice, text: str) -> dict[str, Any]:
    """`{vector, cutoff}`, or `{error}` when the encoder cannot be had."""
    try:
        return embed(choice, text)
    except encoders.EncoderUnavailableError as error:
        return {"error": str(error)}


def embed(choice: encoders.Choice, text: str) -> dict[str, Any]:
    """One thread, because a query that takes the workers' cores waits for them longer than it gains."""
    encoder = encoders.load(choice, threads=1, text_only=True)
    vectors = encoder.embed_texts([text])
    return {"vector": vectors[0].tolist(), "cutoff": float(encoder.cutoffs(vectors)[0])}


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    requests: Requests = queue.SimpleQueue()
    control = socket.socket(fileno=sys.stdin.fileno())
    threading.Thread(target=receive, args=(control, requests), daemon=True).start()
    serve(from_argument(sys.argv[1]), requests, float(sys.argv[2]))


if __name__ == "__main__":
    main()
