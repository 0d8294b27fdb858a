"""The supervisor, driven with trivial commands."""

import asyncio
import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest
from django.core.management.base import CommandError

from chitra.management.commands import run
from chitra.supervisor import Backoff, Log, Part, Plan, Supervisor, describe_exit

PATIENCE_SECONDS = 30
FOREVER = "import time; time.sleep(600)"


def python(name: str, code: str, **options: object) -> Part:
    return Part(name, [sys.executable, "-c", code], **options)  # type: ignore[arg-type]


def quick() -> Backoff:
    return Backoff(first=0.01, longest=0.02)


class Run:
    """A supervisor that works in the background of a test, and its log."""

    def __init__(self, plan: Plan, *, grace_seconds: float = 10) -> None:
        self.stream = io.StringIO()
        self.supervisor = Supervisor(
            plan, Log(self.stream, colour=False), grace_seconds=grace_seconds, backoff=quick
        )

    @property
    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():
                await asyncio.sleep(0.01)

    async def until_logged(self, text: str, times: int = 1) -> None:
        await self.until(lambda: self.stream.getvalue().count(text) >= times)


def play(runner: Run, scene: Callable[[], Coroutine[object, object, None]]) -> int:
    """Run the supervisor and the scene beside it; stop at the scene's end; return the exit status."""

    async def both() -> int:
        task = asyncio.create_task(runner.supervisor.run())
        await scene()
        runner.supervisor.stop()
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await task

    return asyncio.run(both())


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_wait_doubles_to_its_limit_and_starts_again_after_a_steady_minute() -> None:
    backoff = Backoff()
    assert [backoff.delay_after(0.5) for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert backoff.delay_after(61) == 1
    assert backoff.delay_after(0.5) == 2


def test_an_exit_is_described_in_words() -> None:
    assert describe_exit(3) == "ended with exit status 3"
    assert describe_exit(-9) == "was killed by SIGKILL"


def test_each_line_carries_the_name_of_its_part() -> None:
    runner = Run(Plan(services=lambda: [python("web", f"print('one\\ntwo', flush=True); {FOREVER}")]))
    assert play(runner, lambda: runner.until_logged("two")) == 0
    assert "web      │ one" in runner.lines
    assert "web      │ two" in runner.lines


def test_names_are_coloured_only_on_request() -> None:
    stream = io.StringIO()
    Log(stream, colour=True).write("web", "hello")
    assert stream.getvalue() == "\x1b[36mweb      │\x1b[0m hello\n"


def test_a_crashed_part_is_started_again() -> None:
    runner = Run(Plan(services=lambda: [python("worker", "raise SystemExit(3)")]))
    assert play(runner, lambda: runner.until_logged("ended with exit status 3; starting again", 3)) == 0


def test_a_crashed_part_is_started_again_though_its_orphans_hold_the_pipe() -> None:
    code = (
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "raise SystemExit(3)"
    )
    runner = Run(Plan(services=lambda: [python("worker", code)]))
    assert play(runner, lambda: runner.until_logged("ended with exit status 3; starting again", 2)) == 0


def test_a_failed_preparation_ends_the_start_before_any_service() -> None:
    plan = Plan(
        preparations=lambda: [python("migrate", "raise SystemExit(2)")],
        services=lambda: [python("web", "print('never')")],
    )
    runner = Run(plan)
    assert play(runner, lambda: runner.until_logged("Stopped.")) == 1
    assert "migrate  │ ended with exit status 2" in runner.lines
    assert "never" not in runner.stream.getvalue()


def test_a_foundation_that_never_becomes_ready_ends_the_start() -> None:
    foundation = python("postgres", "print('no disk'); raise SystemExit(1)", ready=lambda: False)
    runner = Run(Plan(foundation=foundation))
    assert play(runner, lambda: runner.until_logged("Stopped.")) == 1
    assert "postgres │ no disk" in runner.lines


def test_the_foundation_is_ready_before_the_preparations_and_stopped_last(tmp_path: Path) -> None:
    code = (
        "import signal, sys, time\ndef bye(*_):\n    print('{name} ends', flush=True)\n    sys.exit()\n"
        "signal.signal(signal.SIGTERM, bye)\nprint('{name} runs', flush=True)\ntime.sleep(600)"
    )
    flag = tmp_path / "ready"
    foundation = python(
        "base", f"open({str(flag)!r}, 'w').close()\n" + code.format(name="base"), ready=flag.exists
    )
    plan = Plan(
        foundation=foundation,
        preparations=lambda: [python("migrate", "print('migrated')")],
        services=lambda: [python("web", code.format(name="web"))],
    )
    runner = Run(plan)
    assert play(runner, lambda: runner.until(lambda: {"web runs", "base runs"} <= words(runner))) == 0
    order = [line.split("│ ")[1] for line in runner.lines]
    assert (
        order.index("migrated") < order.index("web runs") < order.index("web ends") < order.index("base ends")
    )


def words(runner: Run) -> set[str]:
    return {line.split("│ ")[1] for line in runner.lines}


def test_a_part_is_announced_when_it_is_ready(tmp_path: Path) -> None:
    flag = tmp_path / "ready"
    part = python(
        "web", f"open({str(flag)!r}, 'w').close(); {FOREVER}", ready=flag.exists, announcement="Come in"
    )
    runner = Run(Plan(services=lambda: [part]))
    assert play(runner, lambda: runner.until_logged("Come in")) == 0


def test_an_errand_runs_once() -> None:
    runner = Run(Plan(errands=lambda: [python("import", "print('done'); raise SystemExit(4)")]))
    assert play(runner, lambda: runner.until_logged("ended with exit status 4")) == 0
    assert runner.stream.getvalue().count("done") == 1


def test_a_part_that_ignores_the_polite_signal_is_killed_with_its_children() -> None:
    code = (
        "import os, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "if os.fork():\n    os.write(1, b'parent\\n')\nelse:\n    os.write(1, b'child %d\\n' % os.getpid())\n"
        "time.sleep(600)"
    )
    runner = Run(Plan(services=lambda: [python("stubborn", code)]), grace_seconds=0.2)
    assert (
        play(
            runner,
            lambda: runner.until(lambda: "child" in runner.stream.getvalue() and "parent" in words(runner)),
        )
        == 0
    )
    child = int(next(line for line in runner.lines if "child" in line).split()[-1])
    assert not is_alive(child)


def test_a_second_stop_does_not_wait_for_the_grace_time() -> None:
    code = (
        f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); {FOREVER}"
    )
    runner = Run(Plan(services=lambda: [python("stubborn", code)]), grace_seconds=600)

    async def scene() -> None:
        await runner.until_logged("deaf")
        runner.supervisor.stop()

    assert play(runner, scene) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends orphans on Linux only")
