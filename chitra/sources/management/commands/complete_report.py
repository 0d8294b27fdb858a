import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chitra.sources.resembling import complete

EVERY_SECONDS = 5


class Command(BaseCommand):
    help = (
        "Write into a report of import_photos which of the imported photos look like others of the library, "
        "as far as they have been processed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("report", metavar="FILE", help="what import_photos --report wrote")
        parser.add_argument("--wait", action="store_true", help="until all of the photos are processed")

    def handle(self, *args: Any, report: str, wait: bool, **options: Any) -> None:
        try:
            found, waiting = complete(Path(report))
            while wait and waiting:
                time.sleep(EVERY_SECONDS)
                found, waiting = complete(Path(report))
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise CommandError(f"{report} is no report that can be read and written: {error}") from None
        self.stdout.write(f"{found} photos look like others; {waiting} are still being compared.")
