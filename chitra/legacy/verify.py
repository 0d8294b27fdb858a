"""The proof: source and target read again, every byte, and every row and file accounted for."""

import posixpath
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import Storage

from chitra.accounts.models import User
from chitra.legacy import plan
from chitra.legacy.ahead import ahead, chunks
from chitra.legacy.cases import DECIDED_FAILURES
from chitra.legacy.files import FileSource, LocalRoot, UnusableName, copy_file
from chitra.legacy.models import Kind, LegacySystem, Outcome, Status
from chitra.legacy.rows import PhotoRow, text
from chitra.legacy.source import CHILD_TABLES, LegacyDatabase
from chitra.legacy.transfer import hash_object
from chitra.legacy.verify_rows import RowChecker
from faces.models import Person
from photos.hashing import Digest, hash_file
from photos.models import Photo

READ_AT_ONCE = 200
NO_OUTCOME = "was not migrated. Run migrate_legacy again."


@dataclass
class Line:
    """A line of the table: one table or class of files."""

    name: str
    source: int = 0
    endings: Counter[str] = field(default_factory=Counter)
    differences: int = 0

    def add(self, outcome: Outcome | None, difference: str = "") -> None:
        self.source += 1
        if outcome is not None:
            self.endings[outcome.status] += 1
        self.differences += bool(difference)


@dataclass
class Findings:
    """The table, what is different, and how much was read and found equal."""

    lines: dict[str, Line] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    decided: Counter[str] = field(default_factory=Counter)
    equal_digests: int = 0
    bytes_read: int = 0

    def add(self, name: str, key: Any, outcome: Outcome | None, difference: str | None = "") -> None:
        """Count a row or file; without an outcome it is a difference."""
        if outcome is None:
            difference = NO_OUTCOME
        elif not difference and outcome.status == Status.FAILED and outcome.code not in DECIDED_FAILURES:
            difference = f"failed: {outcome.reason}"
        self.lines.setdefault(name, Line(name)).add(outcome, difference or "")
        if outcome is not None and outcome.code:
            self.decided[f"{name}: {outcome.status}, {outcome.code}"] += 1
        if difference:
            self.differences.append(f"{name} {key}: {difference}")


@dataclass(frozen=True)
class Pair:
    """An old file and the object that came of it; no target for a file that failed."""

    name: str
    key: str
    path: str
    outcome: Outcome
    photo: Photo | None
    row: PhotoRow | None = None


@dataclass(frozen=True)
class Compared:
    difference: str = ""
    bytes_read: int = 0


