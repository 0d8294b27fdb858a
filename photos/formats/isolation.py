"""Calls carried out in a child process: what crashes, hangs or eats memory there harms nobody here.

Decoders are C code that reads strangers' files. The child is started once and asked again and again, so a
call costs a pickled question and answer. It is no jail: it has its parent's rights, and a limit of memory.
"""

import contextlib
import ctypes
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")

MOST_CALLS = 500
"""A child that answered so many is replaced, whatever its libraries leaked."""
_IDLE_SECONDS = 1.0
_KEPT_MEMORY = "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=134217728"
"""glibc's allocator keeps up to 128 MB for the next picture, instead of asking for each page anew."""
_PR_SET_PDEATHSIG = 1
_CHILD = "from photos.formats.isolation import serve; serve({descriptor}, {megabytes}, {niceness})"
# Signals that decoders raise themselves; SIGKILL is the kernel's or somebody's, and says nothing of the file.
_CRASHES = frozenset(
    {
        signal.SIGSEGV,
        signal.SIGABRT,
        signal.SIGTRAP,
        signal.SIGBUS,
        signal.SIGFPE,
        signal.SIGILL,
        signal.SIGSYS,
    }
)


class Crashed(Exception):
    """The file brought the decoder down, twice."""


class TookTooLong(Exception):
    """The call was ended because its time was over."""


class ChildGone(OSError):
    """The child ended for a reason outside the file; the same call may succeed another time."""


class Isolation:
    """A child process for calls of importable functions with picklable arguments and results."""

    def __init__(self, *, memory_bytes: int, niceness: int = 0) -> None:
        self._memory_bytes = memory_bytes
        self._niceness = niceness
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._calls = 0

    def call(
        self, function: Callable[P, T], timeout_seconds: float, /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The result of `function`, or what it raised. Raises Crashed, TookTooLong and ChildGone."""
        question = (function.__module__, function.__qualname__, args, kwargs)
        with self._lock:
            try:
                return cast(T, self._ask(question, timeout_seconds))
            except Crashed:
                # Once more in a fresh child, because memory may have been broken by the file before.
                return cast(T, self._ask(question, timeout_seconds))

    def _ask(self, question: Any, timeout_seconds: float) -> Any:
        connection = self._running()
        try:
            connection.send(question)
            if not connection.poll(timeout_seconds):
                raise TookTooLong(f"it took longer than {timeout_seconds:g} seconds")
            is_result, answer = connection.recv()
        except (EOFError, ConnectionError):
            raise self._reason_of_end() from None
        except BaseException:
            self._stop()  # an answer that comes late must not be taken for that of the next question
            raise
        self._calls += 1
        if self._calls >= MOST_CALLS:
            self._stop()
        if is_result:
            return answer
        raise answer

    def _running(self) -> Connection:
        if self._connection is None or self._process is None or self._process.poll() is not None:
            self._stop()
            self._start()
        assert self._connection is not None
        return self._connection

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            code = _CHILD.format(
                descriptor=theirs.fileno(), megabytes=self._memory_bytes >> 20, niceness=self._niceness
            )
            root = str(Path(__file__).resolve().parents[2])
            self._process = subprocess.Popen(
                [sys.executable, "-c", code],
                cwd=root,
                env={"GLIBC_TUNABLES": _KEPT_MEMORY, **os.environ, "PYTHONPATH": root},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # libraries chat; what matters comes back as an exception
            )
            self._connection = Connection(ours.detach())
        self._calls = 0

    def _reason_of_end(self) -> Exception:
        assert self._process is not None
        try:
            status = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            status = -signal.SIGKILL
        self._stop()
        if -status in _CRASHES:
            return Crashed(f"it crashed the decoder ({signal.Signals(-status).name})")
        return ChildGone(f"The decoder ended with status {status}.")

    def _stop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._connection = self._process = None

    def close(self) -> None:
        """End the child, if there is one."""
        with self._lock:
            self._stop()


@cache
def _isolation_of(pid: int, memory_bytes: int, niceness: int) -> Isolation:
    return Isolation(memory_bytes=memory_bytes, niceness=niceness)


def isolation(*, memory_bytes: int, niceness: int = 0) -> Isolation:
    """This process' own child with these limits. A forked worker does not share its parent's."""
    return _isolation_of(os.getpid(), memory_bytes, niceness)


def serve(descriptor: int, megabytes: int, niceness: int) -> None:
    """The child's side: answer questions until the parent is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit_memory(megabytes << 20)
    if niceness:
        os.nice(niceness)
    connection = Connection(descriptor)
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            if not connection.poll(_IDLE_SECONDS):
                give_memory_back()
            connection.send(_answer(*connection.recv()))


def give_memory_back() -> None:
    """What the allocator keeps for later goes to the machine; nothing happens where it is not glibc's."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def limit_memory(limit_bytes: int) -> None:
    """No more private writable memory than this; what is mapped from files does not count (on Linux)."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    allowed = limit_bytes if hard == resource.RLIM_INFINITY else min(limit_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (allowed, hard))


def _answer(module: str, name: str, args: Any, kwargs: Any) -> tuple[bool, Any]:
    import importlib

    try:
        return True, getattr(importlib.import_module(module), name)(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - it is raised again where the question came from
        return False, error
