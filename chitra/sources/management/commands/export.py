import sys
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from chitra.sources.exporting import BadTarget, export_library
from chitra.sources.stopping import Stopped, stop_signals
from photos.services import library_for_import
from photos.storages.errors import StorageUnavailable

LISTED = 50


class Command(BaseCommand):
    help = (
        "Write a library into a folder: originals with XMP sidecars, and lists of people, albums and tags. "
        "import_photos reads it back. Run it again to go on where it stopped, or for what is new."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", help="an empty folder, or one of an earlier export")
        parser.add_argument("--user", metavar="EMAIL", help="whose library; default: the only or first one")

    def handle(self, *args: Any, path: str, user: str | None, **options: Any) -> None:
        try:
            library, _ = library_for_import(user)
            total = library.photos.filter(deleted_at__isnull=True).count()
            with (
                stop_signals() as stop,
                tqdm(total=total, unit="photo", disable=None, file=sys.stderr) as bar,
            ):

                def progress(counts: Counter[str]) -> None:
                    bar.update(sum(counts.values()) - bar.n)
                    if stop.is_set():
                        raise Stopped

                counts, failures = export_library(library, Path(path), on_progress=progress)
        except (LookupError, BadTarget, StorageUnavailable) as error:
            raise CommandError(str(error)) from None
        except Stopped:
            raise CommandError("Stopped. Run the same command again: it goes on where it stopped.") from None
        except OSError as error:
            raise CommandError(f"{error.filename or path} cannot be written: {error.strerror}.") from None
        for name, reason in failures[:LISTED]:
            self.stdout.write(f"  {name}: {reason}")
        self.stdout.write(
            f"{counts['written']} written, {counts['there']} there already, {counts['failed']} failed."
        )
        if failures:
            sys.exit(1)