class Verification:
    """One verification. Nothing is written."""

    def __init__(
        self,
        *,
        system: LegacySystem,
        database: LegacyDatabase,
        files: FileSource,
        storage: Storage,
        local_roots: Sequence[LocalRoot],
        parallel: int,
        on_progress: Callable[[int], None] = lambda count: None,
    ) -> None:
        self.system = system
        self.database = database
        self.files = files
        self.storage = storage
        self.local_roots = local_roots
        self.parallel = parallel
        self.on_progress = on_progress
        self.findings = Findings()
        self.rows = RowChecker(system, database, self.findings.add)

    def run(self) -> Findings:
        """Raises SourceUnavailable when the old storage is away."""
        self.check_existing(Kind.USERS, [row.id for row in self.database.users()], User)
        self.check_existing(Kind.PERSONS, [row.id for row in self.database.persons()], Person)
        self.check_pairs(self.photo_pairs())
        for table in (*CHILD_TABLES, "face_thumbs"):
            for ids in chunks(self.database.orphans(table), READ_AT_ONCE):
                outcomes = self.outcomes(Kind(table), ids)
                for row_id in ids:
                    self.findings.add(table, row_id, outcomes.get(str(row_id)))
        self.check_pairs(self.file_pairs())
        return self.findings

    def outcomes(self, kind: Kind, keys: Iterable[Any]) -> dict[str, Outcome]:
        rows = Outcome.objects.filter(system=self.system).of(kind, keys)
        return {row.source_key: row for row in rows}

    def check_existing(self, kind: Kind, ids: Sequence[int], model: Any) -> None:
        """Users and persons: what came of them is still there."""
        outcomes = self.outcomes(kind, ids)
        alive = set(
            model.objects.filter(pk__in=[row.target_id for row in outcomes.values()]).values_list(
                "pk", flat=True
            )
        )
        for row_id in ids:
            found = outcomes.get(str(row_id))
            is_gone = found is not None and found.status != Status.FAILED and found.target_id not in alive
            self.findings.add(kind, row_id, found, "is gone here." if is_gone else "")

    # ------------------------------------------------------------ bytes

    def photo_pairs(self) -> Iterator[Pair]:
        for rows in self.database.photos(READ_AT_ONCE):
            outcomes = self.outcomes(Kind.PHOTOS, [row.id for row in rows])
            photos = Photo.objects.in_bulk(
                [found.target_id for found in outcomes.values() if found.target_id]
            )
            for row in rows:
                found = outcomes.get(str(row.id))
                if found is None:
                    self.findings.add("photos", row.id, None)
                else:
                    photo = photos.get(found.target_id or 0)
                    yield Pair("photos", str(row.id), row.file_path, found, photo, row)
            self.rows.check([row.id for row in rows], outcomes)

    def file_pairs(self) -> Iterator[Pair]:
        """Files that no row names; the others are counted by class."""
        unusual = {posixpath.normpath(path) for path in self.database.unusual_paths()}
        for files in chunks(self.files.files(), READ_AT_ONCE):
            outcomes = self.outcomes(Kind.FILES, [text(file.key) for file in files])
            photos = Photo.objects.in_bulk(
                [found.target_id for found in outcomes.values() if found.target_id]
            )
            for file in files:
                kind = plan.class_of(file.key)
                if kind != "original":
                    self.count(f"files: {kind}s", Status.LEFT_OUT)
                elif file.key in unusual or self.database.has_photo_at(file.key):
                    self.count("files: of the photos above", "")
                elif (found := outcomes.get(text(file.key))) is None:
                    self.findings.add("files: without a row", text(file.key), None)
                else:
                    yield Pair(
                        "files: without a row",
                        text(file.key),
                        file.key,
                        found,
                        photos.get(found.target_id or 0),
                    )

    def count(self, name: str, status: str) -> None:
        """A file that is accounted for by its class: re-made here, or compared with its row."""
        line = self.findings.lines.setdefault(name, Line(name))
        line.source += 1
        if status:
            line.endings[status] += 1

    def check_pairs(self, pairs: Iterable[Pair]) -> None:
        for pair, compared in ahead(pairs, self.compare, self.parallel):
            self.findings.add(pair.name, pair.key, pair.outcome, compared.difference)
            self.findings.bytes_read += compared.bytes_read
            self.findings.equal_digests += compared.bytes_read > 0 and not compared.difference
            self.on_progress(1)

    def compare(self, pair: Pair) -> Compared:
        """Runs on a thread, without the ORM."""
        if pair.outcome.status == Status.LEFT_OUT:
            return Compared()
        source = self.hash_source(pair.path)
        if pair.outcome.status == Status.FAILED:
            is_as_told = source is None or not source.size
            return Compared("" if is_as_told else "can be read now. Run migrate_legacy again.")
        if source is None:
            return Compared("is not in the old storage any more.")
        if pair.photo is None:
            return Compared("its photo is gone here.")
        target = hash_object(self.storage, pair.photo.original_key)
        if target is None:
            return Compared(f"the object {pair.photo.original_key} is not in the storage.")
        return Compared(difference_between(pair, pair.photo, source, target), source.size + target.size)

    def hash_source(self, path: str) -> Digest | None:
        """Every byte of an old file; None when it is not to be had."""
        with tempfile.NamedTemporaryFile(prefix="chitra-", dir=settings.FILE_UPLOAD_TEMP_DIR) as copy:
            try:
                if plan.is_local_path(path):
                    found = next((here for root in self.local_roots if (here := root.find(path))), None)
                    if found is None:
                        return None
                    copy_file(found, copy)  # type: ignore[arg-type]
                else:
                    self.files.fetch(path, copy)  # type: ignore[arg-type]
            except (FileNotFoundError, UnusableName):
                return None
            copy.flush()
            return hash_file(Path(copy.name))


def difference_between(pair: Pair, photo: Photo, source: Digest, target: Digest) -> str:
    """What is not as the rows say, "" for nothing."""
    if source != target:
        return f"other bytes here ({target.sha256}) than there ({source.sha256})."
    if (target.sha256, target.sha1, target.size) != (photo.checksum, photo.sha1, photo.size):
        return "the photo's row tells of other bytes than its object has."
    was_told = pair.outcome.code in ("checksum_differs", "same_bytes")
    if pair.row is not None and not was_told and not plan.checksum_agrees(pair.row.checksum, source.sha1):
        return f"the row's checksum {pair.row.checksum} is not that of the file."
    return ""
