import sys
import time
from argparse import ArgumentParser
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from tqdm import tqdm

from chitra.sources.archives import PACKED, UNPACK, Sources
from chitra.sources.import_report import ReportFile, Row, report_file, summary
from chitra.sources.importing import Importer
from chitra.sources.plans import NAMES, SERVICES, ImportPlan, detect, make_plan
from chitra.sources.stopping import Stopped, stop_signals
from jobs.models import Job
from jobs.runner import JOB_LEASE, Cancelled, end_job
from jobs.services import report
from photos.importing import BadFolder, checked_folder
from photos.models import Library
from photos.services import StorageUnavailable, library_for_import

REPORT_EVERY_SECONDS = 1.0
LISTED = 50
LOOK_ALIKES = "Photos that look alike are shown on the page Duplicates once they are processed"
COMPLETE = "; complete_report writes them into the report"


class Command(BaseCommand):
    help = (
        "Import folders or zip archives of photos: plain ones, or exports of other services with what they "
        "say about the photos. Files are read, never changed; run it again to go on where it stopped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", nargs="+", help="the folder, or the parts of a split export")
        parser.add_argument("--user", metavar="EMAIL", help="whose library; default: the only or first one")
        parser.add_argument(
            "--from",
            dest="service",
            choices=("auto", *SERVICES),
            default="auto",
            help="where the files come from; default: as their names tell",
        )
        parser.add_argument("--albums", action="store_true", help="make an album of each folder")
        parser.add_argument(
            "--report", metavar="FILE", help="write how each file ended: .csv, or .json lines"
        )

    def handle(self, *args: Any, path: list[str], user: str | None, **options: Any) -> None:
        try:
            roots = [checked_source(part) for part in path]
            library, owner = library_for_import(user)
        except (BadFolder, LookupError) as error:
            raise CommandError(str(error)) from None
        try:
            with stop_signals() as stop, Sources(roots) as sources:
                plan = self.plan(sources, **options)
                outcome = Outcome()
                wanted = report_file(Path(options["report"])) if options["report"] else nullcontext()
                with wanted as file:
                    outcome.file = file
                    self.run(library, sources, plan, owner, outcome, stop)
                self.print_report(outcome)
        except Stopped:
            raise CommandError("Stopped. Run the same command again: it goes on where it stopped.") from None
        except Cancelled:
            raise CommandError("Cancelled on the jobs page.") from None
        except (OperationalError, InterfaceError):
            raise CommandError("The database is away. Run the import again when it is back.") from None
        except StorageUnavailable as error:
            raise CommandError(f"{error} Run the import again to go on.") from None

    def plan(self, sources: Sources, *, service: str, albums: bool, **options: Any) -> ImportPlan:
        files = sources.files(with_archives=service != "folders")
        chosen = detect(files, sources.read) if service == "auto" else service
        if service == "auto" and chosen != "folders":
            self.stdout.write(f"This looks like {NAMES[chosen]}; --from says otherwise.")
        return make_plan(chosen, files, sources.read, with_albums=albums)  # type: ignore[arg-type]

    def run(
        self, library: Library, sources: Sources, plan: ImportPlan, owner: Any, outcome: "Outcome", stop: Any
    ) -> None:
        """Import under a job, which ends as the import does."""
        job = Job.objects.create(
            kind="import",
            library_id=library.pk,
            created_by=owner,
            status=Job.Status.STARTED,
            started_at=timezone.now(),
            lease_until=timezone.now() + JOB_LEASE,
            total=len(plan.files),
        )
        try:
            with tqdm(total=job.total, unit="photo", desc="Importing", disable=None, file=sys.stderr) as bar:
                progress = Progress(job, bar, stop)
                importer = Importer(
                    library=library, user=owner, sources=sources, add_row=outcome.add, on_progress=progress
                )
                counts = importer.run(plan)
            progress.report_now(counts)
        except Stopped:
            end_job(job, status=Job.Status.CANCELED, error="Stopped; run the import again to go on.")
            raise
        except StorageUnavailable as error:
            end_job(job, status=Job.Status.FAILED, error=str(error))
            raise
        end_job(job, status=Job.Status.FINISHED, result=counts["imported"] + counts["duplicate"])

    def print_report(self, outcome: "Outcome") -> None:
        for title, status in (
            ("Already there", "duplicate"),
            ("Not imported", "skipped"),
            ("Failed", "failed"),
        ):
            rows = outcome.listed[status]
            if rows:
                self.stdout.write(f"{title}:")
            for row in rows[:LISTED]:
                self.stdout.write(f"  {row.path}: {row.reason or f'the same as {row.same_as}'}")
            if outcome.counts[status] > LISTED:
                self.stdout.write(f"  … and {outcome.counts[status] - LISTED} more")
        self.stdout.write(f"{summary(outcome.counts)}.")
        if outcome.counts["imported"]:
            self.stdout.write(LOOK_ALIKES + COMPLETE * (outcome.file is not None))


class Outcome:
    """How files ended: all in the report's file, the first ones for the terminal."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.listed: dict[str, list[Row]] = {"duplicate": [], "skipped": [], "failed": []}
        self.file: ReportFile | None = None

    def add(self, row: Row) -> None:
        self.counts[row.status] += 1
        if row.status in self.listed and len(self.listed[row.status]) < LISTED:
            self.listed[row.status].append(row)
        if self.file is not None:
            self.file.add(row)


def checked_source(path: str) -> Path:
    """A folder or a zip archive. Raises BadFolder."""
    if path.lower().endswith(PACKED) and Path(path).expanduser().is_file():
        raise BadFolder(UNPACK)
    if path.lower().endswith(".zip") and Path(path).expanduser().is_file():
        return Path(path).expanduser().resolve()
    return checked_folder(path)


class Progress:
    """Moves the bar with each file and the job's row about once a second. Raises Stopped."""

    def __init__(self, job: Job, bar: Any, stop: Any) -> None:
        self.job = job
        self.bar = bar
        self.stop = stop
        self.reported_at = 0.0

    def __call__(self, counts: Counter[str]) -> None:
        self.bar.update(max(0, counts["taken"] - self.bar.n))
        if self.stop.is_set():
            raise Stopped
        if time.monotonic() - self.reported_at > REPORT_EVERY_SECONDS:
            self.report_now(counts)

    def report_now(self, counts: Counter[str]) -> None:
        self.reported_at = time.monotonic()
        report(self.job, done=counts["taken"], failed=counts["failed"], message=summary(counts))
