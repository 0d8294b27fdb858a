"""What a scan is to do: the files there are against the files that are known. Decides only; no Django.

Both sides come in the order of their paths and are merged in one pass, so memory does not grow with them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from chitra.sources.listing import Entry

Kind = Literal["unchanged", "new", "changed", "back", "missing", "excluded", "unknown", "problem"]
NOBODY = 0


class Known(NamedTuple):
    """A file that an earlier scan saw; `is_missing` when the last one did not."""

    pk: int
    path: str
    size: int
    mtime_ns: int
    is_missing: bool = False


class Change(NamedTuple):
    """What is the matter with one path; `known` is the row's id, 0 for none.

    unchanged   there as before                      new       there for the first time
    changed     there with another size or time      back      there again as it was before it was missed
    missing     not there                            excluded  not looked at any more, by the rules
    unknown     below a folder that cannot be read   problem   of this entry, which says what
    """

    kind: Kind
    known: int
    entry: Entry


def compare(
    listed: Iterable[Entry], known: Iterable[Known], is_excluded: Callable[[str], bool]
) -> Iterator[Change]:
    """One change for each path of either side (two for one that is known and cannot be read now)."""
    rows = iter(known)
    row = next(rows, None)
    for entry in listed:
        while row is not None and row.path < entry.path:
            yield from unlisted(row, is_excluded)
            row = next(rows, None)
        if entry.problem:
            yield Change("problem", NOBODY, entry)
            while row is not None and is_at(row.path, entry.path):
                yield Change("unknown", row.pk, Entry(row.path))
                row = next(rows, None)
        elif row is None or row.path != entry.path:
            yield Change("new", NOBODY, entry)
        else:
            yield Change(kind_of(row, entry), row.pk, entry)
            row = next(rows, None)
    while row is not None:
        yield from unlisted(row, is_excluded)
        row = next(rows, None)


def is_at(path: str, problem: str) -> bool:
    """Whether a path is the one with the problem, or lies in the folder that has it."""
    return path.startswith(problem) if problem.endswith("/") else path == problem


def kind_of(row: Known, entry: Entry) -> Kind:
    if (row.size, row.mtime_ns) != (entry.size, entry.mtime_ns):
        return "changed"
    return "back" if row.is_missing else "unchanged"


def unlisted(row: Known, is_excluded: Callable[[str], bool]) -> Iterator[Change]:
    """A file that was missing stays so, which is no change."""
    if not row.is_missing:
        kind: Kind = "excluded" if is_excluded(row.path) else "missing"
        yield Change(kind, row.pk, Entry(row.path))


@dataclass(frozen=True)
class Root:
    """The folder itself, now and at the last scan; devices are numbers of the system, None when not known."""

    marker: str = ""
    has_marker: bool = False
    device: int | None = None
    known_device: int | None = None


def objection(counts: Counter[str], root: Root) -> str:
    """Why what was found is rather a disk that is not there than files that are gone; "" when it is not."""
    if root.marker and not root.has_marker:
        return (
            f"The marker file {root.marker} is not in the folder, so its disk may not be mounted. "
            "Nothing was changed. Mount it, or take the marker out of the folder's settings."
        )
    gone = counts["missing"]
    there = counts["unchanged"] + counts["changed"] + counts["new"] + counts["back"]
    if gone and not there:
        return (
            f"The folder is empty, but {gone} files were in it: its disk may not be mounted. "
            "Nothing was changed."
        )
    is_other = root.known_device is not None and root.device != root.known_device
    if gone and is_other and not root.marker:
        return (
            f"The folder lies on another disk than at the last scan and {gone} files are not there. "
            "Nothing was changed. If that is right, scan with “it is the right disk”."
        )
    return ""
