import signal
import sys
from argparse import ArgumentParser
from contextlib import ExitStack
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from tqdm import tqdm

from chitra.legacy.accounts import DEFAULT_DOMAIN
from chitra.legacy.files import FileSource, LocalRoot, SourceUnavailable
from chitra.legacy.ftp import FtpSource
from chitra.legacy.migrate import Busy, DifferentDatabase, Migration
from chitra.legacy.models import LegacySystem
from chitra.legacy.options import USAGE, add_source_arguments, open_source
from chitra.legacy.report import migration_report, migration_table, undecided_failures, write_report
from chitra.legacy.source import LegacyDatabase
from chitra.legacy.transfer import Mover, Peeker
from chitra.legacy.waiting import is_read_through, waiting
from photos.services import StorageUnavailable, library_for_import
from photos.storages import originals


class Command(BaseCommand):
    help = (
        "Move the library of the legacy photo server here: database and files. The source is only read; run "
        "it again to go on where it stopped. Exit codes: 0 everything has a decided outcome, 1 something "
        "failed, 2 usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_source_arguments(parser)
        parser.add_argument("--user", metavar="EMAIL", help="whose library; default: the first account's")
        parser.add_argument(
            "--email-domain", default=DEFAULT_DOMAIN, help="for users without an e-mail address"
        )
        parser.add_argument("--dry-run", action="store_true", help="decide and report, keep nothing")
        parser.add_argument(
            "--originals-later",
            action="store_true",
            help="read the files and write all rows, but leave the files on the FTP server of "
            "CHITRA_LEGACY_FTP_HOST, from where they are copied on first use or by a run without this",
        )

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with ExitStack() as stack:
            database, files, roots = open_source(stack, options)
            if options["originals_later"]:
                check_read_through(files)
            if dry_run:
                with transaction.atomic():
                    self.migrate(database, files, options, dry_mover(files, roots), is_dry=True)
                    transaction.set_rollback(True)
            else:
                self.migrate(
                    database,
                    files,
                    options,
                    Mover(files, originals(), local_roots=roots, leaves=options["originals_later"]),
                    is_dry=False,
                )

    def migrate(
        self, database: LegacyDatabase, files: FileSource, options: dict[str, Any], move: Any, *, is_dry: bool
    ) -> None:
        system, owner = find_system(options)
        rows = database.counts()
        with tqdm(total=rows["photos"], unit="photo", desc="Migrating", disable=None, file=sys.stderr) as bar:
            migration = Migration(
                system=system,
                database=database,
                files=files,
                move=move,
                storage=None if is_dry else originals(),
                owner=owner,
                email_domain=options["email_domain"],
                parallel=options["parallel"],
                originals_later=is_dry or options["originals_later"],
                on_progress=bar.update,
            )
            stopped = run(migration)
        report = migration_report(system, schema=database.schema, rows=rows, files=migration.file_counts)
        failures = undecided_failures(system)
        if options["report"]:
            write_report(options["report"], {**report, "dry_run": is_dry, "stopped": stopped})
        self.stdout.write("\n".join(migration_table(report["outcomes"])))
        if stopped:
            raise CommandError(stopped)
        if failures:
            raise CommandError(f"{failures} rows or files failed for now. Run the same command again.")
        if is_dry:
            self.stdout.write("Nothing was written.")
        elif not (left := waiting(system)):
            self.stdout.write("Done. verify_migration proves it.")
        elif options["originals_later"]:
            self.stdout.write(
                f"{left} originals are on the old server only. Run it without --originals-later."
            )
        else:
            raise CommandError(f"{left} originals are gone or changed on the old server. Health counts them.")


def find_system(options: dict[str, Any]) -> tuple[LegacySystem, Any]:
    """The system of this name; at first its library is chosen like that of an import, later it stays."""
    try:
        known = LegacySystem.objects.filter(name=options["name"]).first()
        if known is not None and options["user"] is None:
            return known, None
        library, owner = library_for_import(options["user"])
    except LookupError as error:
        raise CommandError(str(error), returncode=USAGE) from None
    if known is not None:
        if known.library_id != library.pk:
            raise CommandError(
                "This system was migrated to another library before. Give it another --name.", returncode=2
            )
        return known, owner
    return LegacySystem.objects.create(name=options["name"], library=library), owner


def check_read_through(files: FileSource) -> None:
    """Raises CommandError when nobody could see the originals meanwhile."""
    if not isinstance(files, FtpSource) or not is_read_through(originals(), files.address):
        raise CommandError(
            "--originals-later needs --ftp, and CHITRA_LEGACY_FTP_HOST, _PORT and _BASE of the same server.",
            returncode=USAGE,
        )


def run(migration: Migration) -> str:
    """Run it; the returned sentence says why it stopped early, "" when it did not."""
    try:
        migration.run()
    except (SourceUnavailable, StorageUnavailable) as error:
        return f"{error.strerror or error} Run the same command again to go on."
    except KeyboardInterrupt:
        return "Stopped. Run the same command again: it goes on where it stopped."
    except Busy as error:
        return str(error)
    except DifferentDatabase as error:
        raise CommandError(str(error), returncode=USAGE) from None
    return ""


def dry_mover(files: FileSource, roots: list[LocalRoot]) -> Peeker:
    try:
        return Peeker({file.key: file.size for file in files.files()}, roots)
    except SourceUnavailable as error:
        raise CommandError(str(error)) from None
