"""What a backup is on disk: snapshots of the database with a manifest each, and objects they share.

    DIR/objects/ab/ab12…           an object's bytes, named by their SHA-256, kept once
    DIR/20261122T180000Z/          a snapshot: database.dump, objects.jsonl, backup.json

Knows no Django.
"""

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

FORMAT = 1
CHUNK_BYTES = 1024 * 1024
SNAPSHOT_NAME = re.compile(r"\d{8}T\d{6}Z(-\d+)?$")


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Writable(Protocol):
    def write(self, data: bytes, /) -> int: ...


class BackupError(Exception):
    """A backup that cannot be made, read or restored; the message says what to do."""


@dataclass(frozen=True)
class Entry:
    """One object of the manifest: in "originals" or "renditions", its size in bytes, its SHA-256 in hex."""

    storage: str
    key: str
    size: int
    sha256: str

    def to_line(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":")) + "\n"

    @classmethod
    def from_line(cls, line: str) -> "Entry":
        """Raises ValueError for a line that is no entry."""
        fields = json.loads(line)
        entry = cls(**fields) if isinstance(fields, dict) and len(fields) == 4 else None
        if (
            entry is None
            or entry.storage not in ("originals", "renditions")
            or not isinstance(entry.key, str)
            or not isinstance(entry.size, int)
            or not re.fullmatch(r"[0-9a-f]{64}", str(entry.sha256))
        ):
            raise ValueError("not an entry")
        return entry


@dataclass
class Description:
    """`backup.json`: what is in a snapshot, with digests of its two other files."""

    created_at: str
    chitra_version: str
    server_version: int
    dump_size: int
    dump_sha256: str
    manifest_sha256: str
    object_count: int
    object_bytes: int
    has_objects: bool
    rows: dict[str, int]
    migrations: list[str]
    format: int = FORMAT
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Snapshot:
    """One snapshot's directory."""

    directory: Path

    @property
    def dump(self) -> Path:
        return self.directory / "database.dump"

    @property
    def manifest(self) -> Path:
        return self.directory / "objects.jsonl"

    def describe(self) -> Description:
        """Read backup.json; BackupError when it is missing or damaged."""
        path = self.directory / "backup.json"
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            if fields["format"] != FORMAT:
                raise BackupError(
                    f"{path}: format {fields['format']} is not known to this version of Chitra."
                )
            return Description(**fields)
        except OSError as error:
            raise BackupError(f"{path}: {error.strerror}") from None
        except (ValueError, TypeError, KeyError):
            raise BackupError(f"{path} is damaged. Use another snapshot with --snapshot.") from None

    def write_description(self, description: Description) -> None:
        text = json.dumps(asdict(description), indent=2, ensure_ascii=False)
        (self.directory / "backup.json").write_text(f"{text}\n", encoding="utf-8")

    def entries(self) -> Iterator[Entry]:
        """The manifest's entries; BackupError at a damaged line."""
        with self.manifest.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield Entry.from_line(line)
                except (ValueError, TypeError):
                    raise BackupError(f"{self.manifest}: line {number} is damaged.") from None

    def check_files(self) -> Description:
        """Compare dump and manifest with their digests; BackupError when one is missing or damaged."""
        description = self.describe()
        expected = {self.dump: description.dump_sha256, self.manifest: description.manifest_sha256}
        for path, sha256 in expected.items():
            if not path.is_file():
                raise BackupError(f"{path} is missing.")
            if digest_of(path) != sha256:
                size = path.stat().st_size
                truncated = path == self.dump and size < description.dump_size
                what = (
                    f"is truncated ({size:,} of {description.dump_size:,} bytes)"
                    if truncated
                    else "is damaged"
                )
                raise BackupError(f"{path} {what}. Use another snapshot with --snapshot.")
        return description


