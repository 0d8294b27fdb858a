from django.apps import AppConfig
from django.core.checks import register
from django.db.models.signals import post_migrate


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        from jobs import checks, queue

        register(checks.check_steps)
        post_migrate.connect(queue.ensure_schedule, sender=self)
