import json
import signal
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from photos.models import Photo
from photos.moving import MoveReport, move, originals_of_all, renditions_of_all, storages_of

KINDS = ("filesystem", "s3")
USAGE = 2
LISTED = 50


class Command(BaseCommand):
    help = (
        "Copy all originals (and renditions) from one kind of storage to the other, verified by SHA-256, "
        "while Chitra runs. Nothing is removed. Then set CHITRA_STORAGE, restart, and run it once more for "
        "what came meanwhile. Exit codes: 0 all copied, 1 something failed, 2 usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="source", choices=KINDS, required=True)
        parser.add_argument("--to", dest="target", choices=KINDS, required=True)
        parser.add_argument("--without-renditions", action="store_true", help="have them made anew instead")
        parser.add_argument("--deep", action="store_true", help="read again what a run before has copied")
        parser.add_argument("--parallel", type=int, default=4, choices=range(1, 17), metavar="1-16")
        parser.add_argument("--dry-run", action="store_true", help="count what is to be copied, copy nothing")
        parser.add_argument("--report", metavar="FILE", help="write a JSON report")

    def handle(self, *args: Any, source: str, target: str, **options: Any) -> None:
        if source == target:
            raise CommandError("--from and --to are the same storage.", returncode=USAGE)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        here, there = storages_of(settings.STORAGE_KINDS[source]), storages_of(settings.STORAGE_KINDS[target])
        if options["dry_run"]:
            self.stdout.write(
                f"{Photo.objects.count()} originals would be compared and copied where missing."
            )
            return
        failed = 0
        reports: dict[str, Any] = {}
        for name, items, pair in (
            ("originals", originals_of_all(), (here[0], there[0])),
            ("renditions", renditions_of_all(here[1]), (here[1], there[1])),
        ):
            if name == "renditions" and options["without_renditions"]:
                continue
            report = self.run(name, items, *pair, deep=options["deep"], parallel=options["parallel"])
            reports[name] = {**report.counts, "listed": report.failed}
            failed += len(report.failed)
            self.stdout.write(f"{name}: {report.summary()}.")
            for key, reason in report.failed[:LISTED]:
                self.stdout.write(f"  {key}: {reason}")
        if options["report"]:
            Path(options["report"]).write_text(
                json.dumps(reports, indent=1, ensure_ascii=False), encoding="utf-8"
            )
        if failed:
            raise CommandError(
                f"{failed} objects failed. Look at the reasons, then run the same command again."
            )
        self.stdout.write(f"Now set CHITRA_STORAGE={target}, restart, and run the same command once more.")

    def run(self, name: str, items: Any, source: Any, target: Any, **options: Any) -> MoveReport:
        total = Photo.objects.count() if name == "originals" else None
        with tqdm(total=total, unit="object", desc=name.capitalize(), disable=None, file=sys.stderr) as bar:
            try:
                return move(items, source, target, **options, on_progress=lambda copied: bar.update(1))
            except KeyboardInterrupt:
                raise CommandError(
                    "Stopped. Run the same command again: it goes on where it stopped."
                ) from None
            except OSError as error:
                reason = error.strerror or error
                raise CommandError(
                    f"A storage failed: {reason}. Run the same command again to go on."
                ) from None
