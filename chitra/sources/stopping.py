"""Ctrl-C and SIGTERM for commands: stop between two files."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType


class Stopped(Exception):
    """Somebody asked the command to stop."""


@contextmanager
def stop_signals() -> Iterator[Event]:
    """The event that Ctrl-C or SIGTERM sets, to stop between two files: amid a query the connection is lost.

    A second one ends the process at once, which costs nothing but an object without a row.
    """
    stop = Event()

    def ask(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        stop.set()

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, ask) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
