"""What the benchmarks share: a Chitra of their own in a temporary directory, timing in turns, one table."""

import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from chitra import embedded

ROOT = Path(__file__).resolve().parent.parent
console = Console(width=None if sys.stdout.isatty() else 150, highlight=False)


@contextmanager
def own_chitra(settings: str = "chitra.settings", **environment: str) -> Iterator[Path]:
    """A migrated database and a data directory of the benchmark's own, gone afterwards; Django is set up.

    PostgreSQL runs with the product's settings (fsync on). The directory lies in the system's temporary
    directory: TMPDIR names another disk.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the database is stopped then too
    directory = Path(tempfile.mkdtemp(prefix="chitra-benchmark-"))
    if os.geteuid() == 0:
        directory.chmod(0o711)  # PostgreSQL's account must pass through; the directory is ours alone
    lease = None
    try:
        lease = embedded.acquire(directory / "data")
        for name in [name for name in os.environ if name.startswith(("CHITRA_", "MINIO_"))]:
            if name not in {"CHITRA_MODEL_DIR", "CHITRA_ENCODER", "CHITRA_ML_THREADS"}:
                del os.environ[name]
        os.environ.update(
            DJANGO_SETTINGS_MODULE=settings,
            CHITRA_DATABASE_URL=lease.url(),
            CHITRA_DATA_DIR=str(directory / "data"),
            HF_HUB_OFFLINE="1",
            **environment,
        )
        import django
        from django.core.management import call_command
        from django.db import connections

        django.setup()
        call_command("migrate", verbosity=0)
        yield directory
        connections.close_all()
    finally:
        if lease is not None:
            lease.release()
        shutil.rmtree(directory, ignore_errors=True)


def interleaved(sides: Mapping[str, Callable[[int], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each side, called in turns (A B A B …) with the number of the round."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds):
        for name, side in sides.items():
            started = time.perf_counter()
            side(number)
            seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}


def insert_like(row: Any, count: int, **changed: str) -> int:
    """Rows as this one, of consecutive ids, but for SQL over `n`, which counts from 0; the first id."""
    from django.db import connection

    fields = [field for field in row._meta.concrete_fields if not field.primary_key and not field.generated]
    values = {field.column: field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields}
    expressions = ", ".join(changed.get(column, "%s") for column in values)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {row._meta.db_table} ({', '.join(values)}) "
            f"SELECT {expressions} FROM generate_series(0, {count - 1}) AS n RETURNING id",
            [value for column, value in values.items() if column not in changed],
        )
        return int(cursor.fetchone()[0])


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table whose columns after the first are figures."""
    table = Table(*columns[:1], title=title, title_justify="left")
    for column in columns[1:]:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def resident_megabytes(pid: int | str = "self") -> float:
    """Resident memory of a process on this machine."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_seconds(pid: int | str = "self") -> float:
    """CPU time that a process has used, in user mode and in the kernel."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
