import sys
from argparse import ArgumentParser
from contextlib import ExitStack
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from chitra.legacy.files import SourceUnavailable
from chitra.legacy.models import LegacySystem
from chitra.legacy.options import USAGE, add_source_arguments, open_source
from chitra.legacy.report import verification_report, verification_table, write_report
from chitra.legacy.verify import Findings, Verification
from photos.storages import originals

LISTED = 50


class Command(BaseCommand):
    help = (
        "Read the legacy system and what was migrated again, every byte, and account for every row and file. "
        "Exit codes: 0 nothing differs but by a decided outcome, 1 something differs, 2 usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_source_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        system = LegacySystem.objects.filter(name=options["name"]).first()
        if system is None:
            raise CommandError(f"No system {options['name']} was migrated yet.", returncode=USAGE)
        with ExitStack() as stack:
            database, files, roots = open_source(stack, options)
            total = database.counts()["photos"]
            bar = stack.enter_context(
                tqdm(total=total, unit="photo", desc="Verifying", disable=None, file=sys.stderr)
            )
            verification = Verification(
                system=system,
                database=database,
                files=files,
                storage=originals(),
                local_roots=roots,
                parallel=options["parallel"],
                on_progress=bar.update,
            )
            try:
                findings = verification.run()
            except SourceUnavailable as error:
                raise CommandError(str(error)) from None
        if options["report"]:
            write_report(options["report"], verification_report(system, findings))
        self.print_findings(findings)

    def print_findings(self, findings: Findings) -> None:
        self.stdout.write("\n".join(verification_table(findings)))
        self.stdout.write(
            f"{findings.equal_digests} files equal by SHA-1 and SHA-256, {findings.bytes_read:,} bytes read."
        )
        for difference in findings.differences[:LISTED]:
            self.stdout.write(f"  different: {difference}")
        if findings.differences:
            raise CommandError(f"{len(findings.differences)} differences.")
        self.stdout.write("Every row and file is accounted for.")
