from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from chitra import backup
from chitra.backup_files import BackupError
from chitra.backup_report import finish, in_units, progress_bar


class Command(BaseCommand):
    help = (
        "Put a backup back: rows into an empty database, objects where they are missing. "
        "Stop web servers and workers first. Exit status 0: all is back; "
        "1: the database is as it was, or the message says otherwise; "
        "3: the rows are back, but objects are missing."
    )
    requires_system_checks: tuple[str, ...] = ()  # the database is empty

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, help="where the backups lie")
        parser.add_argument("--snapshot", metavar="NAME", help="which one; default: the newest")
        parser.add_argument(
            "--force", action="store_true", help="replace everything in a database that is in use"
        )
        parser.add_argument("--jobs", type=int, default=4, help="objects copied at the same time (default 4)")

    def handle(self, *args: Any, directory: Path, snapshot: str | None, **options: Any) -> None:
        if options["jobs"] < 1:
            raise CommandError("--jobs takes a number from 1 on.", returncode=2)
        try:
            report = backup.restore(
                directory, name=snapshot, force=options["force"], jobs=options["jobs"], progress=progress_bar
            )
        except (BackupError, DatabaseError) as error:
            raise CommandError(str(error)) from None
        finish(
            report,
            self.stdout,
            f"database restored; of {report.objects} objects ({in_units(report.bytes)}) "
            f"{report.copied} were copied back and {report.present} were there.",
        )
