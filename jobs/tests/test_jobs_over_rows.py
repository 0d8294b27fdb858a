"""Jobs that wait for rows of the ledger: how they count, and how they end."""

from jobs import ledger
from jobs.models import Job
from jobs.services import cancel_job, finish_settled_jobs, run_step_again
from jobs.steps import StepResult
from jobs.tests.workbench import (
    FIRST,
    SECOND,
    Bench,
    claim_all,
    finish,
    row,
    status,
)


def reindex(step: str = "first") -> Job:
    job = run_step_again(kind="test", rows=ledger.ledger().filter(step=step), library_id=None, user=None)
    assert job is not None
    return job


def test_a_job_ends_with_its_last_row_and_counts_failures(photos: list[int]) -> None:
    job = reindex()
    assert (job.total, job.status) == (3, "started")
    claims = claim_all()
    ledger.record("first", claims[:1], {photos[0]: StepResult.done()})
    job.refresh_from_db()
    assert (job.done, job.percent, job.status) == (1, 33, "started")
    ledger.record("first", claims[1:], {photos[1]: StepResult.failed("no"), photos[2]: StepResult.done()})
    job.refresh_from_db()
    assert (job.done, job.failed, job.status, job.result) == (3, 1, "finished", 2)
    assert job.ended_at is not None


def test_there_is_no_job_without_rows(bench: Bench) -> None:
    rows = ledger.ledger().filter(step="first")
    assert run_step_again(kind="test", rows=rows, library_id=None, user=None) is None
    assert not Job.objects.exists()


def test_an_attempt_to_be_repeated_does_not_advance_its_job(photos: list[int]) -> None:
    job = reindex()
    ledger.retry_later("first", claim_all()[0], "the network is down")
    job.refresh_from_db()
    assert job.done == 0


def test_a_job_over_steps_that_can_never_run_does_not_wait_for_ever(photos: list[int]) -> None:
    finish(StepResult.failed("broken file"))
    rows = ledger.ledger().filter(step="second")
    assert run_step_again(kind="test", rows=rows, library_id=None, user=None) is None
    assert status(photos[0], "second") == "skipped"


def test_a_job_whose_rows_wait_for_a_step_that_fails_ends(photos: list[int]) -> None:
    job = reindex("second")
    finish(StepResult.failed("broken file"))
    job.refresh_from_db()
    assert (job.status, job.done) == ("finished", 3)


def test_both_steps_of_a_failed_photo_can_be_repeated_together(photos: list[int]) -> None:
    finish(StepResult.failed("broken file"))
    job = run_step_again(
        kind="test", rows=ledger.ledger().filter(photo_id=photos[0]), library_id=None, user=None
    )
    assert job is not None
    assert job.total == 2
    finish(StepResult.done())
    finish(StepResult.done(), SECOND)
    job.refresh_from_db()
    assert job.status == "finished"


def test_a_second_job_over_the_same_rows_ends_the_first(photos: list[int]) -> None:
    first = reindex()
    second = reindex()
    finish(StepResult.done())
    for job in (first, second):
        job.refresh_from_db()
        assert (job.status, job.done) == ("finished", 3)


def test_a_cancelled_job_begins_nothing_more(photos: list[int]) -> None:
    job = reindex()
    claims = ledger.claim(FIRST, limit=1)
    assert cancel_job(job)
    assert claim_all() == []
    assert row(photos[1]).error == "Cancelled; results of an earlier run are kept."
    ledger.record("first", claims, {photos[0]: StepResult.done()})
    job.refresh_from_db()
    assert (job.status, job.done) == ("canceled", 0)
    assert not cancel_job(job)


def test_a_job_ends_when_the_photos_it_waits_for_are_deleted(photos: list[int]) -> None:
    job = reindex()
    assert finish_settled_jobs() == 0
    ledger.record("first", ledger.claim(FIRST, limit=1), {photos[0]: StepResult.done()})
    ledger.ledger().filter(photo_id__in=photos[1:]).delete()
    assert finish_settled_jobs() == 1
    job.refresh_from_db()
    assert (job.status, job.result) == ("finished", 1)
