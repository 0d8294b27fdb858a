"""Jobs over ledger rows: they advance as rows end, and finish with the last one."""

from collections import Counter
from typing import Any

from django.db.models import F, Func, JSONField
from django.utils import timezone

from jobs.events import publish
from jobs.models import Job


def advance_jobs(done: Counter[Any], failed: Counter[Any]) -> None:
    """Count items of jobs as done (of them `failed` ones) by job id; None is nobody's.

    Always in the same order, so that two transactions that advance the same jobs do not wait for each other.
    """
    for job_id in sorted((job_id for job_id in done if job_id is not None), key=str):
        advance_job(job_id, done=done[job_id], failed=failed[job_id])


def advance_job(job_id: Any, *, done: int, failed: int = 0) -> None:
    """Count `done` more items, finish the job when all are, and tell the pages."""
    job = Job.objects.filter(pk=job_id, ended_at__isnull=True)
    if not job.update(done=F("done") + done, failed=F("failed") + failed):
        return
    job.filter(done__gte=F("total")).update(**finished())
    row = Job.objects.get(pk=job_id)
    publish(row.library_id, "job", id=str(row.pk), status=row.status, done=row.done, total=row.total)


def finished() -> dict[str, Any]:
    """The columns of a job that is over: its result is how many items succeeded."""
    return {
        "status": Job.Status.FINISHED,
        "ended_at": timezone.now(),
        "result": Func(F("done") - F("failed"), function="to_jsonb", output_field=JSONField()),
    }
