"""Objects as files: whole or not at all, and on the disk when they are acknowledged."""

import os
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from django.core.files import File
from django.core.files.storage import FileSystemStorage

from photos.storages.errors import unavailable
from photos.storages.objects import Leftover, ObjectStat, copy_stream

_committers = ThreadPoolExecutor(max_workers=8, thread_name_prefix="fsync")


class DurableFileSystemStorage(FileSystemStorage):
    """Files appear whole or not at all, and (with `fsync`) are on the disk when `save` returns.

    Saving under a name that is there replaces the file; who is reading the old one reads it to its end.
    """

    def __init__(self, *, fsync: bool = True, **options: Any) -> None:
        super().__init__(allow_overwrite=True, **options)
        self.fsync = fsync

    def open_writer(self, key: str) -> "FileWriter":
        return FileWriter(self, key)

    def open_reader(self, key: str, start: int = 0, end: int | None = None) -> "FileReader":
        with file_errors():
            return FileReader(key, Path(self.path(key)), start, end)

    def stat(self, key: str) -> ObjectStat:
        with file_errors():
            return stat_of(key, Path(self.path(key)).stat())

    def iterate(self, *, prefix: str = "", after: str = "") -> Iterator[ObjectStat]:
        root = Path(self.location)
        for path in walk_sorted(root, prefix):
            key = path.relative_to(root).as_posix()
            if key > after:
                with suppress(FileNotFoundError):  # it went while we walked
                    yield stat_of(key, path.stat())

    def move(self, key: str, new_key: str) -> None:
        with file_errors():
            target = Path(self.path(new_key))
            target.parent.mkdir(parents=True, exist_ok=True)
            Path(self.path(key)).replace(target)
            if self.fsync:
                sync_directory(target.parent)

    def leftovers(self) -> Iterator[Leftover]:
        root = Path(self.location)
        for path in [*root.rglob(".*.part"), *root.glob(".uploads/*")]:
            with suppress(FileNotFoundError):
                key = path.relative_to(root).as_posix()
                yield Leftover(key, str(path), datetime.fromtimestamp(path.stat().st_mtime, UTC))

    def discard(self, leftover: Leftover) -> None:
        Path(leftover.token).unlink(missing_ok=True)

    def _save(self, name: str, content: "File[Any]") -> str:
        writer = self.open_writer(name)
        try:
            copy_stream(content, writer)
            writer.commit()
        except BaseException:
            writer.abort()
            raise
        return name


class FileWriter:
    """Writes beside the place and renames at the end."""

    def __init__(self, storage: DurableFileSystemStorage, key: str) -> None:
        self._path = Path(storage.path(key))
        self._fsync = storage.fsync
        self._temporary = self._path.with_name(f".{self._path.name}.{uuid.uuid4().hex}.part")
        self._changed = {self._path.parent}  # folders with a new name in them
        self._committing: Future[None] | None = None
        self._is_committed = False
        with file_errors():
            try:
                self._file: BinaryIO = self._temporary.open("wb", buffering=0)
            except FileNotFoundError:  # mostly the folder is there, and to look takes longer
                self._make_folder()
                self._file = self._temporary.open("wb", buffering=0)

    def _make_folder(self) -> None:
        self._changed |= {parent.parent for parent in self._path.parents if not parent.exists()}
        self._path.parent.mkdir(parents=True, exist_ok=True)

    def write(self, data: bytes, /) -> int:
        with file_errors():
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) :]
        return len(data)

    def flush(self) -> None:
        if self._fsync and self._committing is None:
            self._committing = _committers.submit(self._commit)

    def commit(self, sha256: str = "") -> None:
        with file_errors():
            if self._committing is None:
                self._commit()
            else:
                self._committing.result()
        self._is_committed = True

    def _commit(self) -> None:
        if self._fsync:
            os.fsync(self._file.fileno())
        self._file.close()
        self._temporary.replace(self._path)
        if self._fsync:
            for folder in self._changed:
                sync_directory(folder)

    def abort(self) -> None:
        if self._is_committed:
            return
        if self._committing is not None and not self._committing.cancel():
            self._committing.exception()  # the file must stay open until then
            self._path.unlink(missing_ok=True)
        self._file.close()
        self._temporary.unlink(missing_ok=True)


class FileReader:
    """A file from `start` to `end`."""

    def __init__(self, key: str, path: Path, start: int, end: int | None) -> None:
        self.file: BinaryIO = path.open("rb", buffering=0)
        self.stat = stat_of(key, os.fstat(self.file.fileno()))
        self.file.seek(start)
        self._left = (self.stat.size if end is None else min(end, self.stat.size)) - start

    def read(self, size: int, /) -> bytes:
        data = self.file.read(min(size, self._left)) or b""
        self._left -= len(data)
        return data

    def close(self) -> None:
        self.file.close()


def stat_of(key: str, status: os.stat_result) -> ObjectStat:
    return ObjectStat(key, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))


def walk_sorted(root: Path, prefix: str) -> Iterator[Path]:
    """Regular files whose keys start with `prefix`, by key, as S3 lists them ("a.b" before "a/c")."""
    try:
        entries = list(os.scandir(root))
    except FileNotFoundError:
        return
    # Hidden ones are files in the making.
    folders = {
        entry.name: entry.is_dir(follow_symlinks=False) for entry in entries if not entry.name.startswith(".")
    }
    for name in sorted(folders, key=lambda name: f"{name}/" if folders[name] else name):
        if folders[name]:
            if f"{name}/".startswith(prefix) or prefix.startswith(f"{name}/"):
                rest = prefix.removeprefix(f"{name}/") if prefix.startswith(f"{name}/") else ""
                yield from walk_sorted(root / name, rest)
        elif name.startswith(prefix) and not (root / name).is_symlink():
            yield root / name


def sync_directory(path: Path) -> None:
    """Make a new name in this directory survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def file_errors() -> Iterator[None]:
    """FileNotFoundError as it is, any other OSError as StorageUnavailable."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise unavailable(error) from error