class Vault:
    """The directory that holds all snapshots and their objects."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def snapshots(self) -> list[Snapshot]:
        """All complete snapshots, oldest first."""
        if not self.directory.is_dir():
            raise BackupError(f"{self.directory}: there is no such directory.")
        names = sorted(path.name for path in self.directory.iterdir() if SNAPSHOT_NAME.match(path.name))
        return [Snapshot(self.directory / name) for name in names]

    def snapshot(self, name: str | None) -> Snapshot:
        """The named snapshot, else the newest."""
        snapshots = self.snapshots()
        if name is not None:
            snapshots = [snapshot for snapshot in snapshots if snapshot.directory.name == name]
        if not snapshots:
            raise BackupError(f"{self.directory} holds no snapshot{f' {name}' if name else ''}.")
        return snapshots[-1]

    def object_path(self, sha256: str) -> Path:
        return self.directory / "objects" / sha256[:2] / sha256

    @contextmanager
    def draft(self) -> Iterator[Snapshot]:
        """A new snapshot, which gets its name when the block ends well and is removed when it does not."""
        with self._only_one():
            name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
            taken = {snapshot.directory.name for snapshot in self.snapshots()}
            free = next(n for n in (name, *(f"{name}-{i}" for i in range(2, 1000))) if n not in taken)
            draft = Path(tempfile.mkdtemp(prefix=".snapshot-", dir=self.directory))
            try:
                yield Snapshot(draft)
                draft.rename(self.directory / free)
            finally:
                shutil.rmtree(draft, ignore_errors=True)

    @contextmanager
    def _only_one(self) -> Iterator[None]:
        """Two backups at once into one directory would delete each other's objects."""
        with told_apart(self.directory):
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = (self.directory / ".lock").open("w")
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BackupError(f"Another backup into {self.directory} is under way.") from None
            for leftover in self.directory.glob(".snapshot-*"):
                shutil.rmtree(leftover, ignore_errors=True)
            yield

    def add_object(self, source: Readable, *, expected: str | None = None) -> tuple[str, int]:
        """Copy a stream in under its SHA-256; the digest and the size. Kept once however often it comes.

        With `expected`, other bytes raise ValueError and are not kept.
        """
        folder = self.directory / "objects"
        folder.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".part-", delete=False) as target:
            try:
                sha256, size = copy_hashing(source, target)
                if expected is not None and sha256 != expected:
                    raise ValueError(f"its bytes are not those that were stored: SHA-256 {sha256}")
                target.flush()
                os.fsync(target.fileno())
                place = self.object_path(sha256)
                place.parent.mkdir(exist_ok=True)
                Path(target.name).replace(place)
            except BaseException:
                Path(target.name).unlink(missing_ok=True)
                raise
        return sha256, size

    def prune(self, keep: int) -> tuple[int, int]:
        """Remove all but the newest `keep` snapshots, and the objects that none of those name; how many."""
        with self._only_one():
            snapshots = self.snapshots()
            old, kept = snapshots[:-keep], snapshots[-keep:]
            for snapshot in old:
                shutil.rmtree(snapshot.directory)
            named = {bytes.fromhex(entry.sha256) for snapshot in kept for entry in snapshot.entries()}
            removed = 0
            for path in (self.directory / "objects").glob("*/*"):
                if bytes.fromhex(path.name) not in named:
                    path.unlink()
                    removed += 1
        return len(old), removed


def copy_hashing(source: Readable, target: Writable) -> tuple[str, int]:
    """Copy a binary stream; SHA-256 in hex and the number of bytes."""
    sha256, size = hashlib.sha256(), 0
    while data := source.read(CHUNK_BYTES):
        sha256.update(data)
        target.write(data)
        size += len(data)
    return sha256.hexdigest(), size


def digest_of(path: Path) -> str:
    """SHA-256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def told_apart(directory: Path) -> Iterator[None]:
    """Turn errors of the file system below the backup's directory into words."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            reason = f"{directory} is full. What is complete was kept; free some space and run it again."
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            reason = f"{directory} is not writable ({error.strerror})."
        else:
            reason = f"{error.filename or directory}: {error.strerror or error}"
        raise BackupError(reason) from error
