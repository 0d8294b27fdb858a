"""Where the legacy files are read from: an FTP server, a folder or a bucket. Nothing here writes to them."""

import os
import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

CHUNK_BYTES = 256 * 1024
ATTEMPTS = 6


class SourceUnavailable(OSError):
    """The old storage does not answer, refuses the login, or breaks off again and again."""


class UnusableName(ValueError):
    """The name cannot be sent over this connection."""


@dataclass(frozen=True)
class SourceFile:
    """A file of the old storage: key relative to its base, bytes, and time of change when it is told."""

    key: str
    size: int
    modified_at: datetime | None = None


class FileSource(ABC):
    """Files by key. Used from several threads at once."""

    @abstractmethod
    def fetch(self, key: str, target: BinaryIO) -> None:
        """Write the whole file to `target`. Raises FileNotFoundError, UnusableName or SourceUnavailable."""

    @abstractmethod
    def files(self) -> Iterator[SourceFile]:
        """Every file below the base, hidden ones included. Raises SourceUnavailable."""

    def close(self) -> None:
        """Give connections back."""
        return


class BrokenOff(Exception):
    """A transfer ended early or the connection is gone; the next attempt goes on where this one stopped."""


class RemoteSource(FileSource):
    """Over a network: attempts with growing pauses, each going on where the last one broke off."""

    def __init__(self, *, pause_seconds: float = 0.5) -> None:
        self.pause_seconds = pause_seconds

    @abstractmethod
    def read_on(self, key: str, target: BinaryIO) -> None:
        """Append the file from `target.tell()` on. Raises BrokenOff for what may pass."""

    def fetch(self, key: str, target: BinaryIO) -> None:
        failures = 0
        while True:
            before = target.tell()
            try:
                return self.read_on(key, target)
            except BrokenOff as error:
                failures = 0 if target.tell() > before else failures + 1
                if failures >= ATTEMPTS:
                    raise SourceUnavailable(f"{key}: {error}") from error
            time.sleep(self.pause_seconds * 2**failures)


class FolderSource(FileSource):
    """A folder on this machine, for example a copy of the FTP root."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        if not self.root.is_dir():
            raise SourceUnavailable(f"{root} is not a folder.")

    def fetch(self, key: str, target: BinaryIO) -> None:
        try:
            path = (self.root / key).resolve()
        except (ValueError, OSError, RuntimeError) as error:
            raise UnusableName(str(error)) from None
        if not path.is_relative_to(self.root) or not path.is_file():
            raise FileNotFoundError(key)
        copy_file(path, target)

    def files(self) -> Iterator[SourceFile]:
        def stop(error: OSError) -> None:
            raise SourceUnavailable(f"{error.filename} cannot be read: {error.strerror}")

        for folder, subfolders, names in os.walk(self.root, onerror=stop):
            subfolders.sort()
            for name in sorted(names):
                path = Path(folder, name)
                if path.is_file() and not path.is_symlink():
                    status = path.stat()
                    modified = datetime.fromtimestamp(status.st_mtime, UTC)
                    yield SourceFile(path.relative_to(self.root).as_posix(), status.st_size, modified)


def copy_file(path: Path, target: BinaryIO) -> None:
    """A local file into `target`. Raises SourceUnavailable when the disk fails."""
    try:
        with path.open("rb") as source:
            shutil.copyfileobj(source, target, CHUNK_BYTES)
    except OSError as error:
        if error.filename is None:  # the writing side
            raise
        raise SourceUnavailable(f"{path} cannot be read: {error.strerror}.") from error


@dataclass(frozen=True)
class LocalRoot:
    """A part of the old server's disk: paths below `old` lie below `here` on this machine."""

    old: str
    here: Path

    @classmethod
    def parse(cls, text: str) -> "LocalRoot":
        """`DIR`, or `OLD=DIR` when it lies elsewhere on this machine."""
        old, equals, here = text.partition("=")
        return cls(old.rstrip("/"), Path(here if equals else old).resolve())

    def find(self, path: str) -> Path | None:
        """The file here, None when the path is not below this root (links and `..` resolved) or not there."""
        if not path.startswith(f"{self.old}/"):
            return None
        try:
            found = (self.here / path[len(self.old) + 1 :]).resolve()
            return found if found.is_relative_to(self.here) and found.is_file() else None
        except (OSError, ValueError, RuntimeError):
            return None
