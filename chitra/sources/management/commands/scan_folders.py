import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from chitra.sources.models import Folder
from chitra.sources.scanning import Scan, ScanReport
from chitra.sources.stopping import Stopped, stop_signals
from photos.importing import BadFolder
from photos.storages.errors import StorageUnavailable

LISTED = 50


class Command(BaseCommand):
    help = (
        "Scan the folders of the libraries now. Nothing in them is changed; run it again to go on where it "
        "stopped. Exit status 1 when a folder could not be scanned."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--folder", type=int, metavar="ID", help="only this one")
        parser.add_argument("--dry-run", action="store_true", help="count what a scan would do, do nothing")
        parser.add_argument(
            "--right-disk", action="store_true", help="the folder lies on another disk now, on purpose"
        )
        parser.add_argument("--retry", action="store_true", help="read again what was no picture before")

    def handle(self, *args: Any, folder: int | None, **options: Any) -> None:
        folders = Folder.objects.select_related("library").order_by("pk")
        if folder is not None:
            folders = folders.filter(pk=folder)
        if not folders:
            raise CommandError("There is no such folder. The page /folders adds one.")
        failed = 0
        try:
            for each in folders:
                failed += not self.scan(each, **options)
        except Stopped:
            raise CommandError("Stopped. Run the same command again: it goes on where it stopped.") from None
        if failed:
            sys.exit(1)

    def scan(self, folder: Folder, *, dry_run: bool, right_disk: bool, retry: bool, **options: Any) -> bool:
        """Scan one folder and print how it went. False when it could not be scanned."""
        started = time.monotonic()
        try:
            with (
                stop_signals() as stop,
                tqdm(unit="file", desc=folder.path, disable=None, file=sys.stderr) as bar,
            ):

                def progress(report: ScanReport) -> None:
                    bar.total = report.work
                    bar.update(report.worked - bar.n)
                    if stop.is_set():
                        raise Stopped

                scan = Scan(folder, is_right_disk=right_disk, retry_refused=retry, on_progress=progress)
                report = scan.run(dry_run=dry_run)
        except (BadFolder, StorageUnavailable) as error:
            self.stderr.write(f"{folder.pk} {folder.path}: {error}")
            return False
        summary = f"{report.work:,} files to look into, {report.summary()}" if dry_run else report.summary()
        self.stdout.write(f"{folder.pk} {folder.path}: {summary} ({time.monotonic() - started:.1f} s)")
        for path, reason in report.problems[:LISTED]:
            self.stdout.write(f"  {path}: {reason}")
        if len(report.problems) > LISTED:
            self.stdout.write(f"  … and {report.counts['problems'] - LISTED:,} more")
        return True
