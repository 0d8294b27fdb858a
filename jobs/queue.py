"""The queue; the only module to know which library it is. Tasks are wake-ups, the ledger holds the work."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal, get_args

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from django_q.tasks import async_task

from jobs.models import StepWake
from jobs.prepared import prepared_cursor
from jobs.steps import get_step

LOST_AFTER = timedelta(minutes=5)
SILENT_AFTER = timedelta(minutes=1)  # a running cluster is at most some seconds late

Cluster = Literal["default", "ml", "video"]
CLUSTERS: tuple[Cluster, ...] = get_args(Cluster)


def enqueue(function: str, *arguments: Any, cluster: Cluster = "default") -> None:
    """Queue a call of the dotted `function`; inside a transaction it is queued with the transaction."""
    async_task(function, *arguments, cluster=cluster, save=False)


def wake(*steps: str) -> None:
    """Have each step drained soon after the open transaction commits. Cheap when one is queued already."""
    # Robust: the rows are committed by then, and a wake-up that is lost is made up for by the sweep.
    transaction.on_commit(lambda: request_drains(steps), robust=True)


def request_drains(steps: Sequence[str]) -> None:
    """Queue a drain of each step unless one is queued that has not begun: mostly one is."""
    with prepared_cursor() as cursor:
        cursor.execute("SELECT step FROM jobs_stepwake WHERE step = ANY(%s)", [list(steps)])
        queued = {step for (step,) in cursor.fetchall()}
    for step in steps:
        if step not in queued:
            request_drain(step)


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
    """After each migrate: each cluster sweeps each minute, its sign of life; MINUTE_TASKS too."""
    for cluster in CLUSTERS:
        Schedule.objects.update_or_create(
            name=f"sweep-{cluster}",
            defaults={
                "func": "jobs.tasks.sweep",
                "schedule_type": Schedule.MINUTES,
                "minutes": 1,
                "repeats": -1,
                "cluster": cluster,
            },
        )

    for function in settings.MINUTE_TASKS:
        Schedule.objects.update_or_create(
            name=f"minute-{function}",
            defaults={
                "func": function,
                "schedule_type": Schedule.MINUTES,
                "minutes": 1,
                "repeats": -1,
                "cluster": "default",
            },
        )
    for function in settings.DAILY_TASKS:
        Schedule.objects.update_or_create(
            name=f"daily-{function}",
            defaults={"func": function, "schedule_type": Schedule.DAILY, "repeats": -1, "cluster": "default"},
        )


def release_tasks() -> int:
    """At a start: what workers that are gone had taken from the queue and not begun is free at once.

    Else it would wait until the queue gives it out again, some ten minutes. A task that a worker on another
    machine holds may be done twice, which does no harm: the ledger and the jobs know who is at what.
    """
    return int(OrmQ.objects.filter(lock__gt=timezone.now()).update(lock=timezone.now()))


def waiting_tasks() -> int:
    """Queued tasks that no worker holds."""
    return int(OrmQ.objects.filter(lock__lte=timezone.now()).count())


def silent_clusters() -> list[str]:
    """Clusters of which no worker process, on any machine, has looked at its schedule lately; for health."""
    overdue = Schedule.objects.filter(func="jobs.tasks.sweep", next_run__lt=timezone.now() - SILENT_AFTER)
    scheduled = set(Schedule.objects.filter(func="jobs.tasks.sweep").values_list("cluster", flat=True))
    return sorted({*overdue.values_list("cluster", flat=True), *(set(CLUSTERS) - scheduled)})
