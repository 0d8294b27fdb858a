"""Rows of objects that are durable: photo, steps and event, of one file or of a group, in one statement."""

import logging
import re
import uuid
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.db import (
    DEFAULT_DB_ALIAS,
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
    connections,
    transaction,
)

from jobs import ledger
from jobs.events import publish_each, publishing
from jobs.prepared import prepared_cursor
from photos.dates.capture_time import decide
from photos.formats.filetypes import FileType
from photos.hashing import Digest
from photos.models import Library, Photo
from photos.storages import originals

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Origin:
    """Where a file comes from: what its row says beside its bytes."""

    library: Library
    name: str
    uploaded_by: Any = None
    modified_at: datetime | None = None
    source_path: str = ""


@dataclass(frozen=True)
class StoredFile:
    """An object that is durable. Its row, when it gets one, has this UUID."""

    origin: Origin
    uuid: uuid.UUID
    key: str
    digest: Digest
    kind: FileType


@dataclass(frozen=True)
class Ingested:
    """What became of a file: its photo, and whether the library had these bytes already."""

    photo: Photo
    is_duplicate: bool


def keep_photo(file: StoredFile) -> Ingested:
    """The row of an object. When somebody was faster with the same bytes, the object goes again."""
    (kept,) = keep_photos([photo_of(file)])
    if isinstance(kept, DatabaseError):
        raise kept
    return kept


def keep_photos(photos: Sequence[Photo]) -> list[Ingested | DatabaseError]:
    """These rows of objects of one library, in one transaction; done again it ends alike.

    A row that the database refuses takes its object along, and no other's. When the connection breaks, all
    objects stay: bytes without a row do no harm, the reverse does.
    """
    try:
        made = insert(photos)
    except (OperationalError, InterfaceError):
        raise
    except DatabaseError as error:
        if len(photos) > 1:
            return [kept for photo in photos for kept in keep_photos([photo])]
        drop_original(photos[0].original_key)
        return [error]
    except Exception:
        for photo in photos:
            drop_original(photo.original_key)
        raise
    announce(photos[0].library_id, [*made.values()])
    for photo in photos:
        photo.pk = made.get(photo.uuid)
        photo._state.adding = photo.pk is None
    return [Ingested(photo, False) if photo.pk else give_way(photo) for photo in photos]


def photo_of(file: StoredFile) -> Photo:
    """Its row, not made yet. Asks the database nothing."""
    origin = file.origin
    photo = Photo(
        library=origin.library,
        uploaded_by=origin.uploaded_by,
        uuid=file.uuid,
        original_name=clean_name(origin.name),
        original_key=file.key,
        checksum=file.digest.sha256,
        sha1=file.digest.sha1,
        size=file.digest.size,
        mime_type=file.kind.mime,
        media_type=Photo.MediaType.VIDEO if file.kind.family == "video" else Photo.MediaType.PHOTO,
        source_path=origin.source_path.replace("\0", ""),
        file_modified_at=origin.modified_at,
    )
    if (time := decide(None, photo.surroundings())) is not None:
        photo.set_time(time)
    return photo


def insert(photos: Sequence[Photo]) -> dict[uuid.UUID, int]:
    """Ids by UUID of the rows made; those whose bytes the library has already are left out.

    One statement makes photos, ledger rows and events: each more would be a round trip, and a transaction
    around them two. Rows are in the order of their checksums, so that two imports of one folder never wait
    for each other.
    """
    statement, parameters = insertion(sorted(photos, key=lambda photo: photo.checksum))
    planning, planning_parameters = ledger.planning("subject")
    # Inside somebody's transaction a refusal must not break it; alone, the statement is one by itself.
    with transaction.atomic() if connection.in_atomic_block else nullcontext(), prepared_cursor() as cursor:
        cursor.execute(
            f"WITH subject AS ({statement} ON CONFLICT (library_id, checksum) DO NOTHING "
            "RETURNING id, uuid, library_id), "
            f"planned AS ({planning}) "
            f"SELECT uuid, id, {publishing('photo')} FROM subject",
            [*parameters, *planning_parameters],
        )
        return {row_uuid: pk for row_uuid, pk, _ in cursor.fetchall()}


