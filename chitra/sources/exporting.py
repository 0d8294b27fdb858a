"""Write a library into a folder: originals, an XMP sidecar beside each, and lists that an import reads back.

originals/2024/05/IMG_1.jpg        an original, byte for byte; beside it IMG_1.jpg.xmp
photos.jsonl                       a line for each photo: times, texts, marks, tags, named faces
albums.json, people.json,
stacks.json                        everything else that people made
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, timedelta, timezone
from pathlib import Path, PurePath
from typing import Any

from chitra.sources.plans import PHOTO_LIST
from chitra.sources.records import album_records, named_faces, people_records, photo_record
from chitra.sources.stack_records import stack_records
from chitra.sources.xmp_writer import Sidecar, write
from faces.regions import Region
from photos.hashing import hash_file
from photos.models import Library, Photo
from photos.storages import object_store, originals
from photos.storages.objects import CHUNK_BYTES

BATCH = 200
UNUSABLE = '<>:"/\\|?*'  # in file names of one system or another
NAME_BYTES = 100
NOT_EMPTY = "{path} is not empty and no earlier export. Choose an empty folder."


class BadTarget(ValueError):
    """A folder that is not written to; the message says why."""


def export_library(
    library: Library, target: Path, *, on_progress: Callable[[Counter[str]], None] = lambda counts: None
) -> tuple[Counter[str], list[tuple[str, str]]]:
    """Write everything but the trash; files of an earlier export are kept when their bytes are right.

    Returns counts (“written”, “there”, “failed”) and the failures. Raises BadTarget and OSError.
    """
    target.mkdir(parents=True, exist_ok=True)
    if any(target.iterdir()) and not (target / "albums.json").exists():
        raise BadTarget(NOT_EMPTY.format(path=target))
    write_json(target / "albums.json", album_records(library))
    write_json(target / "people.json", people_records(library))
    write_json(target / "stacks.json", stack_records(library))
    counts: Counter[str] = Counter()
    failures: list[tuple[str, str]] = []
    partial = target / f".{PHOTO_LIST}.part"
    with partial.open("w", encoding="utf-8") as listed:
        for photo, path in with_paths(photos_of(library)):
            reason = write_photo(photo, target / path, counts)
            if reason:
                counts["failed"] += 1
                failures.append((path, reason))
            else:
                listed.write(json.dumps(photo_record(photo, path), ensure_ascii=False) + "\n")
            on_progress(counts)
    partial.replace(target / PHOTO_LIST)
    return counts, failures


def photos_of(library: Library) -> Iterator[Photo]:
    """All photos outside the trash, by id, some at a time."""
    last = 0
    photos = library.photos.filter(deleted_at__isnull=True).select_related("still").order_by("pk")
    while batch := list(photos.filter(pk__gt=last)[:BATCH]):
        yield from batch
        last = batch[-1].pk


def with_paths(photos: Iterator[Photo]) -> Iterator[tuple[Photo, str]]:
    """Each photo with a path of its own, the same at each export of the same photos.

    The film of a live photo lies beside it, whatever its own clock says: so they find each other again.
    """
    taken: set[str] = set()
    for photo in photos:
        name = PurePath(
            photo.original_name.translate(dict.fromkeys(map(ord, UNUSABLE), "_")).strip(". ") or "photo"
        )
        taken_at = (photo.still or photo).taken_at
        folder, stem, suffix = f"originals/{taken_at:%Y/%m}", cut(name.stem), cut(name.suffix)
        path = f"{folder}/{stem}{suffix}"
        while path.casefold() in taken:
            stem += f"-{photo.pk}"
            path = f"{folder}/{stem}{suffix}"
        taken.add(path.casefold())
        yield photo, path


def cut(text: str) -> str:
    """As much of a name as leaves room for its other parts: file systems take 255 bytes."""
    return text.encode()[:NAME_BYTES].decode(errors="ignore")


def write_photo(photo: Photo, path: Path, counts: Counter[str]) -> str:
    """Original and sidecar; why it failed, or ""."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if is_original(path, photo):
        counts["there"] += 1
    else:
        try:
            copy_original(photo, path)
        except FileNotFoundError:
            return "The original is not in the storage."
        counts["written"] += 1
    path.with_name(f"{path.name}.xmp").write_bytes(sidecar_of(photo))
    return ""


def is_original(path: Path, photo: Photo) -> bool:
    """Whether an earlier export wrote it; it may have had this name for another photo of the same size."""
    return path.exists() and path.stat().st_size == photo.size and hash_file(path).sha256 == photo.checksum


def copy_original(photo: Photo, path: Path) -> None:
    """Whole or not at all, with the time of the file it came from."""
    storage: Any = originals()
    if hasattr(storage, "ensure"):  # while a migration runs: bring it from the old server first
        storage.ensure(photo.original_key)
    partial = path.with_name(f".{path.name}.part")
    try:
        with (
            closing(object_store(storage).open_reader(photo.original_key)) as reader,
            partial.open("wb") as file,
        ):
            while data := reader.read(CHUNK_BYTES):
                file.write(data)
        if photo.file_modified_at is not None:
            os.utime(partial, 2 * (photo.file_modified_at.timestamp(),))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def sidecar_of(photo: Photo) -> bytes:
    """The XMP packet of a photo."""
    taken_at = photo.taken_at.astimezone(UTC).replace(tzinfo=None)
    if photo.utc_offset_minutes is not None:
        taken_at = taken_at.replace(tzinfo=timezone(timedelta(minutes=photo.utc_offset_minutes)))
    record = photo_record(photo, "")
    sidecar = Sidecar(
        taken_at=taken_at,
        title=photo.title,
        description=photo.description,
        rating=photo.rating,
        tags=tuple(record["tags"]),
        latitude=photo.latitude,
        longitude=photo.longitude,
    )
    regions = [Region(name, face.box) for name, face in named_faces(photo)]
    return write(sidecar, regions, width=photo.width or 0, height=photo.height or 0)


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
