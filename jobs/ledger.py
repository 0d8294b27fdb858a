"""The ledger: which step of which photo is to be done, and the truth about how it went.

Rows are claimed with a lease and recorded only by the attempt that holds it, so a worker that was thought dead
cannot overwrite its successor. All functions are short transactions on LEDGER_MODEL.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from jobs.models import Job, StepRun, StepStatus, advance_job
from jobs.queue import wake
from jobs.steps import Step, StepResult, all_steps, get_step, steps_after

MAX_ATTEMPTS = 3
LEASE_SECONDS = 60
BACKOFF_SECONDS = (30, 300)  # before the second and the third attempt
WORKER_DIED = "The worker stopped while it was at this photo, {attempt} times. Retry the step, or look at the file."


@dataclass(frozen=True)
class Claim:
    """A row that this worker holds: `attempt` is its ticket."""

    row_id: int
    subject_id: int
    attempt: int
    job_id: Any


def ledger() -> QuerySet[Any]:
    """All rows of the concrete ledger."""
    return apps.get_model(settings.LEDGER_MODEL)._default_manager.all()


def subject_column() -> str:
    model: type[StepRun] = apps.get_model(settings.LEDGER_MODEL)
    return f"{model.subject_field}_id"


def plan(subject_ids: Iterable[int], *, job: Job | None = None) -> None:
    """Put every step of new subjects into the ledger; a row that is there stays as it is."""
    model = apps.get_model(settings.LEDGER_MODEL)
    now = timezone.now()
    model._default_manager.bulk_create(
        [
            model(**{subject_column(): pk}, step=step.name, ready_at=None if step.after else now, job=job)
            for pk in subject_ids
            for step in all_steps()
        ],
        ignore_conflicts=True,
        batch_size=1000,
    )
    wake(*(step.name for step in all_steps() if step.after is None))


def claim(step: Step, *, limit: int) -> list[Claim]:
    """Take up to `limit` ready rows for LEASE_SECONDS, oldest first.

    A row begun before is taken alone: if it is what kills workers, it takes nobody else with it.
    """
    column = subject_column()
    version = step.version()
    now = timezone.now()
    with transaction.atomic():
        ready = ledger().filter(step=step.name, status=StepStatus.PENDING, ready_at__lte=now)
        rows = list(ready.order_by("ready_at", "id").select_for_update(skip_locked=True)[:limit])
        rows = rows[:1] if rows and rows[0].attempt else [row for row in rows if not row.attempt]
        ledger().filter(pk__in=[row.pk for row in rows]).update(
            status=StepStatus.RUNNING,
            attempt=F("attempt") + 1,
            lease_until=now + timedelta(seconds=LEASE_SECONDS),
            version=version,
        )
    return [Claim(row.pk, getattr(row, column), row.attempt + 1, row.job_id) for row in rows]


def renew(claims: Sequence[Claim]) -> None:
    """Hold the claimed rows for LEASE_SECONDS more."""
    until = timezone.now() + timedelta(seconds=LEASE_SECONDS)
    ledger().filter(pk__in=[claim.row_id for claim in claims], status=StepStatus.RUNNING).update(lease_until=until)


def record(
    step: Step, claims: Sequence[Claim], results: Mapping[int, StepResult], *, duration_ms: int = 0
) -> None:
    """Write how the claimed rows ended and make ready what waited for them. `duration_ms` is the batch's time."""
    groups: dict[StepResult, list[Claim]] = {}
    for claim in claims:
        result = results.get(claim.subject_id, StepResult.skipped("The photo was deleted meanwhile."))
        groups.setdefault(result, []).append(claim)
    with transaction.atomic():
        for result, members in groups.items():
            _finish(step, members, result, duration_ms // max(1, len(claims)))


def _finish(step: Step, claims: Sequence[Claim], result: StepResult, duration_ms: int) -> None:
    held = _held(claims)
    ledger().filter(pk__in=[claim.row_id for claim in held]).update(
        status=result.status,
        error=result.reason,
        duration_ms=duration_ms,
        finished_at=timezone.now(),
        lease_until=None,
    )
    _release_waiting(step, [claim.subject_id for claim in held], result)
    for job_id, count in Counter(claim.job_id for claim in held if claim.job_id).items():
        advance_job(job_id, done=count, failed=count if result.status == StepStatus.FAILED else 0)


def _held(claims: Sequence[Claim]) -> list[Claim]:
    """The claims whose rows are still ours, locked: same attempt, still running."""
    rows = ledger().filter(pk__in=[claim.row_id for claim in claims], status=StepStatus.RUNNING)
    attempts = dict(rows.order_by("pk").select_for_update().values_list("pk", "attempt"))
    return [claim for claim in claims if attempts.get(claim.row_id) == claim.attempt]


def _release_waiting(step: Step, subject_ids: Sequence[int], result: StepResult) -> None:
    """What waits for `step` becomes ready, or is skipped for good reason when there is nothing to read."""
    for next_step in steps_after(step.name):
        waiting = ledger().filter(step=next_step.name, ready_at__isnull=True).filter(
            **{f"{subject_column()}__in": subject_ids}
        )
        if result.status == StepStatus.DONE:
            waiting.update(status=StepStatus.PENDING, ready_at=timezone.now(), error="")
            wake(next_step.name)
        else:
            skipped = StepResult.skipped(f"It needs “{step.title}”, which did not succeed.")
            waiting.update(status=skipped.status, error=skipped.reason, finished_at=timezone.now())
            _release_waiting(next_step, subject_ids, skipped)


def retry_later(step: Step, claim: Claim, reason: str) -> None:
    """An attempt went wrong: try again after a while, or end as failed when MAX_ATTEMPTS are used up."""
    if claim.attempt >= MAX_ATTEMPTS:
        record(step, [claim], {claim.subject_id: StepResult.failed(reason)})
        return
    ledger().filter(pk=claim.row_id, status=StepStatus.RUNNING, attempt=claim.attempt).update(
        status=StepStatus.PENDING, ready_at=next_attempt_at(claim.attempt), lease_until=None, error=reason
    )


def next_attempt_at(attempt: int) -> datetime:
    """When to begin again after `attempt` attempts."""
    return timezone.now() + timedelta(seconds=BACKOFF_SECONDS[min(attempt, len(BACKOFF_SECONDS)) - 1])


def release_expired() -> int:
    """Rows whose worker went silent become pending again, or failed after MAX_ATTEMPTS. Returns how many."""
    column = subject_column()
    expired = list(ledger().filter(status=StepStatus.RUNNING, lease_until__lt=timezone.now())[:1000])
    for row in expired:
        claim = Claim(row.pk, getattr(row, column), row.attempt, row.job_id)
        if row.attempt >= MAX_ATTEMPTS:
            failed = StepResult.failed(WORKER_DIED.format(attempt=row.attempt))
            record(get_step(row.step), [claim], {claim.subject_id: failed})
        else:
            ledger().filter(pk=row.pk, status=StepStatus.RUNNING, attempt=row.attempt).update(
                status=StepStatus.PENDING, ready_at=timezone.now(), lease_until=None
            )
    return len(expired)


def ready_steps() -> list[str]:
    """Names of the steps that have something to do now."""
    now = timezone.now()
    return [
        step.name
        for step in all_steps()
        if ledger().filter(step=step.name, status=StepStatus.PENDING, ready_at__lte=now).exists()
    ]


def add_missing(step: Step) -> int:
    """A step new to PHOTO_STEPS: photos of before get their row of it. Returns how many."""
    column = subject_column()
    have = ledger().filter(step=step.name).values(column)
    missing = list(ledger().exclude(**{f"{column}__in": have}).values_list(column, flat=True).distinct())
    model = apps.get_model(settings.LEDGER_MODEL)
    rows = [model(**{column: pk}, step=step.name) for pk in missing]
    model._default_manager.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
    return reset(ledger().filter(step=step.name, **{f"{column}__in": missing}))


def make_stale_pending(step: Step) -> int:
    """A new version of the step's code or model: rows done or skipped by another one become pending again."""
    ended = ledger().filter(step=step.name, status__in=[StepStatus.DONE, StepStatus.SKIPPED])
    return reset(ended.exclude(version=step.version()).exclude(ready_at__isnull=True))


def reset(rows: QuerySet[Any], *, job: Job | None = None) -> int:
    """Make these rows of the ledger pending anew (for `job`). Returns how many; running ones are left alone.

    A row whose step before it has not succeeded waits for that one.
    """
    with transaction.atomic():
        chosen = list(rows.exclude(status=StepStatus.RUNNING).select_for_update().values_list("pk", "step", "job_id"))
        _leave_jobs(chosen)
        for step in all_steps():
            pks = [pk for pk, name, _ in chosen if name == step.name]
            if pks:
                _reset_step(step, pks, job)
    return len(chosen)


def _reset_step(step: Step, pks: list[int], job: Job | None) -> None:
    fresh = {"status": StepStatus.PENDING, "attempt": 0, "error": "", "lease_until": None, "job": job}
    column = subject_column()
    ledger().filter(pk__in=pks).update(**fresh, ready_at=timezone.now())
    if step.after is not None:
        ready = ledger().filter(step=step.after, status=StepStatus.DONE).values(column)
        ledger().filter(pk__in=pks).exclude(**{f"{column}__in": ready}).update(ready_at=None)
    wake(step.name)


def _leave_jobs(chosen: Iterable[tuple[int, str, Any]]) -> None:
    """Unfinished jobs that counted on these rows must not wait for them."""
    unfinished = ledger().filter(pk__in=[pk for pk, _, job_id in chosen if job_id], status=StepStatus.PENDING)
    for job_id, count in Counter(unfinished.values_list("job_id", flat=True)).items():
        advance_job(job_id, done=count)
