"""`manage.py check_files`: whether the database and the storage agree."""

import csv
import sys
from argparse import ArgumentParser
from collections import Counter
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from photos.file_check import Check, Cursor, Finding
from photos.storages.errors import StorageUnavailable


class Command(BaseCommand):
    """Exit status 0: they agree or all was repaired; 1: differences are left; 3: time is up, run it again."""

    help = "Find photos without files, files without photos, and files that changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--seconds", type=float, default=0, help="stop after so many seconds and go on next time"
        )
        parser.add_argument(
            "--digests", action="store_true", help="read every original and compare its SHA-256"
        )
        parser.add_argument("--repair", action="store_true", help="repair what is safe (docs/storage.md)")
        parser.add_argument("--restart", action="store_true", help="forget where the last run stopped")
        parser.add_argument("--csv", help="write the findings to this file")

    def handle(self, *args: Any, **options: Any) -> None:
        cursor = Cursor.load()
        if options["restart"]:
            cursor = Cursor()
        elif cursor.after:
            self.stdout.write(f"Going on in {cursor.phase} after {cursor.after}.")
        counts: Counter[str] = Counter()
        path = Path(options["csv"]) if options["csv"] else Path("/dev/null")
        try:
            # A run that goes on adds to the report of the one before.
            with path.open("a" if cursor.after else "w", newline="", encoding="utf-8") as file:
                table = csv.DictWriter(file, [field.name for field in fields(Finding)])
                if not cursor.after:
                    table.writeheader()

                def report(finding: Finding) -> None:
                    counts[finding.kind] += 1
                    table.writerow(asdict(finding))
                    if not options["csv"]:
                        action = f" ({finding.action})" if finding.action else ""
                        self.stdout.write(f"{finding.kind} {finding.key}{action}")

                check = Check(
                    repair=options["repair"],
                    with_digests=options["digests"],
                    seconds=options["seconds"],
                    report=report,
                    cursor=cursor,
                )
                check.run()
        except StorageUnavailable as error:
            raise CommandError(f"{error} Run check_files again: it goes on where it stopped.") from error
        found = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "no differences"
        self.stdout.write(f"{check.checked} rows and objects checked: {found}; {cursor.left} left.")
        if not check.is_complete:
            self.stdout.write("Time is up. Run it again to go on.")
            sys.exit(3)
        if cursor.left:
            sys.exit(1)
