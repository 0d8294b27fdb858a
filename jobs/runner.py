"""Run a batch of one step, or one job, and record how it ended. The one home of `except Exception`."""

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseProblem
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.module_loading import import_string

from jobs import ledger
from jobs.events import publish
from jobs.ledger import Claim
from jobs.models import Job
from jobs.steps import Step, StepResult

logger = logging.getLogger(__name__)

JOB_LEASE = timedelta(minutes=15)
JOB_ATTEMPTS = 3


class Cancelled(Exception):
    """The job was cancelled, or given to another worker, while it ran."""


def run_batch(step: Step, claims: Sequence[Claim]) -> Mapping[int, StepResult]:
    """Run `step` on the claimed photos and record the results. When it raises, the photos are tried singly.

    While the database is away nothing can be recorded: its error rises, and the lease returns the rows.
    """
    with heartbeat(claims):
        try:
            return _attempt(step, claims)
        except Exception as error:  # noqa: BLE001 - any error ends in the ledger
            if len(claims) == 1:
                _put_off(step, claims[0], error)
                return {}
            logger.info("%s of %s photos: %s; trying them singly", step.name, len(claims), error)
            close_broken_connection(error)
        results: dict[int, StepResult] = {}
        for claim in claims:
            try:
                results |= _attempt(step, [claim])
            except Exception as error:  # noqa: BLE001 - any error ends in the ledger
                _put_off(step, claim, error)
        return results


def _attempt(step: Step, claims: Sequence[Claim]) -> Mapping[int, StepResult]:
    started = time.monotonic()
    results = step.run([claim.subject_id for claim in claims])
    ledger.record(step.name, claims, results, duration_ms=int(1000 * (time.monotonic() - started)))
    return results


def _put_off(step: Step, claim: Claim, error: Exception) -> None:
    reason = f"{type(error).__name__}: {error}"
    logger.warning("%s of photo %s, attempt %s: %s", step.name, claim.subject_id, claim.attempt, reason)
    close_broken_connection(error)
    ledger.retry_later(step.name, claim, reason)


def close_broken_connection(error: Exception) -> None:
    """After an error of the database the next query gets a new connection if this one is of no more use."""
    if isinstance(error, DatabaseProblem):
        close_old_connections()


@contextmanager
def heartbeat(claims: Sequence[Claim]) -> Iterator[None]:
    """Renew the lease while the body runs. A process that is gone or hangs in C code stops renewing."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(settings.LEDGER_LEASE_SECONDS / 3):
            try:
                ledger.renew(claims)
            except DatabaseProblem as error:
                logger.warning("The lease of %s photos could not be renewed: %s", len(claims), error)
            finally:
                connection.close()  # it belongs to this thread

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def run_job(job_id: str) -> None:
    """Carry out a queued job; its return value is the job's result, its exception the job's error."""
    job = begin_job(job_id)
    if job is None:
        return
    try:
        result = import_string(job.arguments["function"])(job, **job.arguments["with"])
    except Cancelled:
        return
    except (OperationalError, InterfaceError):
        raise  # the database is away; the lease brings the job back
    except Exception as error:
        logger.exception("Job %s failed", job)
        end_job(job, status=Job.Status.FAILED, error=f"{type(error).__name__}: {error}")
    else:
        end_job(job, status=Job.Status.FINISHED, result=result)


def begin_job(job_id: str) -> Job | None:
    """Take a queued job. None when it has ended or somebody is at it: at times the queue delivers twice."""
    now = timezone.now()
    taken = Job.objects.filter(pk=job_id, status=Job.Status.QUEUED).update(
        status=Job.Status.STARTED,
        started_at=Coalesce("started_at", now),
        lease_until=now + JOB_LEASE,
        attempt=F("attempt") + 1,
    )
    return Job.objects.get(pk=job_id) if taken else None


def end_job(job: Job, *, status: str, result: Any = None, error: str = "") -> None:
    """Write the end of a job and tell the pages. An attempt that a later one replaced writes nothing."""
    ended = Job.objects.filter(pk=job.pk, attempt=job.attempt, ended_at__isnull=True).update(
        status=status, result=result, error=error, ended_at=timezone.now(), lease_until=None
    )
    if ended:
        publish(job.library_id, "job", id=str(job.pk), status=status)
