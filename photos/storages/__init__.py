"""Where bytes lie: the file system or S3, behind Django's storage interface."""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

from django.core.files.storage import FileSystemStorage, Storage, storages

from photos.storages.files import DurableFileSystemStorage
from photos.storages.folders import OriginalsStorage
from photos.storages.objects import CHUNK_BYTES, ObjectStore

__all__ = [
    "DurableFileSystemStorage",
    "local_path",
    "object_store",
    "originals",
    "own_store",
    "read_bytes",
    "renditions",
    "storage_of",
]


def originals() -> Storage:
    """Where the originals lie."""
    return storages["originals"]


def renditions() -> Storage:
    """Where thumbnails, previews and face crops lie."""
    return storages["renditions"]


def storage_of(storage: Storage, key: str) -> Storage:
    """The storage behind `storage` that has this key: an original may stay in a folder of its owner."""
    return cast(Storage, storage.of_key(key)) if isinstance(storage, OriginalsStorage) else storage


def own_store() -> Storage:
    """Where new originals are written, without what is read through it."""
    storage: Any = originals()
    while hasattr(storage, "primary"):
        storage = storage.primary
    return cast(Storage, storage)


def object_store(storage: Any) -> ObjectStore:
    """The same storage by Chitra's interface, which both of its storages have."""
    return cast(ObjectStore, storage)


@contextmanager
def local_path(storage: Storage, key: str) -> Iterator[Path]:
    """A path to read the object from: its own on a file system, else a copy that goes with the block."""
    storage = storage_of(storage, key)
    if isinstance(storage, FileSystemStorage):
        yield Path(storage.path(key))
        return
    with tempfile.NamedTemporaryFile(prefix="chitra-", suffix=Path(key).suffix) as copy:
        with closing(object_store(storage).open_reader(key)) as source:
            while data := source.read(CHUNK_BYTES):
                copy.write(data)
        copy.flush()
        yield Path(copy.name)


def read_bytes(storage: Storage, key: str) -> bytes:
    """A whole (small) object. Raises FileNotFoundError when it is not there."""
    with storage.open(key, "rb") as file:
        return bytes(file.read())
