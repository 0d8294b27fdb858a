"""The migration: users, persons, photos with all that hangs on them, and the files no row names.

Every row and file is decided once, and its outcome is kept in the transaction that writes it, so a run
that is killed at any moment is completed by the next one.
"""

import posixpath
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.files.storage import Storage
from django.db import connection, transaction

from chitra.legacy import cases, plan
from chitra.legacy.accounts import migrate_users
from chitra.legacy.ahead import ahead, chunks
from chitra.legacy.boxes import Shape
from chitra.legacy.cases import Ending
from chitra.legacy.children import Arrival, Children, ChildWriter, open_children
from chitra.legacy.files import FileSource, SourceUnavailable
from chitra.legacy.models import Kind, LegacySystem, Outcome, Status
from chitra.legacy.outcomes import ended_keys, outcome, save_outcomes
from chitra.legacy.persons import load_people, migrate_persons
from chitra.legacy.rows import PhotoRow, text
from chitra.legacy.source import CHILD_TABLES, LegacyDatabase
from chitra.legacy.transfer import Request, Stored, measure
from chitra.legacy.waiting import fetch_waiting
from chitra.legacy.writer import Item, PhotoWriter
from faces.models import Face, Person
from photos.models import Photo
from photos.storages import local_path, originals

READ_AT_ONCE = 200
WRITE_AT_ONCE = 64
FAILURES_IN_A_ROW = 5  # of the old storage, after which it counts as away
MIGRATION_LOCK = 7_240_003
LOCK_ATTEMPTS = 10


class Busy(RuntimeError):
    """Another run is at the same system."""


class DifferentDatabase(ValueError):
    """The name of the system stands for another database."""


@dataclass(frozen=True)
class Work:
    """A row (or file) to move: what to ask for, and what comes with it."""

    row: PhotoRow
    request: Request
    children: Children
    modified_at: datetime | None = None