def test_parts_do_not_outlive_a_supervisor_that_was_killed() -> None:
    code = (
        "import sys\nfrom chitra.supervisor import *\n"
        "part = Part('web', [sys.executable, '-c', 'import os, time; print(os.getpid()); time.sleep(600)'])\n"
        "supervise(Plan(services=lambda: [part]), Log(sys.stdout))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        pid = int(supervisor.stdout.readline().split()[-1])
        assert is_alive(pid)
        supervisor.kill()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_alive(pid)


def test_sigterm_stops_everything_with_exit_status_0() -> None:
    code = (
        "import sys\nfrom chitra.supervisor import *\n"
        "part = Part('web', [sys.executable, '-c', 'import time; print(1); time.sleep(600)'])\n"
        "sys.exit(supervise(Plan(services=lambda: [part]), Log(sys.stdout)))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        supervisor.stdout.readline()
        os.kill(supervisor.pid, signal.SIGTERM)
        rest = supervisor.stdout.read()
    assert supervisor.returncode == 0
    assert rest.splitlines()[-1].endswith("Stopped.")


def test_a_taken_port_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "PORT_PATIENCE_SECONDS", 0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"Port {port} is already in use.*PORT="):
            run.check_port_is_free("127.0.0.1", port)
    run.check_port_is_free("127.0.0.1", port)


@pytest.mark.parametrize("text", ["0", "65536", "http", "-1", ""])
def test_nonsense_is_no_port(text: str) -> None:
    with pytest.raises(CommandError, match="expected a port number"):
        run.parse_port(text)


def test_a_missing_folder_is_not_imported(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no such folder"):
        run.find_photos(str(tmp_path / "holiday"))
    assert run.find_photos(None) is None
    assert run.find_photos(str(tmp_path)) == tmp_path


def test_a_given_database_means_no_postgres_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHITRA_DATABASE_URL", "postgresql://db.example/chitra")
    plan = run.make_plan("127.0.0.1", 8000, None)
    assert plan.foundation is None
    assert [part.name for part in plan.services()] == ["web", "worker", "ml", "video"]
    monkeypatch.delenv("CHITRA_DATABASE_URL")
    foundation = run.make_plan("127.0.0.1", 8000, None).foundation
    assert foundation is not None
    assert foundation.name == "postgres"


def test_an_import_draws_on_the_terminal(tmp_path: Path) -> None:
    (part,) = run.make_import(tmp_path, {})
    assert part.owns_terminal
    assert part.command[-2:] == ["import_photos", str(tmp_path)]
