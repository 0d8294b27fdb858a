"""How the backup commands speak: progress bars on a terminal, a summary, exit statuses."""

import sys
from collections.abc import Iterable
from typing import Any

from django.core.management.base import CommandError, OutputWrapper
from tqdm import tqdm

from chitra.backup import Report

LISTED = 20
INCOMPLETE = 3  # exit status: done, but objects are missing or damaged


def progress_bar(title: str, items: Iterable[Any], total: int) -> Iterable[Any]:
    """A bar on a terminal, silence elsewhere."""
    bar: Iterable[Any] = tqdm(items, total=total, desc=title, unit="object", disable=None, file=sys.stderr)
    return bar


def finish(report: Report, out: OutputWrapper, summary: str) -> None:
    """Print the summary and the notes; CommandError with status 3 when there are problems."""
    out.write(f"{report.name}: {summary}")
    for note in report.notes:
        out.write(note)
    if not report.problems:
        return
    shown = report.problems[:LISTED]
    if len(report.problems) > LISTED:
        shown = [*shown, f"… and {len(report.problems) - LISTED} more"]
    raise CommandError(
        "\n".join([f"Not complete, {len(report.problems)} objects:", *(f"  {line}" for line in shown)]),
        returncode=INCOMPLETE,
    )


def in_units(size: int) -> str:
    """Bytes for people: 1.2 GB."""
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"
