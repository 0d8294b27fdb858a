"""`manage.py date_doctor`: wrong dates, and what they would become."""

from argparse import ArgumentParser
from typing import Any, get_args

from django.core.management.base import BaseCommand

from photos.date_doctor import carry_out, proposals
from photos.dates.date_finder import Kind, Proposal
from photos.models import Library

SHOWN = 3


class Command(BaseCommand):
    help = "Find wrong dates; --apply corrects them. What it corrects can be undone on the page of dates."

    def add_arguments(self, parser: ArgumentParser) -> None:
        chosen = parser.add_mutually_exclusive_group()
        chosen.add_argument("--dry-run", action="store_true", help="only show (the default)")
        chosen.add_argument("--apply", action="store_true", help="correct what is found")
        parser.add_argument("--kind", choices=get_args(Kind), action="append", help="only these faults")
        parser.add_argument("--library", type=int, help="only the library with this id")

    def handle(self, *args: Any, **options: Any) -> None:
        libraries = Library.objects.order_by("pk")
        if options["library"] is not None:
            libraries = libraries.filter(pk=options["library"])
        count = 0
        for library in libraries:
            for proposal in proposals(library):
                if options["kind"] and proposal.kind not in options["kind"]:
                    continue
                count += len(proposal.moves)
                self.describe(library, proposal)
                if options["apply"]:
                    edit = carry_out(library=library, proposal=proposal, actor=None)
                    self.stdout.write(f"  corrected, edit {edit.pk}")
        verb = "corrected" if options["apply"] else "would be corrected"
        self.stdout.write(f"{count} photos {verb}.")

    def describe(self, library: Library, proposal: Proposal) -> None:
        self.stdout.write(f"{library}: {proposal.reason} {len(proposal.moves)} photos ({proposal.kind})")
        for move in proposal.moves[:SHOWN]:
            self.stdout.write(f"  photo {move.pk}: {move.before} → {move.after}")
        if len(proposal.moves) > SHOWN:
            self.stdout.write(f"  … and {len(proposal.moves) - SHOWN} more")
