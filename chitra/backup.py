"""Backups: the database, a manifest of every object, and on demand the objects themselves. And back again."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from django.apps import apps
from django.core.files import File
from django.core.files.storage import storages
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model

from chitra import __version__, pg_tools
from chitra.accounts.models import User
from chitra.backup_files import (
    BackupError,
    Description,
    Entry,
    Snapshot,
    Vault,
    digest_of,
    told_apart,
)
from faces.models import Face
from photos.models import Library, Photo
from photos.storages.folders import is_folder_key

if TYPE_CHECKING:
    from _typeshed import SupportsRead

BATCH = 256
STORE_ERRORS = (OSError, BotoCoreError, ClientError)
PENDING_DIGEST = "0" * 64  # a rendition's, until its bytes are read

# Wraps what is gone through: a title, the items, and how many they are.
Progress = Callable[[str, Iterable[Any], int], Iterable[Any]]


def silently(_title: str, items: Iterable[Any], _total: int) -> Iterable[Any]:
    """No progress shown."""
    return items


@dataclass
class Report:
    """What was done. `problems` are sentences about objects; with any of them the work is not complete."""

    name: str
    objects: int = 0
    bytes: int = 0
    copied: int = 0
    present: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def create(
    directory: Path,
    *,
    with_objects: bool = False,
    with_renditions: bool = True,
    jobs: int = 4,
    progress: Progress = silently,
) -> Report:
    """Add a snapshot to the backups in `directory`, which is made when missing.

    Database and manifest are of one moment, while Chitra runs. `with_objects` copies every original that no
    earlier snapshot brought, and the renditions unless told otherwise; bytes that differ from the checksum
    taken at ingest are reported, not kept. Raises BackupError when there is no snapshot in the end.
    """
    vault = Vault(directory)
    with told_apart(directory), vault.draft() as draft:
        with one_moment() as moment:
            target = pg_tools.target_of(connection.get_connection_params(), server_version())
            pg_tools.dump(target, draft.dump, snapshot=moment)
            rows, migrations = count_rows(), applied_migrations()
            write_manifest(draft, with_renditions=with_objects and with_renditions)
        report = Report(draft.directory.name)
        if with_objects:
            copy_objects(vault, draft, report, jobs=jobs, progress=progress)
        for entry in draft.entries():
            report.objects += 1
            report.bytes += entry.size
        draft.write_description(
            Description(
                created_at=datetime.now(UTC).isoformat(timespec="seconds"),
                chitra_version=__version__,
                server_version=server_version(),
                dump_size=draft.dump.stat().st_size,
                dump_sha256=digest_of(draft.dump),
                manifest_sha256=digest_of(draft.manifest),
                object_count=report.objects,
                object_bytes=report.bytes,
                has_objects=with_objects,
                rows=rows,
                migrations=migrations,
                problems=report.problems,
            )
        )
    report.name = vault.snapshot(None).directory.name
    return report


@contextmanager
def one_moment() -> Iterator[str]:
    """A read-only transaction that sees one moment; yields the name under which pg_dump sees the same."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        yield cursor.fetchone()[0]


