"""How a batch and a job end, whatever happens in them."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import InterfaceError, OperationalError, connection, connections
from django.utils import timezone

from jobs import ledger
from jobs.models import Job
from jobs.runner import Cancelled, begin_job, run_batch, run_job
from jobs.services import cancel_job, go_on_later, report, revive_jobs, start_job
from jobs.steps import StepResult
from jobs.tests.workbench import FIRST, Bench, let_backoff_pass, row, status

MakePhotos = Callable[[int], list[int]]
DONE = StepResult.done()


def run_all() -> Mapping[int, StepResult]:
    return run_batch(FIRST, ledger.claim(FIRST, limit=100))


def test_a_batch_is_recorded_with_its_time(photos: list[int]) -> None:
    assert run_all() == dict.fromkeys(photos, DONE)
    assert status(photos[0]) == "done"
    assert row(photos[0]).duration_ms >= 0


def test_when_a_batch_raises_its_photos_are_tried_singly(photos: list[int], bench: Bench) -> None:
    def answer(ids: Sequence[int]) -> dict[int, StepResult]:
        if photos[1] in ids:
            raise RuntimeError("this one is strange")
        return dict.fromkeys(ids, DONE)

    bench.answer = answer
    assert run_all() == {photos[0]: DONE, photos[2]: DONE}
    assert bench.calls == [photos, photos[:1], photos[1:2], photos[2:]]
    strange = row(photos[1])
    assert (strange.status, strange.attempt, strange.error) == (
        "pending",
        1,
        "RuntimeError: this one is strange",
    )
    assert strange.ready_at > timezone.now()


def test_a_photo_that_always_raises_ends_failed_with_the_error(photos: list[int], bench: Bench) -> None:
    def answer(ids: Sequence[int]) -> dict[int, StepResult]:
        raise ValueError("no such thing")

    bench.answer = answer
    for _ in range(9):
        run_all()
        let_backoff_pass()
    assert [(row(pk).status, row(pk).attempt, row(pk).error) for pk in photos] == [
        ("failed", 3, "ValueError: no such thing")
    ] * 3


def test_a_failed_result_is_final(photos: list[int], bench: Bench) -> None:
    bench.answer = lambda ids: dict.fromkeys(ids, StepResult.failed("not a picture"))
    run_all()
    assert (row(photos[0]).status, row(photos[0]).attempt) == ("failed", 1)


@pytest.mark.django_db(transaction=True)
def test_an_error_of_the_database_is_put_off_like_any_other(bench: Bench, photo_rows: MakePhotos) -> None:
    ids = photo_rows(3)
    ledger.plan(ids)

    def answer(ids: Sequence[int]) -> dict[int, StepResult]:
        raise OperationalError("deadlock detected")

    bench.answer = answer
    run_all()
    assert [status(pk) for pk in ids] == ["pending"] * 3
    assert row(ids[0]).error == "OperationalError: deadlock detected"


@pytest.mark.django_db(transaction=True)
def test_while_the_database_is_away_the_rows_stay_leased(
    bench: Bench, photo_rows: MakePhotos, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = photo_rows(3)
    ledger.plan(ids)

    def answer(ids: Sequence[int]) -> dict[int, StepResult]:
        connection.close()
        monkeypatch.setattr(type(connections["default"]), "connect", refuse)
        raise OperationalError("server closed the connection unexpectedly")

    def refuse(self: object) -> None:
        raise OperationalError("connection refused")

    bench.answer = answer
    with pytest.raises(OperationalError, match="connection refused"):
        run_all()
    monkeypatch.undo()
    assert [status(pk) for pk in ids] == ["running"] * 3


@pytest.mark.django_db(transaction=True)
def test_a_step_that_takes_longer_than_its_lease_keeps_its_rows(
    bench: Bench, photo_rows: MakePhotos, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LEDGER_LEASE_SECONDS = 0.3
    ids = photo_rows(3)
    ledger.plan(ids)
    renewed = threading.Event()
    renew = ledger.renew

    def answer(asked: Sequence[int]) -> dict[int, StepResult]:
        if len(asked) > 1:
            raise RuntimeError("try them singly")
        renewed.clear()
        first_end = row(ids[-1]).lease_until
        assert renewed.wait(10)
        assert status(ids[-1]) != "running" or row(ids[-1]).lease_until > first_end
        return dict.fromkeys(asked, DONE)

    def renew_and_tell(claims: Sequence[ledger.Claim]) -> None:
        renew(claims)
        renewed.set()

    bench.answer = answer
    monkeypatch.setattr(ledger, "renew", renew_and_tell)
    assert len(run_all()) == 3
    assert [row(pk).attempt for pk in ids] == [1, 1, 1]


@pytest.mark.django_db(transaction=True)
def test_the_lease_is_renewed_again_after_the_database_was_away(
    bench: Bench, photo_rows: MakePhotos, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LEDGER_LEASE_SECONDS = 0.1
    ledger.plan(photo_rows(1))
    calls = iter([OperationalError("away"), InterfaceError("closed"), None])
    renewed = threading.Event()

    def renew(claims: Sequence[ledger.Claim]) -> None:
        if error := next(calls, None):
            raise error
        renewed.set()

    def answer(ids: Sequence[int]) -> dict[int, StepResult]:
        assert renewed.wait(10)
        return dict.fromkeys(ids, DONE)

    monkeypatch.setattr(ledger, "renew", renew)
    bench.answer = answer
    assert len(run_all()) == 1


# Jobs


def count_to(job: Job, number: int) -> int:
    report(job, done=number, total=number, message="counting")
    return number


def fail(job: Job) -> None:
    raise RuntimeError("it cannot be done")


def cancel_myself(job: Job) -> None:
    cancel_job(job)
    report(job, done=1)


def outlive_the_lease(job: Job) -> str:
    """As a worker that sleeps until another one has the job."""
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now())
    revive_jobs()
    begin_job(str(job.pk))
    return "too late"


def lose_the_database(job: Job) -> None:
    raise InterfaceError("connection already closed")


def queued(name: str, **arguments: Any) -> Job:
    return start_job(
        kind="test",
        function=f"jobs.tests.test_runner.{name}",
        arguments=arguments,
        library_id=None,
        user=None,
        cluster="default",
    )


def run(job: Job) -> Job:
    run_job(str(job.pk))
    job.refresh_from_db()
    return job


def test_a_job_ends_with_its_result(db: None) -> None:
    job = run(queued("count_to", number=7))
    assert (job.status, job.result, job.done, job.total, job.message) == ("finished", 7, 7, 7, "counting")
    assert job.percent == 100
    assert job.lease_until is None


def test_a_job_that_raises_fails_with_its_error(db: None) -> None:
    job = run(queued("fail"))
    assert (job.status, job.error) == ("failed", "RuntimeError: it cannot be done")


def test_a_job_whose_task_is_gone_from_the_code_fails(db: None) -> None:
    job = run(queued("renamed_long_ago"))
    assert job.status == "failed"
    assert "renamed_long_ago" in job.error


def test_a_job_cancelled_while_it_runs_stops_at_its_next_report(db: None) -> None:
    assert run(queued("cancel_myself")).status == "canceled"


def test_a_cancelled_job_is_not_begun(db: None) -> None:
    job = queued("count_to", number=7)
    cancel_job(job)
    job = run(job)
    assert (job.status, job.attempt, job.result) == ("canceled", 0, None)


def test_a_job_delivered_twice_is_done_once(db: None) -> None:
    job = queued("count_to", number=7)
    Job.objects.filter(pk=job.pk).update(status=Job.Status.STARTED, attempt=1)
    assert run(job).attempt == 1


def test_a_job_whose_worker_died_is_queued_again(db: None) -> None:
    job = queued("count_to", number=7)
    Job.objects.filter(pk=job.pk).update(status=Job.Status.STARTED, attempt=1, lease_until=timezone.now())
    assert revive_jobs() == 1
    assert revive_jobs() == 0
    job = run(job)
    assert (job.status, job.attempt) == ("finished", 2)


def test_a_job_goes_on_at_once_when_all_workers_were_stopped(db: None) -> None:
    job = queued("count_to", number=7)
    begin_job(str(job.pk))
    by_command = Job.objects.create(
        kind="import", status=Job.Status.STARTED, lease_until=timezone.now() + timedelta(minutes=15)
    )
    call_command("prepare", alone=True, verbosity=0)
    assert revive_jobs() == 1
    assert run(job).status == "finished"
    by_command.refresh_from_db()
    assert by_command.status == "started"


def test_slices_of_a_long_job_are_no_failed_attempts(db: None) -> None:
    job = queued("count_to", number=7)
    for _ in range(5):
        begun = begin_job(str(job.pk))
        assert begun
        go_on_later(begun)
    begin_job(str(job.pk))
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now())
    assert revive_jobs() == 1
    assert run(job).status == "finished"


def test_a_presumed_dead_worker_cannot_end_the_job_of_its_successor(db: None) -> None:
    job = run(queued("outlive_the_lease"))
    assert (job.status, job.attempt, job.result) == ("started", 2, None)


def test_a_presumed_dead_worker_cannot_report_on_the_job_of_its_successor(db: None) -> None:
    job = queued("count_to", number=7)
    Job.objects.filter(pk=job.pk).update(attempt=2)
    with pytest.raises(Cancelled):
        report(job, done=1)


def test_a_job_that_kills_its_workers_fails_in_the_end(db: None) -> None:
    job = queued("count_to", number=7)
    for attempt in (1, 2, 3):
        Job.objects.filter(pk=job.pk).update(
            status=Job.Status.STARTED, attempt=attempt, lease_until=timezone.now()
        )
        revive_jobs()
    job.refresh_from_db()
    assert (job.status, job.error) == ("failed", "The worker stopped while it was at this job, 3 times.")


def test_a_job_keeps_its_lease_while_the_database_is_away(db: None) -> None:
    job = queued("lose_the_database")
    with pytest.raises(InterfaceError):
        run_job(str(job.pk))
    job.refresh_from_db()
    assert job.status == "started"
    assert job.lease_until is not None


def test_an_import_whose_process_is_gone_fails_and_says_what_to_do(db: None) -> None:
    job = Job.objects.create(kind="import", status=Job.Status.STARTED, lease_until=timezone.now())
    assert revive_jobs() == 1
    job.refresh_from_db()
    assert (job.status, job.error) == (
        "failed",
        "The process that worked on it is gone. Start it again; what was done is kept.",
    )
