"""Imports that somebody asked for on the page: in slices, with a report file for each job."""

import time
from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings

from chitra.sources.archives import PACKED, UNPACK, Sources
from chitra.sources.import_report import report_file, summary
from chitra.sources.importing import Importer
from chitra.sources.plans import NAMES, Service, detect, make_plan
from jobs.models import Job
from jobs.runner import Cancelled
from jobs.services import go_on_later, report, start_job
from photos.importing import BadFolder, inside_scan_roots
from photos.models import Library

SLICE_SECONDS = 240  # a task of the queue may take ten minutes
REPORT_EVERY_SECONDS = 1.0


def report_path(job: Job) -> Path:
    """Where the report of an import lies."""
    return Path(settings.STATE_DIR) / "imports" / f"{job.pk}.csv"


def start_import(*, library: Library, path: str, service: str, with_albums: bool, user: Any) -> Job:
    """Queue an import of a folder or archive below CHITRA_SCAN_ROOTS; `service` may be “auto”."""
    return start_job(
        kind="import",
        function="chitra.sources.import_tasks.run_import",
        arguments={"library_id": library.pk, "path": path, "service": service, "with_albums": with_albums},
        library_id=library.pk,
        user=user,
        cluster="default",
    )


def checked_place(text: str) -> Path:
    """A folder or a zip archive below CHITRA_SCAN_ROOTS. Raises BadFolder."""
    path = Path(text.strip())
    if path.name.lower().endswith(PACKED):
        raise BadFolder(UNPACK)
    if path.suffix.lower() != ".zip":
        return inside_scan_roots(text.strip())
    archive = inside_scan_roots(str(path.parent)) / path.name
    if not archive.is_file() or archive.is_symlink():
        raise BadFolder("This archive does not exist inside the allowed folders (CHITRA_SCAN_ROOTS).")
    return archive


def run_import(job: Job, *, library_id: int, path: str, service: str, with_albums: bool) -> dict[str, Any]:
    """Import, until done or until the slice is over; the next one skips what this one took."""
    library = Library.objects.get(pk=library_id)
    with Sources([checked_place(path)]) as sources:
        files = sources.files(with_archives=service != "folders")
        chosen: Service = detect(files, sources.read) if service == "auto" else service  # type: ignore[assignment]
        plan = make_plan(chosen, files, sources.read, with_albums=with_albums)
        with report_file(report_path(job), goes_on=bool(job.done)) as file:
            progress = SliceProgress(job, len(plan.files), NAMES[chosen])
            importer = Importer(
                library=library, user=job.created_by, sources=sources, add_row=file.add, on_progress=progress
            )
            counts = importer.run(plan, skip=job.done)
        progress.report_now(counts)
    return {"counts": dict(progress.sum(counts)), "service": NAMES[chosen]}


class SliceProgress:
    """Reports about once a second; ends the slice by raising Cancelled, as for a job that is given away."""

    def __init__(self, job: Job, total: int, service: str) -> None:
        self.job = job
        self.total = total
        self.service = service
        self.skipped = job.done
        self.earlier = Counter(job.result or {})
        self.ends_at = time.monotonic() + SLICE_SECONDS
        self.reported_at = 0.0

    def __call__(self, counts: Counter[str]) -> None:
        now = time.monotonic()
        if now - self.reported_at > REPORT_EVERY_SECONDS:
            self.report_now(counts)
        if now > self.ends_at:
            self.report_now(counts)
            go_on_later(self.job)
            raise Cancelled

    def sum(self, counts: Counter[str]) -> Counter[str]:
        """What files ended as, over all slices."""
        return self.earlier + counts

    def report_now(self, counts: Counter[str]) -> None:
        self.reported_at = time.monotonic()
        summed = self.sum(counts)
        report(
            self.job,
            done=self.skipped + counts["taken"],
            total=self.total,
            failed=summed["failed"],
            message=f"From {self.service}: {summary(summed)}",
            result=dict(summed),
        )
