from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from jobs.queue import release_tasks
from jobs.services import interrupt_jobs


class Command(BaseCommand):
    help = (
        "Before a start: migrate, free what the last run took from the queue, make the first account "
        "if the environment names one, find stale steps."
    )
    requires_system_checks: tuple[str, ...] = ()  # `migrate` checks

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--alone", action="store_true", help="no worker is running, here or elsewhere")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=options["verbosity"])
        release_tasks()
        if options["alone"]:
            interrupt_jobs()
        call_command("set_up_account")
        call_command("refresh_steps")
