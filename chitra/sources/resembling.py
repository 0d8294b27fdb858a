"""Reports of imports with what each photo looks like, which is known only when it has been processed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from django.db.models import Q

from chitra.sources.import_report import Row, read_rows, report_file
from jobs.models import StepStatus
from photos.models import LookAlike, PhotoStep

ROWS_AT_ONCE = 1000
BEING_COMPARED = "still being compared"


def completed(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows of a report, each imported photo with what looks like it now; two queries for a thousand."""
    left = iter(rows)
    while batch := list(islice(left, ROWS_AT_ONCE)):
        taken = [pk for row in batch if (pk := imported(row)) is not None]
        names, waiting = names_of_look_alikes(taken), still_waiting(taken)
        for row in batch:
            instead = BEING_COMPARED if imported(row) in waiting else ""
            yield replace(row, looks_like="; ".join(names.get(imported(row), ())) or instead)


def imported(row: Row) -> int | None:
    """The photo that was made of the file; None for a file that was not taken, or was there already."""
    return row.photo_id if row.status == "imported" else None


def names_of_look_alikes(photo_ids: Sequence[int]) -> dict[int | None, list[str]]:
    """Where the look-alikes of these photos came from. Not named is what is in one stack with the photo."""
    wanted = set(photo_ids)
    pairs = LookAlike.objects.open().filter(Q(photo__in=wanted) | Q(other__in=wanted))
    sides = [
        f"{side}__{column}"
        for side in ("photo", "other")
        for column in ("pk", "source_path", "original_name")
    ]
    names: dict[int | None, list[str]] = defaultdict(list)
    for one, path, name, other, other_path, other_name in pairs.order_by("distance", "pk").values_list(
        *sides
    ):
        if one in wanted:
            names[one].append(other_path or other_name)
        if other in wanted:
            names[other].append(path or name)
    return dict(names)


def still_waiting(photo_ids: Sequence[int]) -> set[int | None]:
    """Those of the photos that have not been compared with others yet."""
    rows = PhotoStep.objects.filter(photo__in=photo_ids, step="neighbours")
    return set(
        rows.filter(status__in=[StepStatus.PENDING, StepStatus.RUNNING]).values_list("photo_id", flat=True)
    )


def complete(path: Path) -> tuple[int, int]:
    """Fill in a report that lies at this path. How many photos look like another, and how many wait."""
    fresh = path.with_name(f".{path.name}.new{path.suffix}")
    found = waiting = 0
    try:
        with report_file(fresh) as file:
            for row in completed(read_rows(path)):
                waiting += row.looks_like == BEING_COMPARED
                found += row.looks_like not in ("", BEING_COMPARED)
                file.add(row)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return found, waiting
