"""The ledger: which step of which photo is to be done, and the truth about how it went.

Rows are claimed with a lease and recorded only by the attempt that holds it, so a worker that was thought
dead cannot overwrite its successor. All functions are short transactions on LEDGER_MODEL.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from jobs.models import Job, StepRun, StepStatus
from jobs.progress import advance_jobs
from jobs.queue import wake
from jobs.steps import Step, StepResult, all_steps, get_step, steps_after

MAX_ATTEMPTS = 3
BACKOFF_SECONDS = (30, 300)  # before the second and the third attempt
RELEASED_AT_ONCE = 1000
IDS_AT_ONCE = 10_000
WORKER_DIED = (
    "The worker stopped while it was at this photo, {attempt} times. Retry the step, or look at the file."
)


@dataclass(frozen=True)
class Claim:
    """A row that this worker holds: `attempt` is its ticket."""

    row_id: int
    subject_id: int
    attempt: int
    job_id: Any


def ledger() -> QuerySet[Any]:
    """All rows of the concrete ledger."""
    rows: QuerySet[Any] = apps.get_model(settings.LEDGER_MODEL)._default_manager.all()
    return rows


def subject_column() -> str:
    model: type[StepRun] = apps.get_model(settings.LEDGER_MODEL)
    return f"{model.subject_field}_id"


def plan(subject_ids: Iterable[int], *, job: Job | None = None) -> None:
    """Put every step of new subjects into the ledger; a row that is there stays as it is."""
    statement, parameters = planning("subject", job=job)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH subject AS (SELECT unnest(%s::bigint[]) AS id) {statement}",
            [list(subject_ids), *parameters],
        )
    wake_planned()


def planning(subjects: str, *, job: Job | None = None) -> tuple[str, list[Any]]:
    """What `plan` executes, with its parameters, to be part of the statement that makes the subjects.

    `subjects` names the relation that has their `id`. Call `wake_planned` after it.
    """
    table = connection.ops.quote_name(apps.get_model(settings.LEDGER_MODEL)._meta.db_table)
    steps = planned_steps()
    now = timezone.now()
    # Written out: model instances take four times as long, and this is part of every upload.
    statement = (
        f"INSERT INTO {table} "
        f"({subject_column()}, step, ready_at, job_id, status, attempt, version, error) "
        f"SELECT {subjects}.id, step, ready_at, %s::uuid, 'pending', 0, '', '' "
        f"FROM {subjects} CROSS JOIN unnest(%s::text[], %s::timestamptz[]) AS steps (step, ready_at) "
        "ON CONFLICT DO NOTHING"
    )
    ready_at = [None if step.after else now for step in steps]
    return statement, [job.pk if job else None, [step.name for step in steps], ready_at]


def planned_steps() -> list[Step]:
    """The steps that every new subject goes through."""
    return [step for step in all_steps() if not step.on_demand]


def wake_planned() -> None:
    """Have the first steps of new subjects drained."""
    wake(*(step.name for step in planned_steps() if step.after is None))


def request(step: Step, subject_ids: Iterable[int]) -> None:
    """Have a step that is on demand done for these subjects, anew when it was done before."""
    model = apps.get_model(settings.LEDGER_MODEL)
    ids = list(subject_ids)
    rows = [model(**{subject_column(): pk}, step=step.name) for pk in ids]
    model._default_manager.bulk_create(rows, ignore_conflicts=True)
    reset(ledger().filter(step=step.name, **{f"{subject_column()}__in": ids}))


def leave_out(subject_ids: Iterable[int], *, cluster: str, reason: str) -> None:
    """Skip the steps of a cluster for these subjects, and what waits for them, as if they had run.

    `reset` revives them; what waits is revived with the step that it waits for.
    """
    ids = list(subject_ids)
    left_out: set[str] = set()
    for step in all_steps():  # none stands before the one that it waits for
        waits = step.after in left_out
        if step.cluster != cluster and not waits:
            continue
        left_out.add(step.name)
        pending = ledger().filter(step=step.name, status=StepStatus.PENDING)
        pending.filter(**{f"{subject_column()}__in": ids}).update(
            status=StepStatus.SKIPPED,
            error=reason,
            version=step.version(),
            ready_at=None if waits else timezone.now(),
            finished_at=timezone.now(),
        )


def lease_end() -> datetime:
    """Until when a row taken or renewed now belongs to its worker."""
    return timezone.now() + timedelta(seconds=settings.LEDGER_LEASE_SECONDS)


def claim(step: Step, *, limit: int) -> list[Claim]:
    """Take up to `limit` ready rows for LEDGER_LEASE_SECONDS, oldest first.

    A row begun before is taken alone: if it is what kills workers, it takes nobody else with it.
    """
    column = subject_column()
    version = step.version()
    with transaction.atomic():
        ready = ledger().filter(step=step.name, status=StepStatus.PENDING, ready_at__lte=timezone.now())
        rows = list(ready.order_by("ready_at", "id").select_for_update(skip_locked=True)[:limit])
        rows = rows[:1] if rows and rows[0].attempt else [row for row in rows if not row.attempt]
        ledger().filter(pk__in=[row.pk for row in rows]).update(
            status=StepStatus.RUNNING,
            attempt=F("attempt") + 1,
            lease_until=lease_end(),
            version=version,
        )
    return [Claim(row.pk, getattr(row, column), row.attempt + 1, row.job_id) for row in rows]


def renew(claims: Sequence[Claim]) -> None:
    """Hold those of the claimed rows that are still ours for LEDGER_LEASE_SECONDS more."""
    ours = Q(pk__in=[])
    for claim in claims:
        ours |= Q(pk=claim.row_id, attempt=claim.attempt)
    ledger().filter(ours, status=StepStatus.RUNNING).update(lease_until=lease_end())


def record(
    step_name: str, claims: Sequence[Claim], results: Mapping[int, StepResult], *, duration_ms: int = 0
) -> None:
    """Write how the claimed rows ended, make ready what waited for them; `duration_ms` is of the batch."""
    with transaction.atomic():
        held = _held(claims)
        groups: dict[StepResult, list[Claim]] = {}
        for claim in held:
            result = results.get(claim.subject_id, StepResult.skipped("The photo was deleted meanwhile."))
            groups.setdefault(result, []).append(claim)
        done: Counter[Any] = Counter(claim.job_id for claim in held)
        failed: Counter[Any] = Counter()
        for result, members in groups.items():
            _finish(members, result, duration_ms // len(claims))
            done += _release_waiting(step_name, [claim.subject_id for claim in members], result)
            if result.status == StepStatus.FAILED:
                failed += Counter(claim.job_id for claim in members)
        advance_jobs(done, failed)


def _held(claims: Sequence[Claim]) -> list[Claim]:
    """The claims whose rows are still ours, locked: same attempt, still running."""
    rows = ledger().filter(pk__in=[claim.row_id for claim in claims], status=StepStatus.RUNNING)
    attempts = dict(rows.order_by("pk").select_for_update().values_list("pk", "attempt"))
    return [claim for claim in claims if attempts.get(claim.row_id) == claim.attempt]


def _finish(claims: Sequence[Claim], result: StepResult, duration_ms: int) -> None:
    ledger().filter(pk__in=[claim.row_id for claim in claims]).update(
        status=result.status,
        error=result.reason,
        duration_ms=duration_ms,
        finished_at=timezone.now(),
        lease_until=None,
    )


def _release_waiting(step_name: str, subject_ids: Sequence[int], result: StepResult) -> Counter[Any]:
    """What waits for the step becomes ready, or is skipped for good reason when there is nothing to read.

    Returns how many rows each job need not wait for any more.
    """
    settled: Counter[Any] = Counter()
    for next_step in steps_after(step_name):
        waiting = ledger().filter(
            step=next_step.name, ready_at__isnull=True, **{f"{subject_column()}__in": subject_ids}
        )
        if result.status == StepStatus.DONE:
            waiting.update(status=StepStatus.PENDING, ready_at=timezone.now(), error="")
            wake(next_step.name)
            continue
        settled += _jobs_waiting_for(waiting)
        skipped = StepResult.skipped(f"It needs “{get_step(step_name).title}”, which did not succeed.")
        waiting.update(status=skipped.status, error=skipped.reason, finished_at=timezone.now(), job=None)
        settled += _release_waiting(next_step.name, subject_ids, skipped)
    return settled


def _jobs_waiting_for(rows: QuerySet[Any]) -> Counter[Any]:
    """How many of these rows each job still counts on."""
    pending = rows.filter(status=StepStatus.PENDING, job__isnull=False)
    return Counter(pending.values_list("job_id", flat=True))


def retry_later(step_name: str, claim: Claim, reason: str) -> None:
    """An attempt went wrong: try again after a while, or end as failed when MAX_ATTEMPTS are used up."""
    if claim.attempt >= MAX_ATTEMPTS:
        record(step_name, [claim], {claim.subject_id: StepResult.failed(reason)})
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
    known = [step.name for step in all_steps()]
    with transaction.atomic():
        silent = ledger().filter(step__in=known, status=StepStatus.RUNNING, lease_until__lt=timezone.now())
        expired = list(silent.order_by("pk").select_for_update(skip_locked=True)[:RELEASED_AT_ONCE])
        worn_out = [row for row in expired if row.attempt >= MAX_ATTEMPTS]
        ledger().filter(pk__in=[row.pk for row in expired if row.attempt < MAX_ATTEMPTS]).update(
            status=StepStatus.PENDING, ready_at=timezone.now(), lease_until=None
        )
        for row in worn_out:
            claim = Claim(row.pk, getattr(row, column), row.attempt, row.job_id)
            failed = StepResult.failed(WORKER_DIED.format(attempt=row.attempt))
            record(row.step, [claim], {claim.subject_id: failed})
    return len(expired)


def ready_steps() -> list[str]:
    """Names of the steps that have something to do now."""
    return [step.name for step in all_steps() if _is_ready(step)]


def others_are_ready(step: Step) -> bool:
    """Whether another step of the same cluster has something to do now."""
    return any(_is_ready(other) for other in all_steps() if other.cluster == step.cluster and other != step)


def _is_ready(step: Step) -> bool:
    ready = ledger().filter(step=step.name, status=StepStatus.PENDING, ready_at__lte=timezone.now())
    return ready.exists()


def add_missing(step: Step) -> int:
    """A step new to PHOTO_STEPS: photos of before get their row of it. Returns how many."""
    if step.on_demand:
        return 0
    column = subject_column()
    have = ledger().filter(step=step.name).values(column)
    missing = list(ledger().exclude(**{f"{column}__in": have}).values_list(column, flat=True).distinct())
    model = apps.get_model(settings.LEDGER_MODEL)
    count = 0
    for subject_ids in in_pieces(missing):
        rows = [model(**{column: pk}, step=step.name) for pk in subject_ids]
        model._default_manager.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
        count += reset(ledger().filter(step=step.name, **{f"{column}__in": subject_ids}))
    return count


def make_stale_pending(step: Step) -> int:
    """A new version of the step's code or model: rows done or skipped by another one become pending again."""
    ended = ledger().filter(step=step.name, status__in=[StepStatus.DONE, StepStatus.SKIPPED])
    return reset(ended.exclude(version=step.version()).exclude(ready_at__isnull=True))


