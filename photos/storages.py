"""Where bytes lie: the file system or S3, behind Django's storage interface."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.files.storage import FileSystemStorage, Storage, storages

CHUNK_BYTES = 1024 * 1024


class DurableFileSystemStorage(FileSystemStorage):
    """Files appear whole or not at all, and (with `fsync`) are on the disk when `save` returns.

    Saving under a name that is there replaces the file; who is reading the old one reads it to its end.
    """

    def __init__(self, *, fsync: bool = True, **options: Any) -> None:
        super().__init__(allow_overwrite=True, **options)
        self.fsync = fsync

    def _save(self, name: str, content: "File[bytes]") -> str:
        path = Path(self.path(name))
        new_directories = [parent for parent in path.parents if not parent.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
        try:
            with temporary.open("wb") as target:
                shutil.copyfileobj(content, target, CHUNK_BYTES)
                if self.fsync:
                    target.flush()
                    os.fsync(target.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        if self.fsync:
            for directory in {path.parent, *(made.parent for made in new_directories)}:
                sync_directory(directory)
        return name


def sync_directory(path: Path) -> None:
    """Make a new name in this directory survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def originals() -> Storage:
    """Where the originals lie."""
    return storages["originals"]


def renditions() -> Storage:
    """Where thumbnails, previews and face crops lie."""
    return storages["renditions"]


@contextmanager
def local_path(storage: Storage, key: str) -> Iterator[Path]:
    """A path to read the object from: its own on a file system, else a copy that goes with the block."""
    if isinstance(storage, FileSystemStorage):
        yield Path(storage.path(key))
        return
    with tempfile.NamedTemporaryFile(prefix="chitra-", suffix=Path(key).suffix) as copy:
        with storage.open(key, "rb") as source:
            shutil.copyfileobj(source, copy, CHUNK_BYTES)
        copy.flush()
        yield Path(copy.name)


def read_bytes(storage: Storage, key: str) -> bytes:
    """A whole (small) object. Raises FileNotFoundError when it is not there."""
    with storage.open(key, "rb") as file:
        return bytes(file.read())


class StreamFile(File):  # type: ignore[type-arg]
    """A binary stream of unknown size as Django's File, read once, in order."""

    def __init__(self, stream: Any, name: str) -> None:
        super().__init__(stream, name=name)

    def seekable(self) -> bool:
        return False
