"""Exports of Apple: the tables of a copy from privacy.apple.com, and what Photos writes beside files.

The copy comes in parts, each with `Photos/` and a “Photo Details.csv” (also -1, -2 …) for the files of its
own folder; names are not unique over the parts. `Albums/` of one part has a table of names for each album.
No Django.
"""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from chitra.sources.archives import SourceFile
from chitra.sources.details import Details

EDITED = re.compile(r"IMG_E([0-9]{4,})\b", re.IGNORECASE)
ALBUM_FOLDERS = ("Albums", "Shared Albums")
MARKS = {"favorites": "is_favorite", "hidden": "is_archived"}
"""Albums that are marks."""
DELETED_FOLDER = "Recently Deleted"
ADJUSTMENTS = "What was edited in Apple Photos, which only its own programs can carry out."
# Saturday June 4,2022 12:11 PM GMT, in older tables without quotes around its comma
_DATE = re.compile(r"([A-Z][a-z]+) (\d{1,2}),\s?(\d{4}) (\d{1,2}):(\d\d) ([AP]M) GMT")
_MONTHS = "January February March April May June July August September October November December"


@dataclass
class AppleTables:
    """Rows by folder and name of a file, names of albums and marks by name."""

    rows: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    by_name: dict[str, list[dict[str, str]]] = field(default_factory=lambda: defaultdict(list))
    albums: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    marks: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def details_of(self, file: SourceFile, details: Details | None) -> Details | None:
        """What the tables say, added to what is known. The only row of a name counts in any folder."""
        named = self.by_name.get(file.name, [])
        row = self.rows.get((file.folder, file.name)) or (named[0] if len(named) == 1 else {})
        marks = self.marks.get(file.name, set())
        is_deleted = file.folder.rpartition("/")[2] == DELETED_FOLDER
        if not row and not marks and not is_deleted:
            return details
        details = details or Details()
        return replace(
            details,
            taken_at=details.taken_at or moment_of(row.values()),
            is_favorite=says_yes(row, "favorite") or "is_favorite" in marks,
            is_archived=says_yes(row, "hidden") or "is_archived" in marks,
            is_trashed=says_yes(row, "deleted") or is_deleted,
        )


def is_details_table(name: str) -> bool:
    return name.lower().startswith("photo details") and name.lower().endswith(".csv")


def read_tables(tables: Iterable[SourceFile], read: Callable[[SourceFile], bytes]) -> AppleTables:
    """All tables of an export; those that are none say nothing."""
    found = AppleTables()
    for table in tables:
        rows = csv_rows(read(table))
        title = table.name[: -len(".csv")]
        if is_details_table(table.name):
            for row in rows:
                name = row.get("imgName", "")
                found.rows[table.folder, name] = row
                found.by_name[name].append(row)
        elif table.folder.rpartition("/")[2] in ALBUM_FOLDERS:
            for name in (next(iter(row.values()), "") for row in rows):
                if mark := MARKS.get(title.casefold()):
                    found.marks[name].add(mark)
                else:
                    found.albums[name].append(title)
    return found


def says_yes(row: dict[str, str], name: str) -> bool:
    return row.get(name, "").strip().casefold() in ("yes", "true")


def moment_of(cells: Iterable[str]) -> datetime | None:
    """The first moment in a row, aware: that of creation stands before that of the import."""
    match = _DATE.search(",".join(cells))
    months = _MONTHS.split(" ")
    if match is None or match[1] not in months:
        return None
    hour = int(match[4]) % 12 + (12 if match[6] == "PM" else 0)
    try:
        return datetime(
            int(match[3]), months.index(match[1]) + 1, int(match[2]), hour, int(match[5]), tzinfo=UTC
        )
    except ValueError:
        return None


def csv_rows(data: bytes) -> list[dict[str, str]]:
    """The rows of a table; none of what is no table."""
    try:
        rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig")), restkey="", restval=""))
    except (UnicodeDecodeError, csv.Error):
        return []
    return [{key: "".join(value) for key, value in row.items()} for row in rows]
