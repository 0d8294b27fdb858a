"""Scan a folder: compare it with what is known, then take what is new or changed, file by file.

Nothing in the folder is changed, and no photo is deleted. Files are taken in small transactions, so a scan
that is stopped goes on with the next ones.
"""

import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from chitra.sources.homes import rehome
from chitra.sources.intake import Intake, Outcome
from chitra.sources.listing import Entry, list_tree
from chitra.sources.models import Folder, FolderFile
from chitra.sources.planning import Change, Kind, Known, Root, compare, objection
from photos.importing import BadFolder, inside_scan_roots
from photos.models import Photo
from photos.storages.folders import escaped
from photos.taking import in_groups

MOST_LISTED = 1000
BATCH = 1000
LOCK_CLASS = 7_240_004
BUSY = "The folder is being scanned already."
WORK: tuple[Kind, ...] = ("back", "new", "changed")


class ScanRefused(BadFolder):
    """A scan that would misread a disk that is not there; the message says what to do."""


@dataclass
class ScanReport:
    """How the paths of a folder ended, and the first MOST_LISTED problems as (path, reason)."""

    counts: Counter[str] = field(default_factory=Counter)
    problems: list[tuple[str, str]] = field(default_factory=list)
    work: int = 0
    """Files to be looked into."""
    worked: int = 0

    def note(self, path: str, reason: str) -> None:
        self.counts["problems"] += 1
        if len(self.problems) < MOST_LISTED:
            self.problems.append((path, reason))

    def add(self, path: str, outcome: Outcome) -> None:
        self.counts[outcome.kind] += 1
        self.worked += 1
        if outcome.reason:
            self.note(path, outcome.reason)

    def summary(self) -> str:
        """One line for people: what is not zero."""
        words = {
            "added": "new",
            "duplicate": "with bytes that were there",
            "changed": "changed",
            "moved": "moved",
            "back": "back",
            "missing": "missing",
            "unchanged": "unchanged",
            "refused": "not pictures",
            "problems": "problems",
        }
        parts = [f"{self.counts[kind]:,} {word}" for kind, word in words.items() if self.counts[kind]]
        return ", ".join(parts) or "The folder is empty"

    def as_json(self) -> dict[str, Any]:
        return {"counts": dict(self.counts), "problems": self.problems}


Progress = Callable[[ScanReport], None]


def quietly(report: ScanReport) -> None:
    """Nobody wants to know."""


class Scan:
    """One scan of one folder.

    `is_right_disk` says that another device is meant, `retry_refused` reads again what was no picture.
    """

    def __init__(
        self,
        folder: Folder,
        *,
        user: Any = None,
        is_right_disk: bool = False,
        retry_refused: bool = False,
        on_progress: Progress = quietly,
    ) -> None:
        self.folder = folder
        self.report = ScanReport()
        self._is_right_disk = is_right_disk
        self._retry_refused = retry_refused
        self._on_progress = on_progress
        self._intake = Intake(folder, user)

    def run(self, *, dry_run: bool = False) -> ScanReport:
        """Raises BadFolder (ScanRefused among them), StorageUnavailable and what `on_progress` raises."""
        root = inside_scan_roots(str(self.folder.root))
        with only_one(self.folder), Spool() as spool:
            missing, device = self._look(root, spool)
            if dry_run:
                return self.report
            self._mark_missing(missing)
            for batch in spool.batches():
                self._take(batch)
            if self.report.counts["moved"]:
                self.report.counts["missing"] = still_missing(missing)
            Folder.objects.filter(pk=self.folder.pk).update(device=device, scanned_at=timezone.now())
        return self.report

    def _look(self, root: Path, spool: "Spool") -> tuple[list[int], int]:
        """Compare without changing anything; ids of rows that are missing, and the folder's device."""
        missing: list[int] = []
        counts: Counter[str] = Counter()
        listed = list_tree(root, self.folder.rules, escaped)
        for change in compare(listed, self._known(), self.folder.rules.excludes):
            counts[change.kind] += 1
            if change.kind in WORK:
                spool.add(change)
            elif change.kind == "missing":
                missing.append(change.known)
            elif change.kind == "problem":
                self.report.note(change.entry.path, change.entry.problem)
        device = os.stat(root).st_dev  # noqa: PTH116 - the number of the device, not a path
        marker = self.folder.marker
        state = Root(
            marker=marker,
            has_marker=bool(marker) and (root / marker).exists(),
            device=device,
            known_device=None if self._is_right_disk else self.folder.device,
        )
        if reason := objection(counts, state):
            raise ScanRefused(reason)
        for kind in ("unchanged", "missing", "excluded", "unknown"):
            self.report.counts[kind] = counts[kind]
        self.report.counts["found"] = sum(counts[kind] for kind in WORK)
        self.report.work = spool.count
        return missing, device

    def _known(self) -> Iterator[Known]:
        rows = FolderFile.objects.filter(folder=self.folder).order_by("path")
        columns = rows.values_list("pk", "path", "size", "mtime_ns", "missing_since", "problem")
        for pk, path, size, mtime_ns, missing_since, problem in columns.iterator(chunk_size=5000):
            is_stale = self._retry_refused and problem
            yield Known(pk, path, -1 if is_stale else size, mtime_ns, missing_since is not None)

    def _mark_missing(self, ids: list[int]) -> None:
        """Rows first; their photos only when no other file has their bytes."""
        for start in range(0, len(ids), BATCH):
            with transaction.atomic():
                rows = FolderFile.objects.filter(pk__in=ids[start : start + BATCH])
                rows.update(missing_since=timezone.now())
                for photo in Photo.objects.filter(folder_files__in=rows.values("pk")).distinct():
                    rehome(photo)
                self._intake.look_at_sidecars(ids[start : start + BATCH])

    def _take(self, batch: list[Change]) -> None:
        """Some files in one transaction, because a commit costs more than a file."""
        for group in in_groups(batch, self._bytes_held):
            outcomes = self._intake.take(group)
            for change, outcome in zip(group, outcomes, strict=True):
                self.report.add(change.entry.path, outcome)
            self._on_progress(self.report)

    def _bytes_held(self, change: Change) -> int:
        """What a file keeps in memory while its group is taken: what stays in its folder is only hashed."""
        return 0 if self.folder.is_in_place else change.entry.size


def still_missing(ids: list[int]) -> int:
    """How many of these files are not found elsewhere by now."""
    rows = FolderFile.objects.filter(missing_since__isnull=False)
    return sum(rows.filter(pk__in=ids[start : start + BATCH]).count() for start in range(0, len(ids), BATCH))


class Spool:
    """Changes on their way from looking to doing: in a file, for a first import has as many as the disk."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed by __exit__
        self.count = 0

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    def add(self, change: Change) -> None:
        self._file.write(json.dumps([change.kind, change.known, change.entry]) + "\n")
        self.count += 1

    def batches(self) -> Iterator[list[Change]]:
        """Files that are back come first, so that none of their photos is taken for moved."""
        for wanted in WORK:
            self._file.seek(0)
            changes = (
                Change(kind, known, Entry(*entry))
                for kind, known, entry in map(json.loads, self._file)
                if kind == wanted
            )
            while batch := list(islice(changes, BATCH)):
                yield batch


@contextmanager
def only_one(folder: Folder) -> Iterator[None]:
    """Two scans of one folder would take its files twice. Raises ScanRefused."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_CLASS, folder.pk])
        if not cursor.fetchone()[0]:
            raise ScanRefused(BUSY)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_CLASS, folder.pk])