def server_version() -> int:
    """The server's version as a number, such as 180004."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        return int(cursor.fetchone()[0])


def count_rows() -> dict[str, int]:
    """Rows by table, of all tables of our models that exist."""
    existing = set(connection.introspection.table_names())
    tables = {
        model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.managed
    }
    with connection.cursor() as cursor:
        counts = {}
        for table in sorted(tables & existing):
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")
            counts[table] = cursor.fetchone()[0]
    return counts


def applied_migrations() -> list[str]:
    """Names such as "photos.0001_initial"."""
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def write_manifest(draft: Snapshot, *, with_renditions: bool) -> None:
    """List the objects that the rows name. Of a rendition size and digest are not known before it is read."""
    with draft.manifest.open("w", encoding="utf-8") as file:
        for entry in entries_of_rows(with_renditions=with_renditions):
            file.write(entry.to_line())


def entries_of_rows(*, with_renditions: bool) -> Iterator[Entry]:
    """An entry for every original in the order of the photos, then one for every rendition and face crop."""
    photos = Photo.objects.order_by("pk")
    for key, size, checksum in photos.values_list("original_key", "size", "checksum").iterator(2000):
        yield Entry("originals", key, size, checksum)
    if not with_renditions:
        return
    for photo in (
        photos.filter(has_renditions=True).only("library_id", "uuid", "playback_status").iterator(2000)
    ):
        for kind in photo.rendition_kinds:
            yield Entry("renditions", photo.rendition_key(kind), 0, PENDING_DIGEST)
    for key in (
        Face.objects.exclude(crop_key="").order_by("pk").values_list("crop_key", flat=True).iterator(2000)
    ):
        yield Entry("renditions", key, 0, PENDING_DIGEST)


def copy_objects(vault: Vault, draft: Snapshot, report: Report, *, jobs: int, progress: Progress) -> None:
    """Bring the manifest's objects into the vault and complete its entries; missing ones become problems."""
    total = sum(1 for _ in draft.entries())
    complete = draft.manifest.with_suffix(".new")
    missing: list[Entry] = []
    with complete.open("w", encoding="utf-8") as file, ThreadPoolExecutor(jobs) as pool:
        entries = iter(progress("Copying objects", draft.entries(), total))
        while batch := list(islice(entries, BATCH)):
            for entry, outcome in zip(batch, pool.map(partial(copy_object, vault), batch), strict=True):
                if isinstance(outcome, Entry):
                    report.present += outcome is entry
                    report.copied += outcome is not entry
                    file.write(outcome.to_line())
                    continue
                missing.append(entry)
                report.problems.append(f"{entry.storage}/{entry.key}: {outcome}")
                if entry.storage == "originals":  # its digest is known all the same
                    file.write(entry.to_line())
    complete.replace(draft.manifest)
    forget_purged(report, missing)


def copy_object(vault: Vault, entry: Entry) -> Entry | str:
    """The entry itself when its bytes were in the vault, a completed one when they came, or what is wrong."""
    place = vault.object_path(entry.sha256)
    if place.is_file() and place.stat().st_size == entry.size:
        return entry
    try:
        file = storages[entry.storage].open(entry.key, "rb")
    except FileNotFoundError:
        return "is missing from the storage"
    except STORE_ERRORS as error:
        return f"cannot be read: {error}"
    expected = None if entry.sha256 == PENDING_DIGEST else entry.sha256
    try:
        with told_apart(vault.directory):
            sha256, size = vault.add_object(ReadingStore(file), expected=expected)
    except ValueError as error:
        return str(error)
    finally:
        file.close()
    return Entry(entry.storage, entry.key, size, sha256)


class ReadingStore:
    """Reads from a storage; its errors become ValueError, because OSError means the backup's disk."""

    def __init__(self, file: SupportsRead[bytes]) -> None:
        self.file = file

    def read(self, size: int) -> bytes:
        try:
            return bytes(self.file.read(size))
        except STORE_ERRORS as error:
            raise ValueError(f"cannot be read: {error}") from error


def forget_purged(report: Report, missing: list[Entry]) -> None:
    """Take out the problems of photos that somebody removed for good while the backup ran."""
    keys = {entry.key for entry in missing if entry.storage == "originals"}
    left = set(Photo.objects.filter(original_key__in=keys).values_list("original_key", flat=True))
    gone = {f"originals/{key}: is missing from the storage" for key in keys - left}
    report.problems = [problem for problem in report.problems if problem not in gone]
    if gone:
        report.notes.append(f"{len(gone)} photos were removed for good while the backup ran.")


