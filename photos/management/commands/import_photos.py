import signal
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from tqdm import tqdm

from jobs.models import Job
from jobs.runner import JOB_LEASE, Cancelled, end_job
from jobs.services import report
from photos.importing import BadFolder, ImportReport, checked_folder, import_folder, walk
from photos.models import Library
from photos.services import StorageUnavailable, library_for_import

REPORT_EVERY_SECONDS = 1.0
LISTED = 50


class Command(BaseCommand):
    help = "Import a folder of photos. Files are read, never changed; run it again to go on where it stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", help="the folder")
        parser.add_argument("--user", metavar="EMAIL", help="whose library; default: the only or first one")

    def handle(self, *args: Any, path: str, user: str | None, **options: Any) -> None:
        try:
            root = checked_folder(path)
            library, owner = library_for_import(user)
        except (BadFolder, LookupError) as error:
            raise CommandError(str(error)) from None
        try:
            with stop_signals() as stop:
                self.print_report(self.run(library, root, owner, stop))
        except Stopped:
            raise CommandError("Stopped. Run the same command again: it goes on where it stopped.") from None
        except Cancelled:
            raise CommandError("Cancelled on the jobs page.") from None
        except (OperationalError, InterfaceError):
            raise CommandError("The database is away. Run the import again when it is back.") from None
        except StorageUnavailable as error:
            raise CommandError(f"{error} Run the import again to go on.") from None

    def run(self, library: Library, root: Path, owner: Any, stop: Event) -> ImportReport:
        """Import under a job, which ends as the import does."""
        job = Job.objects.create(
            kind="import",
            library_id=library.pk,
            created_by=owner,
            status=Job.Status.STARTED,
            started_at=timezone.now(),
            lease_until=timezone.now() + JOB_LEASE,
            total=sum(1 for _ in walk(root, lambda error: None)),
        )
        try:
            with tqdm(total=job.total, unit="photo", desc="Importing", disable=None, file=sys.stderr) as bar:
                progress = Progress(job, bar, stop)
                result = import_folder(library=library, root=root, user=owner, on_progress=progress)
            progress.report_now(result)
        except Stopped:
            end_job(job, status=Job.Status.CANCELED, error="Stopped; run the import again to go on.")
            raise
        except StorageUnavailable as error:
            end_job(job, status=Job.Status.FAILED, error=str(error))
            raise
        end_job(job, status=Job.Status.FINISHED, result=result.processed)
        return result

    def print_report(self, result: ImportReport) -> None:
        for title, entries in (("Not imported", result.skipped), ("Failed", result.failed)):
            if entries:
                self.stdout.write(f"{title}:")
            for name, reason in entries[:LISTED]:
                self.stdout.write(f"  {name}: {reason}")
            if len(entries) > LISTED:
                self.stdout.write(f"  … and {len(entries) - LISTED} more")
        self.stdout.write(f"{result.summary()}.")


class Stopped(Exception):
    """Somebody asked the import to stop."""


@contextmanager
def stop_signals() -> Iterator[Event]:
    """The event that Ctrl-C or SIGTERM sets, to stop between two files: amid a query the connection is lost.

    A second one ends the process at once, which costs nothing but an object without a row.
    """
    stop = Event()

    def ask(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        stop.set()

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, ask) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


class Progress:
    """Moves the bar with each file and the job's row about once a second. Raises Stopped."""

    def __init__(self, job: Job, bar: Any, stop: Event) -> None:
        self.job = job
        self.bar = bar
        self.stop = stop
        self.reported_at = 0.0

    def __call__(self, result: ImportReport) -> None:
        self.bar.update(max(0, result.seen - self.bar.n))
        if self.stop.is_set():
            raise Stopped
        if time.monotonic() - self.reported_at > REPORT_EVERY_SECONDS:
            self.report_now(result)

    def report_now(self, result: ImportReport) -> None:
        self.reported_at = time.monotonic()
        report(self.job, done=result.seen, failed=len(result.failed), message=result.summary())
