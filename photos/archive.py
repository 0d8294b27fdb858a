"""Originals as one zip, made while it is sent: memory stays flat however many there are.

Pictures are compressed already, so they are only stored. An original that is gone does not spoil the rest:
the last entry of the zip says which are missing.
"""

import asyncio
from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from zipstream import ZipStream

from photos.storages import object_store, originals
from photos.storages.objects import CHUNK_BYTES, ObjectReader

MOST_PHOTOS = 20_000
MISSING_NAME = "MISSING.txt"
UNUSABLE = '<>:"/\\|?*'  # in file names of one system or another
PREFACE = "These originals could not be read from the storage:\n\n"


@dataclass(frozen=True)
class Entry:
    """One file of the archive: its name there and where its bytes lie."""

    name: str
    key: str
    size: int


def entries_of(photos: QuerySet[Any]) -> list[Entry]:
    """At most MOST_PHOTOS + 1 files with names of their own, in the order of the query; one query."""
    rows = photos.values_list("original_name", "original_key", "size")[: MOST_PHOTOS + 1]
    names = unique_names(name for name, _, _ in rows)
    return [Entry(name, key, size) for name, (_, key, size) in zip(names, rows, strict=True)]


def unique_names(names: Iterable[str]) -> Iterator[str]:
    """The same names, made usable everywhere; repeated ones (in any case) get a number: “a (2).jpg”."""
    taken: dict[str, int] = {MISSING_NAME.casefold(): 1}
    for name in names:
        path = PurePath(name.translate(dict.fromkeys(map(ord, UNUSABLE), "_")).strip(". ") or "unnamed")
        candidate = path.name
        while (folded := candidate.casefold()) in taken:
            number = taken[path.name.casefold()] = taken.get(path.name.casefold(), 1) + 1
            candidate = f"{path.stem} ({number}){path.suffix}"
        taken[folded] = 1
        yield candidate


def zip_chunks(entries: Iterable[Entry]) -> Generator[bytes, None, None]:
    """The archive in pieces of at most a megabyte or so. Blocks; reads one original at a time."""
    archive, missing = ZipStream(), []
    for entry in entries:
        try:
            reader = open_original(entry.key)
        except OSError:
            missing.append(entry.name)
            continue
        with closing(reader):
            archive.add(pieces(reader), entry.name, size=entry.size)
            yield from archive.file()
    if missing:
        archive.add(PREFACE + "\n".join(missing) + "\n", MISSING_NAME)
    yield from archive.finalize()


def open_original(key: str) -> ObjectReader:
    storage: Any = originals()
    if hasattr(storage, "ensure"):  # while a migration runs: bring it from the old server first
        storage.ensure(key)
    return object_store(storage).open_reader(key)


def pieces(reader: ObjectReader) -> Iterator[bytes]:
    while data := reader.read(CHUNK_BYTES):
        yield data


async def zip_stream(entries: Iterable[Entry]) -> AsyncIterator[bytes]:
    """The same for a response: the next piece is read on a thread while the one before is sent."""
    chunks = zip_chunks(entries)
    following = sync_to_async(lambda: next(chunks, None), thread_sensitive=False)
    coming = asyncio.ensure_future(following())
    try:
        while (data := await coming) is not None:
            coming = asyncio.ensure_future(following())
            yield data
    finally:
        await asyncio.wait([coming])
        await sync_to_async(chunks.close, thread_sensitive=False)()
