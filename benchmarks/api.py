"""The list of photos beside a view that does nothing, both on one Daphne process behind the same middleware.

`.venv/bin/python benchmarks/api.py [--seconds 2] [--rounds 3] [--photos 1200]`
"""

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import stage

LIST = "/api/photos?limit=100"
BARE = "/bare"
CLIENTS = (1, 8, 32)
START_SECONDS = 60


def fill(photos: int) -> str:
    """A user with a library of that many photos with all columns filled; returns an API key."""
    from django.db import connection

    from chitra.accounts.models import ApiKey, User
    from photos.models import Library, Photo

    user = User.objects.create_user("alice@example.org", "not-used-to-log-in")
    library = Library.objects.home_of(user)
    start = datetime(2015, 1, 1, tzinfo=UTC)
    rows = []
    for number in range(photos):
        name = uuid.uuid4()
        rows.append(
            Photo(
                library=library,
                uploaded_by=user,
                uuid=name,
                original_name=f"IMG_{number:05}.jpg",
                original_key=f"{library.pk}/{name.hex[:2]}/{name.hex}.jpg",
                checksum=name.hex * 2,
                sha1=(name.hex * 2)[:40],
                size=3_000_000 + number,
                mime_type="image/jpeg",
                width=4000,
                height=3000,
                thumbhash=os.urandom(24),
                perceptual_hash=number * 7919,
                has_renditions=True,
                taken_at=start + timedelta(hours=number * 7),
                taken_at_source=Photo.TakenAtSource.EXIF_ORIGINAL,
                latitude=47.3 + number / 10000,
                longitude=8.5,
                camera_make="Canon",
                camera_model="Canon EOS 80D",
            )
        )
    Photo.objects.bulk_create(rows)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # which PostgreSQL does by itself, a minute later
    return ApiKey.issue(user, "benchmark")[1]


def count_queries(key: str) -> list[str]:
    """The queries of one list request, warm; the test client keeps them on this thread's connection."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers={"authorization": f"Bearer {key}", "host": "localhost"})
    assert client.get(LIST).status_code == 200  # writes `last_used_at`, once an hour
    with CaptureQueriesContext(connection) as captured:
        assert len(client.get(LIST).json()["items"]) == 100
    return [query["sql"] for query in captured]


@contextmanager
def web_process(log: Path) -> Iterator[tuple[int, int]]:
    """Daphne as `manage.py run` starts it; gives port and process id."""
    from chitra.management.commands.run import WEB_DATABASE_POOL

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "chitra.web_server", "-v", "0", "-b", "127.0.0.1", "-p", str(port)]
    environment = {**os.environ, "CHITRA_DATABASE_POOL": WEB_DATABASE_POOL}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "chitra.asgi:application"],
            cwd=stage.ROOT,
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        wait_until_open(port, process, log)
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=START_SECONDS)


def wait_until_open(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Return when something listens on the port; what the server said is shown when it ends before."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the web process did not start:\n{log.read_text(encoding='utf-8', errors='replace')}")


def load(port: int, path: str, clients: int, seconds: float, key: str) -> dict[str, Any]:
    """One run of the load generator."""
    arguments = [str(port), path, str(clients), str(seconds), key]
    script = str(Path(__file__).with_name("load.py"))
    done = subprocess.run(
        [sys.executable, script, *arguments], capture_output=True, check=True, timeout=seconds + 60
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def measure(server: tuple[int, int], key: str, clients: int, seconds: float, rounds: int) -> list[str]:
    """A row of the table: bare view and list in turns."""
    port, pid = server
    runs: dict[str, list[dict[str, Any]]] = {BARE: [], LIST: []}
    for _ in range(rounds):
        for path, results in runs.items():
            before = stage.cpu_seconds(pid)
            run = load(port, path, clients, seconds, key)
            run["cpu_ms"] = 1000 * (stage.cpu_seconds(pid) - before) / run["requests"]
            results.append(run)

    def median(path: str, figure: str) -> float:
        return float(statistics.median(run[figure] for run in runs[path]))

    ratios = [b["per_second"] / a["per_second"] for a, b in zip(runs[BARE], runs[LIST], strict=True)]
    return [
        str(clients),
        f"{median(BARE, 'per_second'):.0f}",
        f"{median(LIST, 'per_second'):.0f}",
        f"{statistics.median(ratios):.0%}",
        f"{median(BARE, 'median_ms'):.1f}",
        f"{median(LIST, 'median_ms'):.1f}",
        f"{median(LIST, 'p95_ms'):.1f}",
        f"{median(BARE, 'cpu_ms'):.1f}",
        f"{median(LIST, 'cpu_ms'):.1f}",
        str(sum(run["errors"] for results in runs.values() for run in results)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2, help="length of one run")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each side")
    parser.add_argument("--photos", type=int, default=1200)
    parser.add_argument("--clients", type=int, nargs="+", default=CLIENTS)
    options = parser.parse_args()
    with stage.own_chitra("benchmarks.api_settings") as directory:
        key = fill(options.photos)
        queries = count_queries(key)
        with web_process(directory / "web.log") as server:
            port, pid = server
            start = stage.resident_megabytes(pid)
            for path in (BARE, LIST):
                load(port, path, 8, 1, key)
            size = load(port, LIST, 1, 0.1, key)["bytes"]
            rows = [
                measure(server, key, clients, options.seconds, options.rounds) for clients in options.clients
            ]
            end = stage.resident_megabytes(pid)
    speed = ["clients", "bare/s", "list/s", "ratio", "bare ms", "list ms", "list p95"]
    columns = [*speed, "bare CPU ms", "list CPU ms", "errors"]
    stage.print_table(
        f"GET {LIST} beside a bare async view, one Daphne process (target: 50 %)", columns, rows
    )
    stage.console.print(
        f"{len(queries)} queries a request (at most 3), {size / 1000:.0f} kB; "
        f"web process {start:.0f} MB at the start, {end:.0f} MB after the load (under 200)"
    )


if __name__ == "__main__":
    main()
