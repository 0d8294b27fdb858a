"""Run a batch of one step, or one job, and record how it ended. The one home of `except Exception`."""

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections, connection
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
    """The job was cancelled while it ran."""


def run_batch(step: Step, claims: Sequence[Claim]) -> Mapping[int, StepResult]:
    """Run `step` on the claimed photos and record the results. When a batch raises, its photos are tried singly."""
    started = time.monotonic()
    try:
        with heartbeat(claims):
            results = step.run([claim.subject_id for claim in claims])
    except (OperationalError, InterfaceError):
        raise  # the database itself is away: nothing can be recorded, and the lease returns the rows
    except Exception as error:
        return _run_singly(step, claims, error)
    ledger.record(step, claims, results, duration_ms=int(1000 * (time.monotonic() - started)))
    return results


def _run_singly(step: Step, claims: Sequence[Claim], error: Exception) -> Mapping[int, StepResult]:
    if len(claims) > 1:
        return {pk: result for claim in claims for pk, result in run_batch(step, [claim]).items()}
    reason = f"{type(error).__name__}: {error}"
    logger.warning("%s of photo %s, attempt %s: %s", step.name, claims[0].subject_id, claims[0].attempt, reason)
    if isinstance(error, DatabaseError):
        close_old_connections()
    ledger.retry_later(step, claims[0], reason)
    return {}


@contextmanager
def heartbeat(claims: Sequence[Claim]) -> Iterator[None]:
    """Renew the lease while the body runs. A process that is gone or hangs in C code stops renewing."""
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(ledger.LEASE_SECONDS / 3):
                ledger.renew(claims)
        except DatabaseError:
            logger.warning("The lease of %s rows could not be renewed.", len(claims))
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def run_job(job_id: str) -> None:
    """Carry out a queued job; its return value is the job's result, its exception the job's error."""
    now = timezone.now()
    begun = Job.objects.filter(pk=job_id, ended_at__isnull=True, attempt__lt=JOB_ATTEMPTS)
    job = begun.first()
    if job is None:
        return
    job.status, job.started_at, job.lease_until = Job.Status.STARTED, job.started_at or now, now + JOB_LEASE
    job.attempt += 1
    job.save(update_fields=["status", "started_at", "lease_until", "attempt"])
    try:
        result = import_string(job.arguments["function"])(job, **job.arguments["with"])
    except Cancelled:
        return
    except OperationalError:
        raise  # the database is away; the lease brings the job back
    except Exception as error:
        logger.exception("Job %s failed", job)
        end_job(job, status=Job.Status.FAILED, error=f"{type(error).__name__}: {error}")
    else:
        end_job(job, status=Job.Status.FINISHED, result=result)


def end_job(job: Job, *, status: str, result: Any = None, error: str = "") -> None:
    """Write the end of a job and tell the pages."""
    Job.objects.filter(pk=job.pk, ended_at__isnull=True).update(
        status=status, result=result, error=error, ended_at=timezone.now(), lease_until=None
    )
    publish(job.library_id, "job", id=str(job.pk), status=status)