def announce(library_id: int, made: Sequence[int]) -> None:
    """Tell of photos that are there. What goes wrong here does not concern them."""
    if settings.REDIS_URL:
        publish_each(library_id, "photo", list(made))
    if made:
        ledger.wake_planned()


@dataclass(frozen=True)
class Column:
    """One of a photo's. `usual` is what most rows begin with, `literal` the same as SQL."""

    field: Any
    name: str
    kind: str
    usual: Any
    literal: str


@cache
def columns() -> list[Column]:
    """All but the key. What begins otherwise in each row (UUID, time) is never the usual."""
    server: Any = connections[DEFAULT_DB_ALIAS]
    blank = Photo()
    made = []
    for field in Photo._meta.concrete_fields:
        # Without the length: a cast to it would cut what is too long instead of refusing it.
        kind = re.sub(r"\(\d+\)", "", str(field.db_type(server)))
        usual = getattr(blank, field.attname)
        literal = server.ops.compose_sql(f"%s::{kind}", [field.get_db_prep_save(usual, server)])
        made.append(Column(field, server.ops.quote_name(field.column), kind, usual, literal))
    return [column for column in made if not column.field.primary_key]


def insertion(photos: Sequence[Photo]) -> tuple[str, list[Any]]:
    """`INSERT … SELECT` of these rows, with its parameters.

    An array for each column that is not the usual in all of them, and the others written out: fifty values
    for each row would take longer to write into the statement than the database to insert them. Columns that
    hold lists must be the usual: PostgreSQL refuses lists of lists.
    """
    server = connections[DEFAULT_DB_ALIAS]
    values = {}
    for column in columns():
        given = [getattr(photo, column.field.attname) for photo in photos]
        if any(value != column.usual for value in given):
            values[column.name] = [column.field.get_db_prep_save(value, server) for value in given]
    return insertion_of(tuple(values)), [*values.values()]


@lru_cache(maxsize=32)
def insertion_of(given: tuple[str, ...]) -> str:
    """The statement that takes arrays for these columns."""
    names = ", ".join(column.name for column in columns())
    selected = ", ".join(column.name if column.name in given else column.literal for column in columns())
    arrays = ", ".join(f"%s::{column.kind}[]" for column in columns() if column.name in given)
    table = connection.ops.quote_name(Photo._meta.db_table)
    return (
        f"INSERT INTO {table} ({names}) SELECT {selected} FROM unnest({arrays}) AS given ({', '.join(given)})"
    )


def give_way(photo: Photo) -> Ingested | IntegrityError:
    """The library has the bytes: the photo there is, without this one's object."""
    existing = known_photos(photo.library, [photo.checksum]).get(photo.checksum)
    is_same = existing is not None and existing.original_key == photo.original_key  # done again
    if not is_same:
        drop_original(photo.original_key)
    if existing is None:
        return IntegrityError(f"{photo.original_key} has the key of another photo, or of one just deleted.")
    return Ingested(existing, is_duplicate=not is_same)


def known_photos(library: Library, checksums: Iterable[str]) -> dict[str, Photo]:
    """The library's photos with these SHA-256, brought back from the trash if they lay there."""
    # Ids first and by hand: mostly there is none, and reading photos takes ten times as long.
    table = connection.ops.quote_name(Photo._meta.db_table)
    with prepared_cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {table} WHERE library_id = %s AND checksum = ANY(%s)",
            [library.pk, list(checksums)],
        )
        ids = [pk for (pk,) in cursor.fetchall()]
    if not ids:
        return {}
    photos = {photo.checksum: photo for photo in Photo.objects.filter(pk__in=ids)}
    trashed = [photo for photo in photos.values() if photo.deleted_at is not None]
    if trashed:
        Photo.objects.filter(pk__in=[photo.pk for photo in trashed]).bring_back()
        for photo in trashed:
            photo.deleted_at = None
    return photos


def drop_original(key: str) -> None:
    """Remove the bytes of a photo that has no row. When that fails they only take up space."""
    try:
        originals().delete(key)
    except OSError as error:
        logger.warning("The object %s belongs to no photo and could not be removed: %s", key, error)


def clean_name(name: str) -> str:
    """The last part of a client's file name, without control characters, at most 255 characters."""
    base = PurePath(name.replace("\\", "/")).name
    printable = "".join(character for character in base if character.isprintable())
    return printable[-255:] if printable.strip(".") else "unnamed"
