from typing import Any

from django.core.management.base import BaseCommand

from chitra.sources.stopping import stop_signals
from chitra.sources.watching import watch


class Command(BaseCommand):
    help = "Watch the folders that are to be watched, and start a scan when something changes, until Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        with stop_signals() as stop:
            watch(stop)
