"""Files of a folder or an archive into a library, a group at a time.

A commit costs the database a write to its disk, and so does each file: a group has one commit, and its files
are hashed, written and synced side by side.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections

from photos.hashing import hash_file
from photos.keeping import Ingested, Origin, known_photos
from photos.models import Photo
from photos.services import IncomingFile, Outcome, RejectedFile, at_once, finish_all, receive

GROUP_FILES = 32
GROUP_BYTES = 48 * 1024 * 1024  # an object for S3 is in memory until it is committed
DATABASE_PAUSES_SECONDS = (0.5, 1, 2, 4, 8, 15, 30)

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


def take_group(files: Sequence[SourceFile]) -> list[Outcome | OSError]:
    """Ingest files of one library: how each ended, in their order; OSError for one that cannot be read.

    Nothing is written of those whose bytes the library has. Waits for a database that restarts, and raises
    when it stays away.
    """
    library = files[0].origin.library
    sizes = {file.size for file in files if file.path is not None}
    same_size = Photo.objects.filter(library=library, size__in=sizes).values_list("size", flat=True)
    known_sizes = when_database_is_back(lambda: set(same_size.distinct()))
    checksums = at_once(partial(checksum_of, sizes=known_sizes), files)
    known = when_database_is_back(lambda: known_photos(library, {text for text in checksums if text}))
    outcomes: dict[int, Outcome | OSError] = {
        number: Ingested(known[text], is_duplicate=True)
        for number, text in enumerate(checksums)
        if text in known
    }
    missing = [number for number in range(len(files)) if number not in outcomes]
    received = dict(zip(missing, at_once(read, [files[number] for number in missing]), strict=True))
    outcomes |= {number: file for number, file in received.items() if not isinstance(file, IncomingFile)}
    whole = {number: file for number, file in received.items() if isinstance(file, IncomingFile)}
    if whole:
        finished = finish_all(list(whole.values()), patiently=when_database_is_back)
        outcomes |= zip(whole, finished, strict=True)
    return [outcomes[number] for number in range(len(files))]


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
