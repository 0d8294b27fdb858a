"""Files of a folder or an archive into a library, a group at a time.

A commit costs the database a write to its disk, and so does each file: a group has one commit, and its files
are hashed, written and synced side by side, while the one before is committed.
"""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections

from photos.hashing import hash_file
from photos.keeping import Ingested, Origin, known_photos
from photos.models import Photo
from photos.services import THREADS, IncomingFile, Outcome, RejectedFile, finish_all, receive

GROUP_FILES = 32
GROUP_BYTES = 32 * 1024 * 1024  # objects for S3 are in memory until they are committed
DATABASE_PAUSES_SECONDS = (0.5, 1, 2, 4, 8, 15, 30)

_readers = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="read")

Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class SourceFile:
    """A file to take: `open` gives a binary stream; what lies at `path` can be hashed before it is taken."""

    origin: Origin
    size: int
    open: Callable[[], AbstractContextManager[Any]]
    path: Path | None = None


def in_groups(items: Iterable[Item], size_of: Callable[[Item], int]) -> Iterator[list[Item]]:
    """The items in their order, up to GROUP_FILES or about GROUP_BYTES together."""
    group: list[Item] = []
    left = GROUP_BYTES
    for item in items:
        group.append(item)
        left -= size_of(item)
        if len(group) == GROUP_FILES or left <= 0:
            yield group
            group, left = [], GROUP_BYTES
    if group:
        yield group


def take_all(
    items: Iterable[Item], source_of: Callable[[Item], SourceFile]
) -> Generator[list[tuple[Item, Outcome | OSError]], None, None]:
    """Ingest files of one library, group by group: each item of a group with how it ended, all durable.

    OSError is of a file that cannot be read. While a group is finished the next one is read: close the
    iterator to give that up. Waits for a database that restarts, and raises when it stays away.
    """
    begun: list[Group[Item]] = []
    try:
        pairs = ((item, source_of(item)) for item in items)
        for pieces in in_groups(pairs, lambda pair: pair[1].size):
            begun.append(Group(pieces))
            if len(begun) > 1:
                yield begun[0].finish()
                del begun[0]
        for group in begun:
            yield group.finish()
    finally:
        for group in begun:
            group.abort()


class Group(Generic[Item]):
    """Some files on their way. Nothing is written of those whose bytes the library has."""

    def __init__(self, pieces: Sequence[tuple[Item, SourceFile]]) -> None:
        self._items = [item for item, _ in pieces]
        files = [file for _, file in pieces]
        library = files[0].origin.library
        sizes = {file.size for file in files if file.path is not None}
        same_size = Photo.objects.filter(library=library, size__in=sizes).values_list("size", flat=True)
        known_sizes = when_database_is_back(lambda: set(same_size.distinct()))
        checksums = list(_readers.map(partial(checksum_of, sizes=known_sizes), files))
        known = when_database_is_back(lambda: known_photos(library, {text for text in checksums if text}))
        self._known = {number: known[text] for number, text in enumerate(checksums) if text in known}
        self._reading = {
            number: _readers.submit(read, file)
            for number, file in enumerate(files)
            if number not in self._known
        }

    def finish(self) -> list[tuple[Item, Outcome | OSError]]:
        """Each item with how it ended."""
        outcomes: dict[int, Any] = {
            number: Ingested(photo, is_duplicate=True) for number, photo in self._known.items()
        }
        outcomes |= {number: future.result() for number, future in self._reading.items()}
        whole = {number: file for number, file in outcomes.items() if isinstance(file, IncomingFile)}
        if whole:
            finished = finish_all(list(whole.values()), patiently=when_database_is_back)
            outcomes |= zip(whole, finished, strict=True)
        return [(item, outcomes[number]) for number, item in enumerate(self._items)]

    def abort(self) -> None:
        """Drop what has no row."""
        for future in self._reading.values():
            if not future.cancel() and isinstance(file := future.result(), IncomingFile):
                file.abort()


def checksum_of(file: SourceFile, *, sizes: set[int]) -> str:
    """SHA-256 of a file that has one of these sizes; "" otherwise, and when reading it will say why not."""
    if file.path is None or file.size not in sizes:
        return ""
    try:
        return hash_file(file.path).sha256
    except OSError:
        return ""


def read(file: SourceFile) -> IncomingFile | RejectedFile | OSError:
    try:
        with file.open() as stream:
            return receive(file.origin, stream)
    except (RejectedFile, OSError) as error:
        return error


def reason_of(outcome: RejectedFile | OSError | DatabaseError) -> str:
    """Why a file was not taken, for people."""
    if isinstance(outcome, OSError):
        return f"The file cannot be read: {outcome.strerror}."
    if isinstance(outcome, DatabaseError):
        return f"The database refuses its row: {outcome}"
    return str(outcome)


def when_database_is_back(action: Callable[[], Answer]) -> Answer:
    """Do `action`, again and again with growing pauses while the database restarts; then its error rises."""
    for pause_seconds in DATABASE_PAUSES_SECONDS:
        try:
            return action()
        except (OperationalError, InterfaceError):
            close_old_connections()
            time.sleep(pause_seconds)
    return action()
