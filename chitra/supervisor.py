"""Runs the parts of Chitra as child processes: restarts what crashes, shows one log, stops all in order.

One thread, on asyncio. Knows no Django and nothing of Chitra's parts: `manage.py run` says which there are.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

PR_SET_PDEATHSIG = 1
EXIT_POLL_SECONDS = 0.1
READY_POLL_SECONDS = 0.2
LAST_WORDS_SECONDS = 2
COLOURS = (36, 32, 35, 33, 34, 31)  # terminal colour codes, given to the parts in turn
LONGEST_LINE = 16_384  # bytes; longer lines are broken
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, eq=False)
class Part:
    """One child process. `ready` is cheap, is polled, and tells whether the part serves."""

    name: str
    command: Sequence[str]
    directory: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None
    announcement: str = ""  # a line for the log each time the part has become ready
    owns_terminal: bool = False  # writes to our stdout and stderr itself, for a progress bar


def _nothing() -> Sequence[Part]:
    return ()


@dataclass(frozen=True)
class Plan:
    """What to run, in this order. The functions are called when their turn has come.

    foundation    a service that the others need: it must become ready, and is stopped last
    preparations  run to their end, one after another; a failure ends the start
    services      run together until the stop, and are restarted when they end
    errands       run beside the services, once
    """

    foundation: Part | None = None
    preparations: Callable[[], Sequence[Part]] = _nothing
    services: Callable[[], Sequence[Part]] = _nothing
    errands: Callable[[], Sequence[Part]] = _nothing


@dataclass
class Backoff:
    """Seconds until a part is started again: 1, doubling to 30; 1 again after it stayed up for a minute."""

    first: float = 1
    longest: float = 30
    steady: float = 60
    _next: float = 0

    def delay_after(self, uptime: float) -> float:
        """The wait after a run that lasted `uptime` seconds."""
        delay = self._next if self._next and uptime < self.steady else self.first
        self._next = min(delay * 2, self.longest)
        return delay


class Log:
    """Lines with the name of their part in front, in colour on a terminal (unless NO_COLOR is set)."""

    def __init__(self, stream: TextIO, *, colour: bool | None = None) -> None:
        self._stream = stream
        self._colour = (stream.isatty() and not os.environ.get("NO_COLOR")) if colour is None else colour
        self._names: list[str] = []
        self.shares_terminal = False  # a progress bar is being drawn: wipe its line before each of ours

    def write(self, name: str, line: str) -> None:
        """Write one line at once. Names get their colour in the order in which they first speak."""
        if name not in self._names:
            self._names.append(name)
        prefix = f"{name:<8} │"
        if self._colour:
            prefix = f"\x1b[{COLOURS[self._names.index(name) % len(COLOURS)]}m{prefix}\x1b[0m"
        wipe = "\r\x1b[2K" if self.shares_terminal and self._stream.isatty() else ""
        with contextlib.suppress(OSError):  # the log's reader has gone; the parts go on
            self._stream.write(f"{wipe}{prefix} {line}\n")
            self._stream.flush()


class Supervisor:
    """Runs a plan until `stop`; called again, `stop` ends the patience with parts that are slow to end."""

    def __init__(
        self, plan: Plan, log: Log, *, grace_seconds: float = 15, backoff: Callable[[], Backoff] = Backoff
    ) -> None:
        self._plan = plan
        self._log = log
        self._grace_seconds = grace_seconds
        self._backoff = backoff
        self._stopping = asyncio.Event()
        self._impatient = asyncio.Event()
        self._foundation_ready = asyncio.Event()
        self._children: dict[Part, asyncio.subprocess.Process] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._foundation_keeper: asyncio.Task[None] | None = None

    def stop(self) -> None:
        """Begin to stop; called again, kill what has not ended yet."""
        if self._stopping.is_set():
            self._impatient.set()
        self._stopping.set()

    async def run(self) -> int:
        """Run the plan. The exit status: 0 after a stop that was asked for, 1 when the start failed."""
        start = asyncio.create_task(self._start())
        try:
            await _first(start, self._stopping.wait())
            failed = start.done() and not start.result()
            if not failed:
                await self._stopping.wait()
            return int(failed)
        finally:
            self._stopping.set()
            self._log.write("chitra", "Stopping …")
            await self._end([start, *self._tasks], spare=self._plan.foundation)
            if self._foundation_keeper:
                await self._end([self._foundation_keeper])
            self._log.write("chitra", "Stopped.")

    async def _start(self) -> bool:
        """Whether the services were started: not when the foundation or a preparation failed."""
        if self._plan.foundation:
            self._foundation_keeper = asyncio.create_task(self._keep(self._plan.foundation))
            await _first(self._foundation_ready.wait(), self._foundation_keeper, self._stopping.wait())
            if not self._foundation_ready.is_set():
                return False
        for part in self._plan.preparations():
            if (status := await self._run_to_end(part)) != 0:
                self._log.write(part.name, describe_exit(status))
                return False
            self._log.write(part.name, "done")
        if not self._stopping.is_set():
            self._tasks += [asyncio.create_task(self._keep(part)) for part in self._plan.services()]
            self._tasks += [asyncio.create_task(self._run_errand(part)) for part in self._plan.errands()]
        return True

    async def _keep(self, part: Part) -> None:
        """Run a part again and again until the stop. A foundation that was never ready is given up."""
        backoff = self._backoff()
        while not self._stopping.is_set():
            began = time.monotonic()
            status = await self._run_to_end(part)
            if self._stopping.is_set():
                return
            if part == self._plan.foundation and not self._foundation_ready.is_set():
                self._log.write(part.name, describe_exit(status))
                return
            delay = backoff.delay_after(time.monotonic() - began)
            self._log.write(part.name, f"{describe_exit(status)}; starting again in {delay:g} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)

    async def _run_errand(self, part: Part) -> None:
        status = await self._run_to_end(part)
        if status != 0 and not self._stopping.is_set():
            self._log.write(part.name, describe_exit(status))

    async def _run_to_end(self, part: Part) -> int:
        """Start a part, pass its output to the log, and return its exit status when all of it is gone."""
        pipe = None if part.owns_terminal else asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(
            *part.command,
            cwd=part.directory,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **part.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=pipe,
            stderr=None if part.owns_terminal else asyncio.subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
        self._children[part] = child
        if self._stopping.is_set():
            _signal(child, signal.SIGTERM)
        self._log.shares_terminal |= part.owns_terminal
        watcher = asyncio.create_task(self._watch_ready(part))
        reader = asyncio.create_task(self._copy_output(part, child))
        try:
            status = await exit_of(child)
            _kill_group(child)
            await asyncio.wait([reader], timeout=LAST_WORDS_SECONDS)
        finally:
            reader.cancel()
            watcher.cancel()
            del self._children[part]
            self._log.shares_terminal &= not part.owns_terminal
        return status

    async def _watch_ready(self, part: Part) -> None:
        if part.ready is None:
            return
        while not part.ready():
            await asyncio.sleep(READY_POLL_SECONDS)
        if part == self._plan.foundation:
            self._foundation_ready.set()
        if part.announcement:
            self._log.write("chitra", part.announcement)

    async def _copy_output(self, part: Part, child: asyncio.subprocess.Process) -> None:
        if child.stdout is not None:
            async for line in split_lines(child.stdout):
                self._log.write(part.name, line)

    async def _end(self, tasks: Sequence[asyncio.Task[Any]], *, spare: Part | None = None) -> None:
        """Ask all parts but one to end, wait for the grace time or a second stop, kill what is left."""
        for part, child in self._children.items():
            if part is not spare:
                _signal(child, signal.SIGTERM)
        ended = asyncio.ensure_future(asyncio.wait(tasks))
        await _first(ended, self._impatient.wait(), timeout=self._grace_seconds)
        for part, child in self._children.items():
            if part is not spare:
                _kill_group(child)
        await ended


def describe_exit(status: int) -> str:
    """Words for an exit status; a negative one is the signal that ended the process."""
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"ended with exit status {status}"


def end_with_parent() -> None:
    """In a new child: ask the kernel for SIGTERM when the parent dies, even by SIGKILL (Linux only)."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


