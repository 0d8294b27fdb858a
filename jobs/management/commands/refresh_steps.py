from typing import Any

from django.core.management.base import BaseCommand

from jobs.queue import enqueue
from jobs.steps import all_steps


class Command(BaseCommand):
    help = "Have the workers look for photos whose steps were done by an older version or another model."

    def handle(self, *args: Any, **options: Any) -> None:
        for step in all_steps():
            enqueue("jobs.tasks.refresh_step", step.name, cluster=step.cluster)
