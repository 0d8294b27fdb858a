"""Calls in a child process: answers, errors, crashes, hangs and too much memory."""

import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from photos.formats.imaging import TooManyPixels, UndecodableImage
from photos.formats.isolation import MOST_CALLS, ChildGone, Crashed, Isolation, TookTooLong, isolation

MEGABYTE = 1 << 20


def add(left: int, right: int = 1) -> int:
    return left + right


def pid() -> int:
    return os.getpid()


def refuse(message: str) -> None:
    raise TooManyPixels(message)


def crash(number: int) -> None:
    os.kill(os.getpid(), number)


def crash_once(marker: str) -> str:
    if not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGSEGV)
    return "fine the second time"


def hang() -> None:
    while True:
        time.sleep(60)


def fill(megabytes: int) -> int:
    return len(bytearray(megabytes * MEGABYTE))


def resident_megabytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // MEGABYTE


def page_faults_of(megabytes: int) -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    fill(megabytes)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.fixture
def child() -> Iterator[Isolation]:
    made = Isolation(memory_bytes=512 * MEGABYTE)
    yield made
    made.close()


def test_a_call_is_answered_by_another_process_that_stays(child: Isolation) -> None:
    assert child.call(add, 10, 2, right=3) == 5
    first = child.call(pid, 10)
    assert first != os.getpid()
    assert child.call(pid, 10) == first


def test_what_the_function_raises_is_raised_here(child: Isolation) -> None:
    with pytest.raises(TooManyPixels, match="50000 x 50000"):
        child.call(refuse, 10, "50000 x 50000")
    assert child.call(add, 10, 1) == 2


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS])
def test_a_crash_is_an_error_and_the_next_call_goes_on(child: Isolation, number: int) -> None:
    with pytest.raises(Crashed, match=signal.Signals(number).name):
        child.call(crash, 10, number)
    assert child.call(add, 10, 1) == 2


def test_a_crash_that_does_not_come_again_is_forgiven(child: Isolation, tmp_path: Path) -> None:
    assert child.call(crash_once, 10, str(tmp_path / "marker")) == "fine the second time"


def test_a_child_killed_by_somebody_else_says_nothing_of_the_file(child: Isolation) -> None:
    with pytest.raises(ChildGone):
        child.call(crash, 10, signal.SIGKILL)
    assert child.call(add, 10, 1) == 2


def test_a_hanging_call_ends_with_its_time(child: Isolation) -> None:
    started = time.monotonic()
    with pytest.raises(TookTooLong, match=r"0\.3 seconds"):
        child.call(hang, 0.3)
    assert time.monotonic() - started < 5
    assert child.call(add, 10, 1) == 2


def test_memory_over_the_limit_is_refused(child: Isolation) -> None:
    assert child.call(fill, 10, 100) == 100 * MEGABYTE
    with pytest.raises(MemoryError):
        child.call(fill, 10, 600)
    assert child.call(add, 10, 1) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="the allocator is glibc's")
def test_memory_is_kept_for_the_next_call_and_given_back_when_idle(child: Isolation) -> None:
    at_first = child.call(resident_megabytes, 10)
    first = child.call(page_faults_of, 10, 80)
    assert child.call(page_faults_of, 10, 80) < first // 4
    deadline = time.monotonic() + 60
    while child.call(resident_megabytes, 10) > at_first + 20 and time.monotonic() < deadline:
        time.sleep(1.5)
    assert child.call(resident_megabytes, 10) <= at_first + 20


def test_a_child_is_replaced_after_many_calls(child: Isolation) -> None:
    first = child.call(pid, 10)
    for _ in range(MOST_CALLS):
        child.call(add, 10, 1)
    assert child.call(pid, 10) != first


def test_a_process_has_one_child_for_each_limit() -> None:
    assert isolation(memory_bytes=MEGABYTE) is isolation(memory_bytes=MEGABYTE)
    assert isolation(memory_bytes=MEGABYTE) is not isolation(memory_bytes=MEGABYTE, niceness=10)


def test_the_child_ends_with_its_parent() -> None:
    other = Isolation(memory_bytes=512 * MEGABYTE)
    child_pid = other.call(pid, 10)
    other.close()
    with pytest.raises(ProcessLookupError):
        os.kill(child_pid, 0)


def test_errors_of_decoders_survive_the_way() -> None:
    assert issubclass(TooManyPixels, UndecodableImage)