async def split_lines(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """The lines of a stream without their ends, the last one even if it is unfinished."""
    pending = b""
    while chunk := await stream.read(LONGEST_LINE):
        *lines, pending = (pending + chunk).split(b"\n")
        if len(pending) > LONGEST_LINE:
            lines, pending = [*lines, pending], b""
        for line in lines:
            yield line.decode(errors="replace").rstrip("\r")
    if pending:
        yield pending.decode(errors="replace")


def supervise(plan: Plan, log: Log) -> int:
    """Run a plan until SIGINT, SIGTERM or SIGHUP; return the exit status for the process."""

    async def main() -> int:
        supervisor = Supervisor(plan, log)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, supervisor.stop)
        return await supervisor.run()

    return asyncio.run(main())


async def _first(
    *awaitables: Coroutine[Any, Any, Any] | asyncio.Future[Any], timeout: float | None = None
) -> None:
    """Wait until one of them is done or time is up. Coroutines are cancelled then, tasks go on."""
    waiting = {item: asyncio.ensure_future(item) for item in awaitables}
    await asyncio.wait(waiting.values(), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    for item, future in waiting.items():
        if future is not item:
            future.cancel()


def _signal(child: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        child.send_signal(number)


async def exit_of(child: asyncio.subprocess.Process) -> int:
    """The status of a process as soon as it is gone.

    `child.wait` would also wait for its pipe, which orphans it leaves behind hold open.
    """
    while child.returncode is None:
        await asyncio.sleep(EXIT_POLL_SECONDS)
    return child.returncode


def _kill_group(child: asyncio.subprocess.Process) -> None:
    """Kill what is left of a child's process group; each child leads one of its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