class Migration:
    """One run. `move` fetches and stores (or, in a dry run, only looks); `storage` is None in a dry run."""

    def __init__(
        self,
        *,
        system: LegacySystem,
        database: LegacyDatabase,
        files: FileSource,
        move: Callable[[Request], Stored | Ending],
        storage: Storage | None,
        owner: Any,
        email_domain: str,
        parallel: int,
        originals_later: bool = False,
        on_progress: Callable[[int], None] = lambda count: None,
    ) -> None:
        self.system = system
        self.database = database
        self.files = files
        self.move = move
        self.storage = storage
        self.owner = owner
        self.email_domain = email_domain
        self.parallel = parallel
        self.originals_later = originals_later
        self.on_progress = on_progress
        self.file_counts: Counter[str] = Counter()

    def run(self) -> None:
        """All not done yet. Raises SourceUnavailable, StorageUnavailable, Busy or DifferentDatabase."""
        take_lock(self.system)
        try:
            reserve_ids(self.database)
            migrate_users(self.system, self.database.users(), domain=self.email_domain)
            persons = self.database.persons()
            migrate_persons(self.system, persons)
            children = ChildWriter(self.system, load_people(self.system, persons))
            self.writer = PhotoWriter(self.system, children, self.storage, owner=self.owner)
            self.write_all(self.photo_work())
            self.leave_out_orphans()
            self.write_all(self.file_work())
            if not self.originals_later:
                fetch_waiting(self.system, self.attempt, self.parallel)
        finally:
            release_lock(self.system)

    # ------------------------------------------------------------ rows

    def photo_work(self) -> Iterator[Work]:
        """The photos to be moved, by id; children of those that are here already are completed on the way."""
        for rows in self.database.photos(READ_AT_ONCE):
            ids = [row.id for row in rows]
            outcomes = Outcome.objects.filter(system=self.system).of(Kind.PHOTOS, ids)
            known = {int(known.source_key): known for known in outcomes}
            refuse_other_database(rows, known)
            ended = {key: known.target_id for key, known in known.items() if known.status != Status.FAILED}
            children = open_children(self.database, self.system, ids)
            self.complete([(ended[pk], rows) for pk, rows in children.items() if pk in ended])
            todo = [row for row in rows if row.id not in ended]
            keys = self.target_keys(todo)
            for row in todo:
                yield self.work_of(row, keys[row.id], children.get(row.id, Children()))
            self.on_progress(len(rows) - len(todo))

    def work_of(self, row: PhotoRow, target_key: str, children: Children) -> Work:
        request = Request(row.file_path, target_key, sha1=row.checksum, measure=bool(children.faces))
        return Work(row, request, children)

    def complete(self, children_of: list[tuple[int | None, Children]]) -> None:
        """Rows that came, or failed, after their photo was moved."""
        photos = Photo.objects.in_bulk([pk for pk, _ in children_of if pk is not None])
        arrivals = [
            Arrival(pk, children, shape_of(photos[pk]) if children.faces else None)
            for pk, children in children_of
            if pk is not None and pk in photos
        ]
        if arrivals:
            with transaction.atomic():
                self.writer.children.write(arrivals)

    def target_keys(self, rows: Sequence[PhotoRow]) -> dict[int, str]:
        """The old key where it can be one here and is free, else a key like those of new photos."""
        wanted = {
            row.id: row.file_path
            for row in rows
            if plan.is_safe_key(row.file_path) and not plan.is_local_path(row.file_path)
        }
        taken = set(
            Photo.objects.filter(original_key__in=wanted.values()).values_list("original_key", flat=True)
        )
        return {
            row.id: wanted[row.id]
            if row.id in wanted and wanted[row.id] not in taken
            else self.new_key(str(row.id), row.file_path)
            for row in rows
        }

    def new_key(self, source_key: str, name: str) -> str:
        identity = self.system.photo_uuid(source_key).hex
        suffix = posixpath.splitext(name)[1].lower()
        suffix = suffix if suffix in plan.PICTURE_SUFFIXES else ""
        return f"{self.system.library_id}/{identity[:2]}/{identity}{suffix}"

    def leave_out_orphans(self) -> None:
        """Rows of photos that the old system had deleted."""
        for table in (*CHILD_TABLES, "face_thumbs"):
            kind = Kind(table)
            ending = cases.left_out(
                "derived" if kind in (Kind.CLUSTERS, Kind.FACE_THUMBS) else "photo_row_gone"
            )
            for ids in chunks(self.database.orphans(table), 1000):
                save_outcomes(outcome(self.system, kind, row_id, ending) for row_id in ids)

    # ------------------------------------------------------------ files

    def file_work(self) -> Iterator[Work]:
        """Originals that no row names. Counts all files by class on the way."""
        unusual = {posixpath.normpath(path) for path in self.database.unusual_paths()}
        for files in chunks(self.files.files(), READ_AT_ONCE):
            self.file_counts.update(plan.class_of(file.key) for file in files)
            orphans = [
                file
                for file in files
                if plan.class_of(file.key) == "original"
                and file.key not in unusual
                and not self.database.has_photo_at(file.key)
            ]
            ended = ended_keys(self.system, Kind.FILES, (text(file.key) for file in orphans))
            for file in orphans:
                if text(file.key) not in ended:
                    row = PhotoRow(0, file.key)
                    request = Request(
                        file.key, self.new_key(f"file:{file.key}", file.key), must_be_picture=True
                    )
                    yield Work(row, request, Children(), file.modified_at)

    # ------------------------------------------------------------ moving

    def write_all(self, work: Iterable[Work]) -> None:
        """Move and write, in order, in batches."""
        for items in chunks(self.moved(work), WRITE_AT_ONCE):
            self.writer.write(items)
            self.on_progress(len(items))

    def moved(self, work: Iterable[Work]) -> Iterator[Item]:
        """Results in the order of `work`, while a few threads are ahead."""
        failures = 0
        for piece, result in ahead(work, lambda piece: self.attempt(piece.request), self.parallel):
            failures = failures + 1 if is_source_error(result) else 0
            if failures >= FAILURES_IN_A_ROW and isinstance(result, Ending):
                raise SourceUnavailable(result.reason)
            yield Item(piece.row, piece.request.target_key, result, piece.children, piece.modified_at)

    def attempt(self, request: Request) -> Stored | Ending:
        """One file that cannot be read fails alone; several in a row stop the run."""
        try:
            return self.move(request)
        except SourceUnavailable as error:
            return cases.failed("source_error", str(error))


def shape_of(photo: Photo) -> Shape | None:
    """Of an original that is here already; None when it is gone."""
    try:
        with local_path(originals(), photo.original_key) as path:
            return measure(path)
    except FileNotFoundError:
        return None


def is_source_error(result: Stored | Ending) -> bool:
    return isinstance(result, Ending) and result.code == "source_error"


def refuse_other_database(rows: Sequence[PhotoRow], known: dict[int, Outcome]) -> None:
    """Two databases under one name would hide each other's photos."""
    for row in rows:
        if row.id in known and known[row.id].path != text(row.file_path):
            raise DifferentDatabase(
                f"Photo {row.id} was {known[row.id].path} before and is {text(row.file_path)} now: "
                "this is another database. Give it another --name."
            )


def take_lock(system: LegacySystem) -> None:
    """For this connection, until it ends: a killed run frees it by dying."""
    with connection.cursor() as cursor:
        for _ in range(LOCK_ATTEMPTS):  # the server may still be taking leave of a killed run
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [MIGRATION_LOCK, system.pk])
            if cursor.fetchone()[0]:
                return
            time.sleep(1)
    raise Busy(f"Another run is migrating {system}. Wait until it ends.")


def release_lock(system: LegacySystem) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [MIGRATION_LOCK, system.pk])


def reserve_ids(database: LegacyDatabase) -> None:
    """New rows here get ids above all that the old system ever gave.

    A dry run does so too: numbers that were reserved and not used are all that stays of it.
    """
    for model, table in ((Photo, "photos"), (Face, "faces"), (Person, "persons")):
        last = database.last_id(table)
        if last > 0:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [model._meta.db_table])
                sequence = cursor.fetchone()[0]
                cursor.execute(
                    f"SELECT setval(%s, GREATEST(%s, (SELECT last_value FROM {sequence})))", [sequence, last]
                )
