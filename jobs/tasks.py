"""What the queue calls."""

import time

from jobs import ledger, runner, services
from jobs.queue import forget_lost_wakes, forget_wake, request_drain
from jobs.steps import get_step

SLICE_SECONDS = 20  # then the other steps have a turn


def drain(name: str) -> int:
    """Work on one step until nothing is ready or its time is over. Returns how many photos it handled."""
    step = get_step(name)
    forget_wake(name)
    deadline = time.monotonic() + SLICE_SECONDS
    handled = 0
    while claims := ledger.claim(step, limit=step.batch_size):
        results = runner.run_batch(step, claims)
        services.announce_step(step, results)
        handled += len(claims)
        if time.monotonic() > deadline or (step.gives_way and ledger.others_are_ready(step)):
            request_drain(name)
            break
    return handled


def sweep() -> int:
    """Each minute: free what dead workers held, and wake the steps that have something to do."""
    forget_lost_wakes()
    freed = ledger.release_expired() + services.revive_jobs()
    services.finish_settled_jobs()
    for name in ledger.ready_steps():
        request_drain(name)
    return freed


def refresh_step(name: str) -> int:
    """After a start: photos that lack the step, or had it done by an older version or model, have it done."""
    step = get_step(name)
    return ledger.add_missing(step) + ledger.make_stale_pending(step)


def run_job(job_id: str) -> None:
    """Carry out a job's task that `services.start_job` queued."""
    runner.run_job(job_id)
