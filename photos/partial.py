"""The bytes of an incomplete upload between its requests: a part file, or parts in S3 and a tail."""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from photos.models import ResumableUpload
from photos.storages import object_store, own_store
from photos.storages.files import DurableFileSystemStorage, file_errors
from photos.storages.objects import CHUNK_BYTES
from photos.storages.s3_writer import PART_BYTES, Part, S3Writer

Progress = Callable[[], None]


class Partial(Protocol):
    """Takes bytes behind `upload.offset`. It calls `on_progress` whenever more of them are durable."""

    def write(self, data: bytes) -> None: ...

    def suspend(self) -> None:
        """Make everything durable that was written."""

    def commit(self) -> None:
        """Make the object appear at `upload.key`; done again it changes nothing."""

    def discard(self) -> None: ...


def open_partial(upload: ResumableUpload, on_progress: Progress) -> Partial:
    """What fits the storage of originals."""
    storage = own_store()
    if isinstance(storage, DurableFileSystemStorage):
        return FilePartial(storage, upload, on_progress)
    return S3Partial(storage, upload, on_progress)


class FilePartial:
    """A file beside the originals, renamed at the end."""

    def __init__(
        self, storage: DurableFileSystemStorage, upload: ResumableUpload, on_progress: Progress
    ) -> None:
        self._storage = storage
        self._upload = upload
        self._on_progress = on_progress
        self._path = Path(storage.path(upload.partial_key))
        self._position = upload.offset
        self._file: Any = None

    def write(self, data: bytes) -> None:
        with file_errors():
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
                self._file.truncate(self._position)
                self._file.seek(self._position)
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) :]
        self._position += len(data)
        if self._position - self._upload.offset >= PART_BYTES:
            self._checkpoint()

    def _checkpoint(self) -> None:
        if self._storage.fsync:
            with file_errors():
                os.fdatasync(self._file.fileno())
        self._upload.offset = self._position
        self._on_progress()

    def suspend(self) -> None:
        if self._file is not None:
            self._checkpoint()
            self._file.close()
            self._file = None

    def commit(self) -> None:
        self.suspend()
        try:
            self._storage.move(self._upload.partial_key, self._upload.key)
        except FileNotFoundError:
            self._storage.stat(self._upload.key)

    def discard(self) -> None:
        if self._file is not None:
            self._file.close()
        self._path.unlink(missing_ok=True)


class S3Partial:
    """An S3 multipart upload; what is too short for a part lies in an object of its own between requests."""

    def __init__(self, storage: Any, upload: ResumableUpload, on_progress: Progress) -> None:
        self._storage = storage
        self._upload = upload
        self._on_progress = on_progress
        self._writer: S3Writer | None = None

    def _open(self) -> S3Writer:
        if self._writer is None:
            parts = [Part(**part) for part in self._upload.parts]
            self._writer = S3Writer(
                self._storage,
                self._upload.key,
                upload_id=self._upload.upload_id,
                parts=parts,
                on_part=self._record,
            )
            if self._upload.tail_size:
                self._writer.write(read_tail(self._storage, self._upload))
        return self._writer

    def _record(self, parts: list[Part]) -> None:
        assert self._writer is not None
        self._upload.upload_id = self._writer.upload_id
        self._upload.parts = [part.as_json() for part in parts]
        self._upload.offset = sum(part.size for part in parts)
        self._upload.tail_size = 0
        self._on_progress()

    def write(self, data: bytes) -> None:
        self._open().write(data)

    def suspend(self) -> None:
        if self._writer is None:
            return
        self._writer.drain()
        tail = self._writer.pending
        if tail:
            writer = self._storage.open_writer(self._upload.partial_key)
            writer.write(tail)
            writer.commit()
        self._upload.upload_id = self._writer.upload_id
        self._upload.tail_size = len(tail)
        self._upload.offset = sum(part.size for part in self._writer.parts) + len(tail)
        self._on_progress()

    def commit(self) -> None:
        try:
            self._open().commit()
        except (
            FileNotFoundError
        ):  # the multipart upload was completed before; so the object is there, or never will be
            if self._storage.stat(self._upload.key).size != self._upload.size:
                raise
        self._storage.delete(self._upload.partial_key)

    def discard(self) -> None:
        if self._upload.key:
            self._open_without_tail().abort()
        self._storage.delete(self._upload.partial_key)

    def _open_without_tail(self) -> S3Writer:
        if self._writer is None:
            self._writer = S3Writer(self._storage, self._upload.key, upload_id=self._upload.upload_id)
        return self._writer


def read_tail(storage: Any, upload: ResumableUpload) -> bytes:
    with closing(object_store(storage).open_reader(upload.partial_key, 0, upload.tail_size)) as reader:
        return b"".join(iter(lambda: reader.read(CHUNK_BYTES), b""))
