"""The API beside its limits, in turns: a view that does nothing on the same process (“bare”), and the same
file sent by plain file servers (Twisted’s, and nginx where it is installed).

`.venv/bin/python benchmarks/api.py [--seconds 1] [--rounds 3] [--clients 1 8 32] [--only list]`
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import api_servers, stage
from benchmarks.api_data import ORIGINAL_BYTES, QUERY, fill
from benchmarks.api_servers import Server

LIST = "/api/photos?limit=100"
READ_ANEW = f"{LIST}&n={{n}}"  # as if somebody had changed something since the last time
BARE = "/bare"
CLIENTS = (1, 8, 32)


@dataclass(frozen=True)
class Side:
    """Where a request goes. `cpu` is the process whose time is counted. The store takes no key of ours."""

    server: Server
    path: str
    cpu: Server
    has_key: bool = True


@dataclass(frozen=True)
class Comparison:
    """An endpoint and its limit; `target` is the least ratio in per cent, 0 for none."""

    name: str
    limit_name: str
    ours: Side
    limit: Side
    target: int = 0


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


def load(side: Side, clients: int, seconds: float, key: str) -> dict[str, Any]:
    """One run of the load generator."""
    arguments = [str(side.server.port), side.path, str(clients), str(seconds), key if side.has_key else ""]
    script = str(Path(__file__).with_name("load.py"))
    done = subprocess.run(
        [sys.executable, script, *arguments], capture_output=True, check=True, timeout=seconds + 60
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def measure(comparison: Comparison, key: str, clients: int, seconds: float, rounds: int) -> list[str]:
    """A row of the table: both sides in turns."""
    runs: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for side in (comparison.limit, comparison.ours):
        load(side, clients, seconds / 2, key)
    for _ in range(rounds):
        limit, ours = (run(side, key, clients, seconds) for side in (comparison.limit, comparison.ours))
        runs.append((limit, ours))

    def median(place: int, figure: str) -> float:
        return float(statistics.median(pair[place][figure] for pair in runs))

    ratio = statistics.median(ours["per_second"] / limit["per_second"] for limit, ours in runs)
    return [
        f"{comparison.name} : {comparison.limit_name}",
        str(clients),
        f"{median(1, 'per_second'):.0f}",
        f"{median(0, 'per_second'):.0f}",
        f"{ratio:.0%}",
        f"{comparison.target} %" if comparison.target else "–",
        f"{median(1, 'median_ms'):.1f}",
        f"{median(1, 'p95_ms'):.1f}",
        f"{median(0, 'median_ms'):.1f}",
        f"{median(0, 'p95_ms'):.1f}",
        f"{median(1, 'cpu_ms'):.1f}",
        f"{median(0, 'cpu_ms'):.1f}",
        errors_of(one for pair in runs for one in pair),
    ]


def errors_of(runs: Iterable[dict[str, Any]]) -> str:
    """What was not answered 200, by status: `429: 29`; “lost” are connections."""
    total = sum((Counter(one["errors"]) for one in runs), Counter[str]())
    return ", ".join(f"{status}: {count}" for status, count in sorted(total.items())) or "0"


def run(side: Side, key: str, clients: int, seconds: float) -> dict[str, Any]:
    before = stage.cpu_seconds(side.cpu.pid)
    result = load(side, clients, seconds, key)
    result["cpu_ms"] = 1000 * (stage.cpu_seconds(side.cpu.pid) - before) / result["requests"]
    return result


def comparisons(stack: ExitStack, directory: Path, web: Server, photo_id: int) -> Iterator[Comparison]:
    """What is compared; further servers start as they are needed."""
    from django.conf import settings

    from photos.models import Photo

    def side(server: Server, path: str) -> Side:
        return Side(server, path, server)

    photo = f"/api/photos/{photo_id}"
    original = f"originals/{Photo.objects.get(pk=photo_id).original_key}"
    bare = side(web, BARE)
    yield Comparison("adrf view, with key", "bare", side(web, "/with-key"), bare)
    yield Comparison("list, unchanged", "bare", side(web, LIST), bare, 60)
    yield Comparison("list, read anew", "bare", side(web, READ_ANEW), bare, 60)
    yield Comparison("detail", "bare", side(web, photo), bare)
    yield Comparison("search, kept query", "bare", side(web, search_path()), bare)
    yield Comparison("thumbnail, streamed", "bare", side(web, f"{photo}/thumbnail"), bare)
    accelerated = stack.enter_context(api_servers.chitra(directory / "accel.log", CHITRA_ACCEL="nginx"))
    there = side(accelerated, BARE)
    thumbnail = f"{photo}/thumbnail"
    yield Comparison("thumbnail, by proxy, unchanged", "bare", side(accelerated, thumbnail), there, 80)
    anew = side(accelerated, f"{thumbnail}?n={{n}}")
    yield Comparison("thumbnail, by proxy, read anew", "bare", anew, there, 80)
    files = stack.enter_context(api_servers.twisted_files(directory / "files.log", settings.MEDIA_DIR))
    yield Comparison(
        "image, streamed", "Twisted", side(web, f"{photo}/image"), side(files, f"/{original}"), 70
    )
    nginx = stack.enter_context(api_servers.nginx(directory, settings.MEDIA_DIR, accelerated))
    if nginx is not None:
        image = Side(nginx, f"{photo}/image", accelerated)
        yield Comparison("image, by proxy", "nginx", image, side(nginx, f"/files/{original}"), 70)
        # What is left when any view has to be asked first: nginx, a view that does nothing, the same file.
        asked_first = Side(nginx, f"/bare-file/{original}", accelerated)
        yield Comparison("image, by proxy", "bare, then nginx", image, asked_first)
    store = stack.enter_context(api_servers.store(directory, settings.MEDIA_DIR, original))
    web_at_store = stack.enter_context(api_servers.chitra(directory / "s3.log", **store.environment))
    yield Comparison(
        "image, by redirect",
        "presigned GET",
        side(web_at_store, f"{photo}/image?redirect=1"),
        Side(store.server, store.presigned, web_at_store, has_key=False),
        70,
    )


def search_path() -> str:
    return f"/api/search/photos?q={QUERY.replace(' ', '+')}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1, help="length of one run")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each side")
    parser.add_argument("--photos", type=int, default=1200)
    parser.add_argument("--clients", type=int, nargs="+", default=CLIENTS)
    parser.add_argument("--only", default="", help="what the name begins with")
    options = parser.parse_args()
    rows = []
    with stage.own_chitra("benchmarks.api_settings") as directory, ExitStack() as stack:
        key, photo_id = fill(options.photos)
        queries = count_queries(key)
        web = stack.enter_context(api_servers.chitra(directory / "web.log"))
        start = stage.resident_megabytes(web.pid)
        for comparison in comparisons(stack, directory, web, photo_id):
            if comparison.name.startswith(options.only):
                for clients in options.clients:
                    rows.append(measure(comparison, key, clients, options.seconds, options.rounds))
        end = stage.resident_megabytes(web.pid)
    speed = ["clients", "/s", "limit/s", "ratio", "target", "p50 ms", "p95 ms", "limit p50", "limit p95"]
    columns = ["endpoint : limit", *speed, "CPU ms", "limit CPU", "errors"]
    stage.print_table("The API beside its limits, in turns, one web process", columns, rows)
    stage.console.print(
        f"{len(queries)} queries a list (at most 3), originals of {ORIGINAL_BYTES / 1e6:.0f} MB; "
        f"web process {start:.0f} MB at the start, {end:.0f} MB after the load (under 200)"
    )


if __name__ == "__main__":
    main()