def reset(rows: QuerySet[Any], *, job: Job | None = None) -> int:
    """Make these rows of the ledger pending anew (for `job`). Returns how many.

    Left alone are running ones, and those whose step before them ended without success: they could only wait
    for ever. A row whose step before it is not done yet waits for that one.
    """
    with transaction.atomic():
        chosen = _lock_idle(rows)
        left: Counter[Any] = Counter()
        count = 0
        for step in all_steps():
            for piece in in_pieces(chosen.get(step.name, ())):
                pks = _without_blocked(step, piece)
                left += _jobs_waiting_for(ledger().filter(pk__in=pks))
                _reset_step(step, pks, job)
                count += len(pks)
        advance_jobs(left, Counter())
    return count


def in_pieces(ids: Sequence[int]) -> Iterator[list[int]]:
    """The ids in lists short enough to be named in one query: a whole library may have millions."""
    return (list(ids[start : start + IDS_AT_ONCE]) for start in range(0, len(ids), IDS_AT_ONCE))


def _lock_idle(rows: QuerySet[Any]) -> dict[str, "array[int]"]:
    """Lock those of these rows that do not run; their ids, rising, by the name of their step."""
    idle = rows.exclude(status=StepStatus.RUNNING).order_by("pk").select_for_update(of=("self",))
    chosen: dict[str, array[int]] = {}
    for row in idle.only("pk", "step").iterator(chunk_size=IDS_AT_ONCE):
        chosen.setdefault(row.step, array("q")).append(row.pk)
    return chosen


def _without_blocked(step: Step, pks: list[int]) -> list[int]:
    """Without the rows whose step before them failed or was skipped."""
    if step.after is None or not pks:
        return pks
    is_blocked = _step_before(step, StepStatus.FAILED, StepStatus.SKIPPED)
    return list(ledger().filter(pk__in=pks).exclude(is_blocked).values_list("pk", flat=True))


def _step_before(step: Step, *statuses: StepStatus) -> Exists:
    """Whether the step before this one of the same subject is in one of these states."""
    column = subject_column()
    return Exists(ledger().filter(step=step.after, status__in=statuses, **{column: OuterRef(column)}))


def _reset_step(step: Step, pks: list[int], job: Job | None) -> None:
    if not pks:
        return
    fresh = {"status": StepStatus.PENDING, "attempt": 0, "error": "", "lease_until": None, "job": job}
    ledger().filter(pk__in=pks).update(**fresh, ready_at=timezone.now())
    if step.after is not None:
        is_ready = _step_before(step, StepStatus.DONE)
        ledger().filter(pk__in=pks).exclude(is_ready).update(ready_at=None)
    wake(step.name)
