"""What Chitra asks of a storage beyond Django's interface: pieces in, pieces out, and lists in order."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Protocol

CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class ObjectStat:
    """An object as the storage lists it; `modified_at` is aware."""

    key: str
    size: int
    modified_at: datetime


@dataclass(frozen=True)
class Leftover:
    """What a writer left that was killed.

    `token` is the storage's own word for it, `key` what it would have become.
    """

    key: str
    token: str
    modified_at: datetime


class ObjectWriter(Protocol):
    """An object in the making. It appears whole with `commit`, or not at all; `abort` leaves nothing."""

    def write(self, data: bytes, /) -> object: ...

    def flush(self) -> None:
        """That was all, of an object with a new key: what can be done before `commit` begins meanwhile."""

    def commit(self, sha256: str = "") -> None:
        """`sha256` of all that was written, in hex, spares a store that compares it to compute it again."""

    def abort(self) -> None: ...


class ObjectReader(Protocol):
    """An open object or a part of it, read in order. `file` is what it is read from, if that is a file."""

    stat: ObjectStat
    file: BinaryIO | None

    def read(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


class ObjectStore(Protocol):
    """Both storages are one.

    Missing objects raise FileNotFoundError, all else that fails StorageUnavailable.
    """

    def open_writer(self, key: str) -> ObjectWriter: ...

    def open_reader(self, key: str, start: int = 0, end: int | None = None) -> ObjectReader:
        """Bytes `start` to `end` (exclusive) of an object."""

    def stat(self, key: str) -> ObjectStat: ...

    def iterate(self, *, prefix: str = "", after: str = "") -> Iterator[ObjectStat]:
        """All objects below `prefix` whose keys come after `after`, by key."""

    def move(self, key: str, new_key: str) -> None:
        """Rename; nothing is lost when it stops half-way."""

    def delete(self, name: str) -> None: ...

    def leftovers(self) -> Iterator[Leftover]:
        """Objects in the making, those of writers at work among them."""

    def discard(self, leftover: Leftover) -> None: ...


def copy_stream(source: Any, target: ObjectWriter) -> None:
    """Everything that is left in `source`."""
    while data := source.read(CHUNK_BYTES):
        target.write(data)
