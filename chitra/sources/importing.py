"""Carry out the plan of an import: every file ends as imported, duplicate, skipped or failed.

Sources are only read. A file that was taken before is recognised by its bytes, so an import can be stopped
and run again.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC
from functools import partial
from typing import Any

from django.db import transaction

from chitra.sources.archives import SourceFile as Archived
from chitra.sources.archives import Sources
from chitra.sources.details import Details
from chitra.sources.import_report import Row, Status
from chitra.sources.plans import EXPORT_FILES, PHOTO_LIST, ImportPlan, Planned
from chitra.sources.records import restore_albums, restore_people, restore_photo
from chitra.sources.sidecars import name_faces
from chitra.sources.stack_records import restore_stacks
from photos.importing import keep_sidecar
from photos.keeping import Ingested, Origin
from photos.models import Album, AlbumPhoto, Library, Photo, Tag
from photos.services import Outcome, RejectedFile, wall_clock
from photos.storages.errors import StorageUnavailable
from photos.taking import SourceFile, reason_of, take_all, when_database_is_back

MAX_TAG = 200
RESTORED: dict[str, Callable[[Library, list[dict[str, Any]]], None]] = {
    "people.json": restore_people,
    "albums.json": restore_albums,
    "stacks.json": restore_stacks,
}
DAMAGED = (ValueError, LookupError, TypeError, AttributeError)
"""What lists raise that are no JSON, or lack what an export writes."""
Progress = Callable[[Counter[str]], None]


class Importer:
    """One import into one library. `add_row` gets how each file ended, `on_progress` the counts so far."""

    def __init__(
        self,
        *,
        library: Library,
        user: Any,
        sources: Sources,
        add_row: Callable[[Row], None],
        on_progress: Progress = lambda counts: None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._library = library
        self._user = user
        self._sources = sources
        self._add_row = add_row
        self._on_progress = on_progress
        self._albums: dict[str, Album] = {}

    def run(self, plan: ImportPlan, *, skip: int = 0) -> Counter[str]:
        """Take the files after the first `skip`. Raises StorageUnavailable and what `on_progress` raises."""
        if not skip:
            for path, reason in [*self._sources.problems, *plan.left_out]:
                is_problem = (path, reason) in self._sources.problems
                self._end(Row(path, "failed" if is_problem else "skipped", reason))
        records = self._records(plan) if plan.service == "chitra" else {}
        with closing(take_all(plan.files[skip:], self._source)) as groups:
            for group in groups:
                for row in self._describe_all(group, records):
                    self._end(row)
                self.counts["taken"] += len(group)
                when_database_is_back(partial(self._on_progress, self.counts))
        if plan.service == "chitra":
            self._finish_restoring()
        return self.counts

    def _end(self, row: Row) -> None:
        self.counts[row.status] += 1
        self._add_row(row)

    def _describe_all(
        self, group: Sequence[tuple[Planned, Outcome | OSError]], records: dict[str, dict[str, Any]]
    ) -> list[Row]:
        """Write what is said about the photos of a group. Raises StorageUnavailable."""
        for _, outcome in group:
            if isinstance(outcome, StorageUnavailable):
                raise outcome

        @transaction.atomic
        def describe() -> list[Row]:
            self._albums.clear()  # of an attempt that was rolled back
            return [
                self._describe(planned, outcome, records.get(planned.file.path)) for planned, outcome in group
            ]

        return when_database_is_back(describe)

    def _describe(self, planned: Planned, outcome: Outcome | OSError, record: dict[str, Any] | None) -> Row:
        shown = planned.file.shown
        if not isinstance(outcome, Ingested):
            is_other = isinstance(outcome, RejectedFile) and outcome.code == "unsupported_type"
            return Row(shown, "skipped" if is_other else "failed", reason_of(outcome), remark=planned.remark)
        if record is not None:
            restore_photo(outcome.photo, record)
        elif planned.details is not None:
            apply_details(outcome.photo, planned.details)
        for title in planned.albums:
            self._put_into_album(title, outcome.photo)
        status: Status = "duplicate" if outcome.is_duplicate else "imported"
        same_as = origin_of(outcome.photo, shown) if outcome.is_duplicate else ""
        return Row(shown, status, photo_id=outcome.photo.pk, remark=planned.remark, same_as=same_as)

    def _source(self, planned: Planned) -> SourceFile:
        file, details = planned.file, planned.details
        origin = Origin(
            library=self._library,
            name=file.name,
            uploaded_by=self._user,
            modified_at=details.taken_at if details and details.taken_at else file.modified_at,
            source_path=file.shown,
        )
        return SourceFile(origin, file.size, lambda: closing_stream(self._sources.open(file)), file.local)

    def _put_into_album(self, title: str, photo: Photo) -> None:
        if title not in self._albums:
            name = title[:200]
            found = Album.objects.filter(library=self._library, name=name).order_by("pk").first()
            self._albums[title] = found or Album.objects.create(library=self._library, name=name)
        album = self._albums[title]
        if not AlbumPhoto.objects.filter(album=album, photo=photo).exists():
            last = AlbumPhoto.objects.filter(album=album).order_by("-position").first()
            AlbumPhoto.objects.create(album=album, photo=photo, position=last.position + 1 if last else 1)

    def _records(self, plan: ImportPlan) -> dict[str, dict[str, Any]]:
        """What an export of Chitra says about its files, by path."""
        listed = self._find(PHOTO_LIST)
        if listed is None:
            return {}
        records = {}
        for number, line in enumerate(self._read_whole(listed).rstrip(b"\n").split(b"\n"), start=1):
            try:
                record = json.loads(line)
                records[record["file"]] = record
            except DAMAGED:
                self._end(Row(f"{listed.shown}, line {number}", "failed", "It is damaged."))
        return records

    def _finish_restoring(self) -> None:
        for name, restore in RESTORED.items():
            file = self._find(name)
            if file is None:
                continue
            try:
                with transaction.atomic():
                    restore(self._library, json.loads(self._read_whole(file)))
            except DAMAGED:
                self._end(Row(file.shown, "failed", "It is damaged, and nothing of it was taken."))

    def _find(self, name: str) -> Archived | None:
        assert name in EXPORT_FILES
        return next((file for file in self._sources.files() if file.path == name), None)

    def _read_whole(self, file: Archived) -> bytes:
        """However large a list is."""
        with closing_stream(self._sources.open(file)) as stream:
            return bytes(stream.read())


def origin_of(photo: Photo, path: str) -> str:
    """The file that a photo came from, as a report on the file at `path` names it."""
    origin = photo.source_path or photo.original_name
    return "itself, imported before" if origin == path else origin


def closing_stream(stream: Any) -> Any:
    """A context for any stream."""
    return stream if hasattr(stream, "__exit__") else closing(stream)


def apply_details(photo: Photo, details: Details) -> None:
    """Write what another service says where the photo says nothing yet; marks are only set, never taken."""
    values: dict[str, Any] = {}
    if details.title and not photo.title:
        values["title"] = details.title[:300]
    if details.description and not photo.description:
        values["description"] = details.description
    if details.rating is not None and photo.rating is None:
        values["rating"] = details.rating
    if details.latitude is not None and photo.latitude is None:
        values |= {"latitude": details.latitude, "longitude": details.longitude}
    if details.xmp:
        keep_sidecar(photo, details.xmp)  # the metadata step weighs it against the file
    elif said := [name for name in ("title", "description", "rating") if name in values]:
        values["locked_fields"] = [*photo.locked_fields, *said]
    if details.is_favorite:
        values["is_favorite"] = True
    if details.is_archived:
        values["is_archived"] = True
    if details.taken_at is not None and photo.taken_at_source in ("file", "upload"):
        values |= {
            "taken_at": wall_clock(details.taken_at),
            "taken_at_utc": details.taken_at.astimezone(UTC),
            "taken_at_source": "file",
        }
    if values:
        # Not on `photo` as well: when this is rolled back and done again, it has to decide the same.
        Photo.objects.filter(pk=photo.pk).update(**values)
    add_tags(photo, [*details.tags, *details.people])
    if details.xmp:
        name_faces(photo, details.xmp)


def add_tags(photo: Photo, names: list[str]) -> None:
    """Words on the photo, as by a person; one that a machine put there becomes theirs."""
    rows = [Tag(photo=photo, name=name[:MAX_TAG], source=Tag.Source.PERSON) for name in dict.fromkeys(names)]
    Tag.objects.bulk_create(
        rows, update_conflicts=True, update_fields=["score", "source"], unique_fields=["photo", "name"]
    )
