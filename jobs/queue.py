"""The queue, and the only module that knows which library it is. Tasks are wake-ups: the ledger holds the work."""

from datetime import timedelta
from typing import Any, Literal

from django.db import connection, transaction
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from django_q.status import Stat
from django_q.tasks import async_task

from jobs.models import StepWake
from jobs.steps import get_step

LOST_AFTER = timedelta(minutes=5)

Cluster = Literal["default", "ml"]


def enqueue(function: str, *arguments: Any, cluster: Cluster = "default") -> None:
    """Queue a call of the dotted `function`; inside a transaction it is queued with the transaction."""
    async_task(function, *arguments, cluster=cluster, save=False)


def wake(*steps: str) -> None:
    """Have each step drained soon, after the open transaction commits. Costs little when a drain is queued already."""
    for step in steps:
        transaction.on_commit(lambda step=step: request_drain(step))  # type: ignore[misc]


def request_drain(step: str) -> None:
    """Queue one drain of `step` unless one is queued that has not begun."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO jobs_stepwake (step, requested_at) VALUES (%s, now()) ON CONFLICT DO NOTHING", [step]
        )
        if cursor.rowcount:
            enqueue("jobs.tasks.drain", step, cluster=get_step(step).cluster)


def forget_wake(step: str) -> None:
    """A drain begins: from here on a new wake-up queues another one."""
    StepWake.objects.filter(step=step).delete()


def forget_lost_wakes() -> None:
    """A wake-up that no drain followed within LOST_AFTER was lost with its task."""
    StepWake.objects.filter(requested_at__lt=timezone.now() - LOST_AFTER).delete()


def ensure_schedule(**kwargs: Any) -> None:
    """Have the sweep run every minute (after each migrate)."""
    Schedule.objects.update_or_create(
        func="jobs.tasks.sweep",
        defaults={
            "name": "sweep",
            "schedule_type": Schedule.MINUTES,
            "minutes": 1,
            "repeats": -1,
            "cluster": "default",
        },
    )


def waiting_tasks() -> int:
    """Queued tasks that no worker holds."""
    return OrmQ.objects.filter(lock__lte=timezone.now()).count()


def running_clusters() -> list[str]:
    """Names of the worker clusters that reported in the last seconds, for health."""
    return sorted(f"{stat.cluster_id}: {stat.status}" for stat in Stat.get_all())
