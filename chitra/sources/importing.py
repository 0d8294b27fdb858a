"""Carry out the plan of an import: every file ends as imported, duplicate, skipped or failed.

Sources are only read. A file that was taken before is recognised by its bytes, so an import can be stopped
and run again.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import Any

from django.db import DataError, IntegrityError, transaction

from chitra.sources.applying import Albums, apply_details
from chitra.sources.archives import SourceFile as Archived
from chitra.sources.archives import Sources
from chitra.sources.import_report import Row, Status
from chitra.sources.plans import PHOTO_LIST, ImportPlan, Planned
from chitra.sources.records import PhotoRecords, restore_albums, restore_people, restore_photo
from chitra.sources.stack_records import restore_stacks
from photos.keeping import Ingested, Origin
from photos.models import Library, Photo
from photos.services import Outcome, RejectedFile
from photos.storages.errors import StorageUnavailable
from photos.taking import SourceFile, reason_of, take_all, when_database_is_back

RESTORED: dict[str, Callable[[Library, list[dict[str, Any]]], None]] = {
    "people.json": restore_people,
    "albums.json": restore_albums,
    "stacks.json": restore_stacks,
}
DAMAGED = (ValueError, LookupError, TypeError, AttributeError, DataError, IntegrityError)
"""What lists raise that are no JSON, or have not what an export writes."""
DAMAGED_RECORD = "What the export says about it is damaged, and was not taken."
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
        self._albums = Albums(library)

    def run(self, plan: ImportPlan, *, skip: int = 0) -> Counter[str]:
        """Take the files after the first `skip`. Raises StorageUnavailable and what `on_progress` raises."""
        if not skip:
            for path, reason in [*self._sources.problems, *plan.left_out]:
                is_problem = (path, reason) in self._sources.problems
                self._end(Row(path, "failed" if is_problem else "skipped", reason))
        records = self._records(plan) if plan.service == "chitra" else None
        with closing(take_all(plan.files[skip:], self._source)) as groups:
            for group in groups:
                for row in self._describe_all(group, records):
                    self._end(row)
                self.counts["taken"] += len(group)
                when_database_is_back(partial(self._on_progress, self.counts))
        if plan.service == "chitra":
            self._finish_restoring(plan)
        return self.counts

    def _end(self, row: Row) -> None:
        self.counts[row.status] += 1
        self._add_row(row)

    def _describe_all(
        self, group: Sequence[tuple[Planned, Outcome | OSError]], records: PhotoRecords | None
    ) -> list[Row]:
        """Write what is said about the photos of a group. Raises StorageUnavailable."""
        for _, outcome in group:
            if isinstance(outcome, StorageUnavailable):
                raise outcome

        @transaction.atomic
        def describe() -> list[Row]:
            self._albums.forget()  # those of an attempt that was rolled back
            return [
                self._describe(planned, outcome, records.get(planned.file.path) if records else None)
                for planned, outcome in group
            ]

        return when_database_is_back(describe)

    def _describe(self, planned: Planned, outcome: Outcome | OSError, record: dict[str, Any] | None) -> Row:
        shown = planned.file.shown
        if not isinstance(outcome, Ingested):
            is_other = isinstance(outcome, RejectedFile) and outcome.code == "unsupported_type"
            return Row(shown, "skipped" if is_other else "failed", reason_of(outcome), remark=planned.remark)
        remark = planned.remark
        if record is not None:
            remark = restored(outcome.photo, record) or remark
        elif planned.details is not None:
            apply_details(outcome.photo, planned.details)
        for title in planned.albums:
            self._albums.put(title, outcome.photo)
        status: Status = "duplicate" if outcome.is_duplicate else "imported"
        same_as = origin_of(outcome.photo, shown) if outcome.is_duplicate else ""
        return Row(shown, status, photo_id=outcome.photo.pk, remark=remark, same_as=same_as)

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

    def _records(self, plan: ImportPlan) -> PhotoRecords | None:
        """What an export of Chitra says about its files."""
        listed = plan.lists.get(PHOTO_LIST)
        if listed is None:
            return None
        with closing_stream(self._sources.open(listed)) as stream:
            records = PhotoRecords(stream)
        for number in records.damaged:
            self._end(Row(f"{listed.shown}, line {number}", "failed", "It is damaged."))
        return records

    def _finish_restoring(self, plan: ImportPlan) -> None:
        for name, restore in RESTORED.items():
            file = plan.lists.get(name)
            if file is None:
                continue
            try:
                with transaction.atomic():
                    restore(self._library, json.loads(self._read_whole(file)))
            except DAMAGED:
                self._end(Row(file.shown, "failed", "It is damaged, and nothing of it was taken."))

    def _read_whole(self, file: Archived) -> bytes:
        """However large a list is."""
        with closing_stream(self._sources.open(file)) as stream:
            return bytes(stream.read())


def restored(photo: Photo, record: dict[str, Any]) -> str:
    """Give a photo what its record says; a remark when the record is damaged, and nothing of it was taken."""
    try:
        with transaction.atomic():
            restore_photo(photo, record)
    except DAMAGED:
        return DAMAGED_RECORD
    return ""


def origin_of(photo: Photo, path: str) -> str:
    """The file that a photo came from, as a report on the file at `path` names it."""
    origin = photo.source_path or photo.original_name
    return "itself, imported before" if origin == path else origin


def closing_stream(stream: Any) -> Any:
    """A context for any stream."""
    return stream if hasattr(stream, "__exit__") else closing(stream)
