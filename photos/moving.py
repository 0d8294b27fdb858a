"""Move all objects from one kind of storage to the other while Chitra runs.

Originals are written once and never change, so a copy stays right: it is verified when it is made, and known
by its size later. A second run copies what came meanwhile. Then the operator switches.
"""

import posixpath
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.files.storage import Storage
from django.core.files.storage.handler import StorageHandler

from photos.hashing import Digest, HashingReader, hash_file
from photos.models import Photo
from photos.storages.folders import PREFIX

READ_AT_ONCE = 500
CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Item:
    """An object to copy; `sha256` "" where no row knows it (renditions)."""

    photo_id: int
    key: str
    sha256: str = ""


@dataclass(frozen=True)
class Copied:
    """How one object ended: "copied", "there" (already) or "failed"."""

    item: Item
    status: str
    reason: str = ""


@dataclass
class MoveReport:
    """Every object ends in one of the counts; the failed ones are listed."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("copied", "there", "failed"), 0))
    failed: list[tuple[str, str]] = field(default_factory=list)

    def add(self, copied: Copied) -> None:
        self.counts[copied.status] += 1
        if copied.status == "failed":
            self.failed.append((copied.item.key, copied.reason))

    def summary(self) -> str:
        counts = self.counts
        return f"{counts['copied']} copied, {counts['there']} there already, {counts['failed']} failed"


def storages_of(definitions: dict[str, Any]) -> tuple[Storage, Storage]:
    """The originals and renditions of one kind of storage, as the settings define it."""
    handler = StorageHandler(definitions)
    return handler["originals"], handler["renditions"]


def originals_of_all() -> Iterator[Item]:
    """The original of every photo, those in the trash included, by id; those in folders stay there."""
    last = 0
    while rows := list(
        Photo.objects.filter(pk__gt=last)
        .exclude(original_key__startswith=PREFIX)
        .order_by("pk")
        .values_list("pk", "original_key", "checksum")[:READ_AT_ONCE]
    ):
        yield from (Item(*row) for row in rows)
        last = rows[-1][0]


def renditions_of_all(storage: Storage) -> Iterator[Item]:
    """Every rendition that the storage lists."""
    folders = [""]
    while folders:
        folder = folders.pop()
        try:
            subfolders, names = storage.listdir(folder)
        except FileNotFoundError:  # nothing was written yet
            continue
        folders += [posixpath.join(folder, name) for name in sorted(subfolders, reverse=True)]
        yield from (
            Item(0, posixpath.join(folder, name)) for name in sorted(names) if not name.startswith(".")
        )


def move(
    items: Iterator[Item],
    source: Storage,
    target: Storage,
    *,
    deep: bool = False,
    parallel: int = 4,
    on_progress: Callable[[Copied], None] = lambda copied: None,
) -> MoveReport:
    """Copy each object unless it is there with its size; with `deep`, unless it is there with its bytes.

    Raises OSError when the target takes nothing more (full, read-only).
    """
    report = MoveReport()
    with ThreadPoolExecutor(parallel, thread_name_prefix="move") as pool:
        while batch := list(islice(items, parallel * 8)):
            for copied in pool.map(lambda item: copy_object(item, source, target, deep=deep), batch):
                report.add(copied)
                on_progress(copied)
    return report


def copy_object(item: Item, source: Storage, target: Storage, *, deep: bool) -> Copied:
    """Copy one object and read the copy again. Runs on a thread, without the ORM."""
    try:
        size = source.size(item.key)
    except FileNotFoundError:
        return Copied(item, "failed", "the object is not in the old storage")
    if is_there(item, size, target, deep=deep):
        return Copied(item, "there")
    with tempfile.NamedTemporaryFile(prefix="chitra-") as copy:
        with source.open(item.key, "rb") as file:
            while data := file.read(CHUNK_BYTES):
                copy.write(data)
        copy.flush()
        digest = hash_file(Path(copy.name))
        if item.sha256 and digest.sha256 != item.sha256:
            return Copied(
                item, "failed", f"its SHA-256 is {digest.sha256}, the photo's row says {item.sha256}"
            )
        with Path(copy.name).open("rb") as content:
            saved = target.save(item.key, File(content, name=posixpath.basename(item.key)))
    if saved != item.key or hash_of(target, item.key) != digest:
        return Copied(item, "failed", "the copy, read again, has other bytes")
    return Copied(item, "copied")


def is_there(item: Item, size: int, target: Storage, *, deep: bool) -> bool:
    """Objects appear whole or not at all, so the size tells; `deep` reads every byte."""
    try:
        if target.size(item.key) != size:
            return False
    except FileNotFoundError:
        return False
    if not deep:
        return True
    digest = hash_of(target, item.key)
    return digest is not None and bool(item.sha256) and digest.sha256 == item.sha256


def hash_of(storage: Storage, key: str) -> Digest | None:
    """Every byte of an object; None when it is not there."""
    try:
        with storage.open(key, "rb") as file:
            reader = HashingReader(file)
            while reader.read(CHUNK_BYTES):
                pass
            return reader.digest
    except FileNotFoundError:
        return None
