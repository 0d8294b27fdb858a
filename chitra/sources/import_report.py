"""How an import went, file by file: a table or JSON for people, and counts."""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, TextIO

Status = Literal["imported", "duplicate", "skipped", "failed"]


@dataclass(frozen=True)
class Row:
    """One file; `reason` says why it was skipped or failed, `remark` what is worth knowing otherwise.

    `same_as` names the file with the bytes of a duplicate, `looks_like` what a file resembles: that is known
    when the photo has been processed, so it is filled in when somebody reads the report.
    """

    path: str
    status: Status
    reason: str = ""
    photo_id: int | None = None
    remark: str = ""
    same_as: str = ""
    looks_like: str = ""


class ReportFile:
    """Rows go to a file as they come: CSV, or one JSON object a line when its name ends in .json(l)."""

    def __init__(self, file: TextIO, *, is_json: bool, is_new: bool) -> None:
        self._file = file
        self._table = None if is_json else csv.DictWriter(file, [field.name for field in fields(Row)])
        if self._table is not None and is_new:
            self._table.writeheader()

    def add(self, row: Row) -> None:
        if self._table is not None:
            self._table.writerow(asdict(row))
        else:
            self._file.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")


@contextmanager
def report_file(path: Path, *, goes_on: bool = False) -> Iterator[ReportFile]:
    """A report at this path; with `goes_on` behind what is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not (goes_on and path.exists())
    # Each row is on the disk before the progress of its file is told: a process may end at any moment.
    with path.open("w" if is_new else "a", buffering=1, newline="", encoding="utf-8") as file:
        yield ReportFile(file, is_json=is_json(path), is_new=is_new)


def read_rows(path: Path) -> Iterator[Row]:
    """What is in a report."""
    names = {field.name for field in fields(Row)}
    with path.open(newline="", encoding="utf-8") as file:
        for found in map(json.loads, file) if is_json(path) else csv.DictReader(file):
            values: dict[str, Any] = {name: value for name, value in found.items() if name in names}
            values["photo_id"] = int(values["photo_id"]) if values["photo_id"] else None
            yield Row(**values)


def is_json(path: Path) -> bool:
    return path.suffix in (".json", ".jsonl")


def summary(counts: Counter[str]) -> str:
    """One line for people."""
    return (
        f"{counts['imported']} imported, {counts['duplicate']} already there, "
        f"{counts['skipped']} not pictures, {counts['failed']} failed"
    )
