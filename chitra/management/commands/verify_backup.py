from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chitra import backup
from chitra.backup_files import BackupError
from chitra.backup_report import finish, in_units, progress_bar


class Command(BaseCommand):
    help = (
        "Read a whole backup and compare it with its digests. Exit status 0: it can be restored; "
        "1: it cannot; 3: the database can, but objects are missing or damaged."
    )
    requires_system_checks: tuple[str, ...] = ()  # a backup can be read without a working installation

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, help="where the backups lie")
        parser.add_argument("--snapshot", metavar="NAME", help="which one; default: the newest")

    def handle(self, *args: Any, directory: Path, snapshot: str | None, **options: Any) -> None:
        try:
            report = backup.verify(directory, name=snapshot, progress=progress_bar)
        except BackupError as error:
            raise CommandError(str(error)) from None
        finish(report, self.stdout, f"read {report.objects} objects of {in_units(report.bytes)}.")
