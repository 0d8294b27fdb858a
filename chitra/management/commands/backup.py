from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from chitra import backup
from chitra.backup_files import BackupError, Vault, told_apart
from chitra.backup_report import finish, in_units, progress_bar


class Command(BaseCommand):
    help = (
        "Add a snapshot of the database and a manifest of all objects to the backups in a directory. "
        "Exit status 0: complete; 1: no snapshot was made; 3: made, but objects are missing or damaged."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, help="where the backups lie; made when missing")
        parser.add_argument(
            "--with-objects", action="store_true", help="copy the objects that are not there yet"
        )
        parser.add_argument("--without-renditions", action="store_true", help="copy the originals only")
        parser.add_argument(
            "--keep", type=int, metavar="N", help="afterwards keep only the newest N snapshots"
        )
        parser.add_argument("--jobs", type=int, default=4, help="objects copied at the same time (default 4)")

    def handle(self, *args: Any, directory: Path, keep: int | None, **options: Any) -> None:
        if options["jobs"] < 1 or (keep is not None and keep < 1):
            raise CommandError("--jobs and --keep take numbers from 1 on.", returncode=2)
        try:
            report = backup.create(
                directory,
                with_objects=options["with_objects"],
                with_renditions=not options["without_renditions"],
                jobs=options["jobs"],
                progress=progress_bar,
            )
            if keep is not None:
                with told_apart(directory):
                    snapshots, objects = Vault(directory).prune(keep)
                report.notes.append(f"Removed {snapshots} older snapshots and {objects} objects.")
        except (BackupError, DatabaseError) as error:
            raise CommandError(str(error)) from None
        copied = f", {report.copied} copied, {report.present} there before" if options["with_objects"] else ""
        finish(report, self.stdout, f"{report.objects} objects of {in_units(report.bytes)}{copied}.")