def verify(directory: Path, *, name: str | None = None, progress: Progress = silently) -> Report:
    """Read a whole snapshot: digests of dump, manifest and every object, and the dump's table of contents."""
    vault = Vault(directory)
    snapshot = vault.snapshot(name)
    with told_apart(directory):
        description = snapshot.check_files()
        pg_tools.check_readable(snapshot.dump, description.server_version // 10_000)
        report = Report(snapshot.directory.name, problems=list(description.problems))
        for entry in progress("Verifying", snapshot.entries(), description.object_count):
            report.objects += 1
            report.bytes += entry.size
            if description.has_objects and (problem := examine(vault, entry)):
                report.problems.append(f"{entry.storage}/{entry.key}: {problem}")
    if report.objects != description.object_count:
        raise BackupError(f"{snapshot.manifest} has {report.objects} of {description.object_count} lines.")
    if not description.has_objects:
        report.notes.append(
            "The snapshot has no objects, only their list: it was made without --with-objects."
        )
    return report


def examine(vault: Vault, entry: Entry) -> str | None:
    """What is wrong with an object in the vault; None when its bytes are those of the manifest."""
    path = vault.object_path(entry.sha256)
    if not path.is_file():
        return "is missing from the backup"
    return None if digest_of(path) == entry.sha256 else "is damaged in the backup"


def restore(
    directory: Path,
    *,
    name: str | None = None,
    force: bool = False,
    jobs: int = 4,
    progress: Progress = silently,
) -> Report:
    """Put a snapshot's rows into the database and its objects, where they are missing, into the storages.

    A database with accounts or photos is refused without `force`, which replaces all that is in it. Raises
    BackupError before anything was changed, or with the database as it was.
    """
    vault = Vault(directory)
    snapshot = vault.snapshot(name)
    with told_apart(directory):
        description = snapshot.check_files()
        check_version(description)
        if not force and (contents := what_is_there()):
            raise BackupError(f"The database is in use ({contents}). --force replaces everything in it.")
        target = pg_tools.target_of(connection.get_connection_params(), server_version())
        connection.close()
        pg_tools.load(target, snapshot.dump, dumped_from=description.server_version // 10_000)
        report = Report(
            snapshot.directory.name, objects=description.object_count, bytes=description.object_bytes
        )
        check_rows(description)
        restore_objects(vault, snapshot, description, report, jobs=jobs, progress=progress)
    if set(migrations_of_this_version()) - set(description.migrations):
        report.notes.append(
            "The backup is of an older Chitra: run manage.py prepare to bring the tables up to date."
        )
    return report


def migrations_of_this_version() -> list[str]:
    return [f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations or ()]


def check_version(description: Description) -> None:
    if unknown := set(description.migrations) - set(migrations_of_this_version()):
        raise BackupError(
            f"The backup was made by Chitra {description.chitra_version}, which is newer than this one "
            f"({__version__}; {', '.join(sorted(unknown)[:3])} is not known). Restore it with that version."
        )


def what_is_there() -> str:
    """Accounts, libraries and photos in the database, as words; "" when there are none."""
    existing = set(connection.introspection.table_names())
    models: dict[str, type[Model]] = {"accounts": User, "libraries": Library, "photos": Photo}
    counts = {
        word: model._default_manager.count() if model._meta.db_table in existing else 0
        for word, model in models.items()
    }
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)


def check_rows(description: Description) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    counted = count_rows()
    if wrong := [table for table, count in description.rows.items() if counted.get(table) != count]:
        raise BackupError(f"These tables have other numbers of rows than were backed up: {', '.join(wrong)}.")


def restore_objects(
    vault: Vault,
    snapshot: Snapshot,
    description: Description,
    report: Report,
    *,
    jobs: int,
    progress: Progress,
) -> None:
    with ThreadPoolExecutor(jobs) as pool:
        entries = iter(progress("Restoring objects", snapshot.entries(), description.object_count))
        while batch := list(islice(entries, BATCH)):
            for entry, outcome in zip(batch, pool.map(partial(restore_object, vault), batch), strict=True):
                if outcome == "present":
                    report.present += 1
                elif outcome == "copied":
                    report.copied += 1
                else:
                    report.problems.append(f"{entry.storage}/{entry.key}: {outcome}")


def restore_object(vault: Vault, entry: Entry) -> str:
    """ "present" when the storage has an object of this size, "copied", or what is wrong."""
    storage = storages[entry.storage]
    try:
        try:
            if storage.size(entry.key) == entry.size:
                return "present"
            damaged = True
        except FileNotFoundError:
            damaged = False
        if is_folder_key(entry.key):
            place = vault.object_path(entry.sha256)
            return f"is not in its folder, which Chitra only reads; put it there from {place}"
        if problem := examine(vault, entry):
            return f"is {'damaged' if damaged else 'missing'} in the storage and {problem}"
        if damaged:
            storage.delete(entry.key)
        with vault.object_path(entry.sha256).open("rb") as file:
            storage.save(entry.key, File(file, name=entry.key))
    except STORE_ERRORS as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise BackupError(
                "The storage is full. Free some space and restore again with --force."
            ) from error
        return f"cannot be restored: {error}"
    return "copied"
