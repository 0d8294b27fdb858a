"""One `manage.py run` for each data directory."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management.base import CommandError

from chitra.management.commands import run
from chitra.tests import processes

HOLD = "import sys, time; from pathlib import Path; from chitra import data_lock; " + (
    "data_lock.hold(Path(sys.argv[1])); print('held', flush=True); time.sleep(600)"
)


def start_holder(directory: Path) -> subprocess.Popen[str]:
    """A process that holds the lock of this directory."""
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(directory)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_second_run_on_the_same_data_is_refused_with_the_number_of_the_first(
    db: None, tmp_path: Path
) -> None:
    with start_holder(tmp_path) as holder:
        status, _, err = processes.run("manage.py", "run", environment={"CHITRA_DATA_DIR": str(tmp_path)})
        assert status == 1
        assert f"already (process {holder.pid})." in err
        assert "Traceback" not in err
        holder.kill()


def test_the_lock_goes_with_a_process_that_was_killed(tmp_path: Path) -> None:
    with start_holder(tmp_path) as holder:
        with pytest.raises(CommandError, match=re.escape(f"(process {holder.pid})")):
            run.hold_data_dir(tmp_path)
        holder.send_signal(signal.SIGKILL)
    os.close(run.hold_data_dir(tmp_path))
    os.close(run.hold_data_dir(tmp_path))
    assert (tmp_path / "run.lock").read_text() == f"{os.getpid()}\n"


def test_a_port_that_another_program_has_is_named(db: None, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        status, _, err = processes.run(
            "manage.py", "run", "--port", port, environment={"CHITRA_DATA_DIR": str(tmp_path)}
        )
    assert status == 1
    assert f"Port {port} is already in use. Choose another one" in err
    assert "Traceback" not in err


def test_a_directory_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match="is not writable"):
        run.hold_data_dir(tmp_path / "file")
