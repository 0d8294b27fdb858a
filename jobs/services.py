"""Jobs somebody asked for: start, progress, cancel, retry; and telling the pages."""

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.module_loading import import_string

from jobs import ledger
from jobs.events import publish
from jobs.models import Job, StepStatus
from jobs.progress import finished
from jobs.queue import Cluster, enqueue
from jobs.runner import JOB_ATTEMPTS, JOB_LEASE, Cancelled, end_job
from jobs.steps import Step, StepResult, all_steps

CANCELLED = "Cancelled; results of an earlier run are kept."
PROCESS_GONE = "The process that worked on it is gone. Start it again; what was done is kept."
WORKER_GONE = "The worker stopped while it was at this job, {attempt} times."


def start_job(
    *,
    kind: str,
    function: str,
    arguments: dict[str, Any],
    library_id: int | None,
    user: Any,
    cluster: Cluster,
) -> Job:
    """Queue `function(job, **arguments)`, a dotted name; row and queue entry are written together."""
    with transaction.atomic():
        job = Job.objects.create(
            kind=kind,
            library_id=library_id,
            created_by=user,
            arguments={"function": function, "cluster": cluster, "with": arguments},
            lease_until=timezone.now() + JOB_LEASE,
        )
        enqueue("jobs.tasks.run_job", str(job.pk), cluster=cluster)
    return job


def report(
    job: Job, *, done: int, total: int | None = None, failed: int = 0, message: str = "", result: Any = None
) -> None:
    """Set a running job's progress. Raises Cancelled when somebody cancelled it or another worker has it.

    `result` is what it came to so far, for the attempt that goes on from here if this one dies.
    """
    values: dict[str, Any] = {"done": done, "failed": failed, "lease_until": timezone.now() + JOB_LEASE}
    if total is not None:
        values["total"] = total
    if message:
        values["message"] = message
    if result is not None:
        values["result"] = result
    if not Job.objects.filter(pk=job.pk, attempt=job.attempt, ended_at__isnull=True).update(**values):
        raise Cancelled
    publish(job.library_id, "job", id=str(job.pk), done=done, total=total or job.total)


def cancel_job(job: Job) -> bool:
    """Stop a job: what has not begun is not begun. False when it had ended."""
    with transaction.atomic():  # rows before the job, in the order in which workers lock them
        ledger.ledger().filter(job=job, status=StepStatus.PENDING).update(
            status=StepStatus.SKIPPED, error=CANCELLED, finished_at=timezone.now(), job=None
        )
        cancelled = Job.objects.filter(pk=job.pk, ended_at__isnull=True).update(
            status=Job.Status.CANCELED, ended_at=timezone.now(), lease_until=None
        )
    publish(job.library_id, "job", id=str(job.pk), status=Job.Status.CANCELED)
    return bool(cancelled)


def revive_jobs() -> int:
    """Queue jobs again whose worker went silent; after JOB_ATTEMPTS they fail. Returns how many were silent.

    A job without a task (an import from the command line) fails at once: only a person can start it again.
    """
    silent = list(Job.objects.filter(ended_at__isnull=True, lease_until__lt=timezone.now())[:100])
    for job in silent:
        if "function" not in job.arguments:
            end_job(job, status=Job.Status.FAILED, error=PROCESS_GONE)
        elif job.attempt - job.arguments.get("last_slice", 0) >= JOB_ATTEMPTS:
            end_job(job, status=Job.Status.FAILED, error=WORKER_GONE.format(attempt=job.attempt))
        else:
            queue_again(job)
    return len(silent)


def queue_again(job: Job) -> None:
    """Give a job to the next worker that is free."""
    with transaction.atomic():
        waiting = Job.objects.filter(pk=job.pk, attempt=job.attempt, ended_at__isnull=True)
        waiting.update(status=Job.Status.QUEUED, lease_until=timezone.now() + JOB_LEASE)
        enqueue("jobs.tasks.run_job", str(job.pk), cluster=job.arguments["cluster"])


def interrupt_jobs() -> None:
    """No worker is running: what workers were at goes on with the next sweep, not when the lease is over."""
    begun = Job.objects.filter(status=Job.Status.STARTED, lease_until__isnull=False)
    begun.filter(arguments__has_key="function").update(lease_until=timezone.now())


def go_on_later(job: Job) -> None:
    """The end of a slice of a long job, so that others have a turn; failed attempts count from here."""
    arguments = job.arguments | {"last_slice": job.attempt}
    with transaction.atomic():
        Job.objects.filter(pk=job.pk, attempt=job.attempt).update(arguments=arguments)
        queue_again(job)


def finish_settled_jobs() -> int:
    """End jobs over ledger rows that wait for nothing: their last photos were deleted. Returns how many."""
    waiting = ledger.ledger().filter(job=OuterRef("pk"), status__in=[StepStatus.PENDING, StepStatus.RUNNING])
    over_rows = Job.objects.filter(status=Job.Status.STARTED, lease_until__isnull=True)
    return over_rows.exclude(Exists(waiting)).update(**finished())


def run_step_again(*, kind: str, rows: QuerySet[Any], library_id: int | None, user: Any) -> Job | None:
    """A job over ledger rows: they become pending, and it ends with the last of them. None for no rows."""
    with transaction.atomic():
        job = Job.objects.create(
            kind=kind,
            library_id=library_id,
            created_by=user,
            status=Job.Status.STARTED,
            started_at=timezone.now(),
        )
        job.total = ledger.reset(rows, job=job)
        if not job.total:
            job.delete()
            return None
        job.save(update_fields=["total"])
    return job


def retry_job(job: Job, *, user: Any) -> Job | None:
    """A new job over the rows that failed in one that has ended, or with its function once more.

    None when nothing is left to do. An import from the command line can only be started again there.
    """
    if not job.has_ended:
        return None
    if "function" not in job.arguments:
        rows = ledger.ledger().filter(job=job, status=StepStatus.FAILED)
        return run_step_again(kind=job.kind, rows=rows, library_id=job.library_id, user=user)
    if job.status == Job.Status.FINISHED:
        return None
    return start_job(
        kind=job.kind,
        function=job.arguments["function"],
        arguments=job.arguments["with"],
        library_id=job.library_id,
        user=user,
        cluster=job.arguments["cluster"],
    )


def announce_step(step: Step, results: Mapping[int, StepResult]) -> None:
    """Tell the pages which photos a step has just finished."""
    if not results:
        return
    find_libraries: Callable[[list[int]], dict[int, int]] = import_string(settings.LEDGER_LIBRARIES)
    by_library: dict[int, list[int]] = {}
    for photo_id, library_id in find_libraries(list(results)).items():
        by_library.setdefault(library_id, []).append(photo_id)
    for library_id, photo_ids in by_library.items():
        publish(library_id, "step", step=step.name, photos=photo_ids)


def step_counts(rows: QuerySet[Any]) -> dict[str, dict[str, int]]:
    """How many of these ledger rows are in each status, by step in the order of PHOTO_STEPS."""
    counts: dict[str, dict[str, int]] = {
        step.name: {status.value: 0 for status in StepStatus} for step in all_steps()
    }
    for name, status, count in rows.values_list("step", "status").annotate(n=Count("pk")).order_by():
        if name in counts:
            counts[name][status] = count
    return counts
