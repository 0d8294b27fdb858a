"""The web server as `manage.py run` starts it, for tests that kill it or watch its memory."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from chitra.supervisor import end_with_parent

START_SECONDS = 60


class WebProcess:
    """One server; `start` and `kill` may be called again and again, it keeps its port."""

    def __init__(self, directory: Path, **environment: str) -> None:
        self.log = directory / "web.log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        # A server that is killed leaves its temporary files in the test's directory.
        ours = {"CHITRA_DATABASE_POOL": "4", "TMPDIR": str(directory)}
        self._environment = {**os.environ, **ours, **environment}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when it accepts connections."""
        command = [
            sys.executable,
            "-m",
            "chitra.web_server",
            "-v",
            "0",
            "-b",
            "127.0.0.1",
            "-p",
            str(self.port),
        ]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "chitra.asgi:application"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=end_with_parent,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise RuntimeError(f"the web server did not start:\n{self.log.read_text(errors='replace')}")

    def kill(self) -> None:
        """At once, as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def resident_megabytes(self, line: str = "VmRSS") -> float:
        """Resident memory now; `VmHWM` for the most it ever was."""
        assert self.process is not None
        for text in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if text.startswith(f"{line}:"):
                return int(text.split()[1]) / 1024
        raise LookupError(line)
