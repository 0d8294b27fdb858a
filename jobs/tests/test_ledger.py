"""The ledger against a real PostgreSQL: claims, leases, attempts, and what waits for what."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs import ledger
from jobs.services import step_counts
from jobs.steps import StepResult
from jobs.tests.workbench import (
    FIRST,
    SECOND,
    Bench,
    claim_all,
    finish,
    let_backoff_pass,
    let_leases_expire,
    row,
    status,
)

MakePhotos = Callable[[int], list[int]]


def test_planning_twice_changes_nothing(photos: list[int]) -> None:
    finish(StepResult.done())
    ledger.plan(photos)
    assert status(photos[0]) == "done"
    assert ledger.ledger().count() == 6


def test_a_claim_takes_ready_rows_with_a_lease_and_a_version(photos: list[int]) -> None:
    claims = ledger.claim(FIRST, limit=2)
    assert [claim.subject_id for claim in claims] == photos[:2]
    taken = row(photos[0])
    assert (taken.status, taken.attempt, taken.version) == ("running", 1, "1")
    assert taken.lease_until > timezone.now()
    assert status(photos[2]) == "pending"


def test_a_claimed_row_is_not_taken_again(photos: list[int]) -> None:
    assert len(claim_all()) == 3
    assert claim_all() == []


def test_a_step_that_waits_for_another_is_not_claimed(photos: list[int]) -> None:
    assert claim_all(SECOND) == []


def test_done_makes_the_next_step_ready(photos: list[int]) -> None:
    finish(StepResult.done())
    assert [claim.subject_id for claim in claim_all(SECOND)] == photos


def test_what_needs_a_failed_step_is_skipped_with_the_reason(photos: list[int]) -> None:
    finish(StepResult.failed("broken file"))
    assert row(photos[0]).error == "broken file"
    waiting = row(photos[0], "second")
    assert (waiting.status, waiting.error) == ("skipped", "It needs “First”, which did not succeed.")


def test_a_step_skipped_for_another_runs_once_that_one_succeeds(photos: list[int]) -> None:
    finish(StepResult.failed("broken file"))
    ledger.reset(ledger.ledger().filter(step="first"))
    finish(StepResult.done())
    assert status(photos[0], "second") == "pending"
    assert len(claim_all(SECOND)) == 3


def test_a_photo_without_an_answer_counts_as_deleted(photos: list[int]) -> None:
    ledger.record("first", claim_all(), {photos[0]: StepResult.done()})
    assert status(photos[0]) == "done"
    assert status(photos[1]) == "skipped"


def test_a_presumed_dead_worker_cannot_overwrite_its_successor(photos: list[int]) -> None:
    dead = claim_all()
    let_leases_expire()
    assert ledger.release_expired() == 3
    successor = claim_all()
    ledger.record("first", dead, {dead[0].subject_id: StepResult.failed("I was asleep")})
    assert status(successor[0].subject_id) == "running"
    ledger.record("first", successor, {successor[0].subject_id: StepResult.done()})
    ledger.record("first", dead, {dead[0].subject_id: StepResult.failed("I was asleep")})
    assert status(successor[0].subject_id) == "done"


def test_a_presumed_dead_worker_cannot_hold_its_successors_lease(photos: list[int]) -> None:
    dead = claim_all()
    let_leases_expire()
    ledger.release_expired()
    successor = claim_all()
    let_leases_expire()
    ledger.renew(dead)
    assert row(successor[0].subject_id).lease_until < timezone.now()
    ledger.renew(successor)
    assert row(successor[0].subject_id).lease_until > timezone.now()


def test_a_presumed_dead_worker_cannot_put_off_its_successors_row(photos: list[int]) -> None:
    dead = claim_all()[0]
    let_leases_expire()
    ledger.release_expired()
    claim_all()
    ledger.retry_later("first", dead, "I was asleep")
    assert row(dead.subject_id).status == "running"


def test_a_lease_that_holds_is_left_alone(photos: list[int]) -> None:
    claim_all()
    assert ledger.release_expired() == 0
    assert status(photos[0]) == "running"


def test_a_row_begun_before_is_claimed_alone(photos: list[int]) -> None:
    ledger.claim(FIRST, limit=2)
    let_leases_expire()
    ledger.release_expired()
    taken = [[claim.subject_id for claim in claim_all()] for _ in range(4)]
    assert taken == [[photos[2]], [photos[0]], [photos[1]], []]


def test_a_photo_that_kills_workers_ends_failed_and_the_others_done(photos: list[int]) -> None:
    poison = photos[1]
    for _ in range(10):
        while claims := claim_all():
            if poison in [claim.subject_id for claim in claims]:
                break  # the worker dies and records nothing
            ledger.record("first", claims, dict.fromkeys(photos, StepResult.done()))
        let_leases_expire()
        ledger.release_expired()
    assert [status(pk) for pk in photos] == ["done", "failed", "done"]
    assert row(poison).attempt == ledger.MAX_ATTEMPTS
    assert "The worker stopped while it was at this photo, 3 times." in row(poison).error
    assert status(poison, "second") == "skipped"


def test_an_attempt_that_went_wrong_is_repeated_later_and_later(photos: list[int]) -> None:
    pauses = []
    for _ in range(2):
        claim = claim_all()[0]
        ledger.retry_later("first", claim, "the network is down")
        pauses.append(round((row(claim.subject_id).ready_at - timezone.now()).total_seconds()))
        assert row(claim.subject_id).error == "the network is down"
        assert claim.subject_id not in [other.subject_id for other in claim_all()]
        let_backoff_pass()
    assert pauses == [30, 300]


def test_the_last_attempt_ends_as_failed_with_its_reason(photos: list[int]) -> None:
    ledger.ledger().exclude(photo_id=photos[0]).delete()
    for _ in range(ledger.MAX_ATTEMPTS):
        ledger.retry_later("first", claim_all()[0], "the network is down")
        let_backoff_pass()
    ended = row(photos[0])
    assert (ended.status, ended.error, ended.lease_until) == ("failed", "the network is down", None)
    assert claim_all() == []


def test_a_step_that_is_no_longer_in_the_settings_does_not_stop_the_sweep(photos: list[int]) -> None:
    claim_all()
    ledger.ledger().filter(photo_id=photos[0], step="first").update(step="retired", attempt=3)
    let_leases_expire()
    assert ledger.release_expired() == 2


def test_photos_of_before_get_a_step_that_is_new(photos: list[int]) -> None:
    finish(StepResult.done())
    ledger.ledger().filter(step="second").delete()
    assert ledger.add_missing(SECOND) == 3
    assert len(claim_all(SECOND)) == 3


def test_a_new_version_makes_exactly_the_stale_rows_pending(photos: list[int], bench: Bench) -> None:
    finish(StepResult.done())
    bench.version = "2"
    ledger.reset(ledger.ledger().filter(step="first", photo_id=photos[0]))
    finish(StepResult.done())
    assert ledger.make_stale_pending(FIRST) == 2
    assert [status(pk) for pk in photos] == ["done", "pending", "pending"]
    finish(StepResult.done())
    assert ledger.make_stale_pending(FIRST) == 0


def test_a_failure_is_not_repeated_by_a_new_version_of_something_it_waits_for(photos: list[int]) -> None:
    finish(StepResult.failed("broken file"))
    assert ledger.make_stale_pending(SECOND) == 0


def test_a_row_reset_before_its_step_can_read_anything_waits(photos: list[int]) -> None:
    assert ledger.reset(ledger.ledger().filter(step="second")) == 3
    assert claim_all(SECOND) == []
    finish(StepResult.done())
    assert len(claim_all(SECOND)) == 3


def test_running_rows_are_not_reset(photos: list[int]) -> None:
    claim_all()
    assert ledger.reset(ledger.ledger().filter(step="first")) == 0


def test_no_query_names_more_rows_than_it_may(photos: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    finish(StepResult.done())
    finish(StepResult.done(), SECOND)
    monkeypatch.setattr(ledger, "IDS_AT_ONCE", 2)
    with CaptureQueriesContext(connection) as queries:
        assert ledger.reset(ledger.ledger()) == 6
    assert {row(pk).status for pk in photos} == {"pending"}
    assert {row(pk, "second").ready_at for pk in photos} == {None}
    named = re.findall(r"IN \(([\d, ]+)\)", " ".join(query["sql"] for query in queries))
    assert max(len(ids.split(",")) for ids in named) == 2


def test_resetting_over_a_join_locks_the_ledger_only(photos: list[int]) -> None:
    rows = (
        ledger.ledger()
        .filter(photo__deleted_at__isnull=True, step="first")
        .exclude(photo__embeddings__encoder=0)
    )
    assert ledger.reset(rows) == 3


def test_counts_by_step_and_status(photos: list[int]) -> None:
    ledger.claim(FIRST, limit=1)
    counts = step_counts(ledger.ledger().all())
    assert counts["first"] == {"pending": 2, "running": 1, "done": 0, "skipped": 0, "failed": 0}
    assert list(counts) == ["first", "second"]


# Several connections


def in_thread(function: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Run on a connection of its own; the list holds the result at the end."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(function())
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, results


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_take_the_same_row(bench: Bench, photo_rows: MakePhotos) -> None:
    ids = photo_rows(60)
    ledger.plan(ids)
    start = threading.Barrier(4)

    def take() -> list[int]:
        start.wait()
        taken: list[int] = []
        while claims := ledger.claim(FIRST, limit=4):
            taken += [claim.subject_id for claim in claims]
        return taken

    workers = [in_thread(take) for _ in range(4)]
    for thread, _ in workers:
        thread.join()
    taken = [pk for _, results in workers for pk in results[0]]
    assert sorted(taken) == ids


@pytest.mark.django_db(transaction=True)
def test_a_claim_does_not_wait_for_another_one_that_is_open(bench: Bench, photo_rows: MakePhotos) -> None:
    ids = photo_rows(4)
    ledger.plan(ids)
    with transaction.atomic():
        mine = [claim.subject_id for claim in ledger.claim(FIRST, limit=2)]
        thread, results = in_thread(lambda: [claim.subject_id for claim in ledger.claim(FIRST, limit=4)])
        thread.join(10)
        assert not thread.is_alive()
    assert mine == ids[:2]
    assert results == [ids[2:]]


@pytest.mark.django_db(transaction=True)
def test_a_sweep_leaves_alone_what_a_worker_is_recording(bench: Bench, photo_rows: MakePhotos) -> None:
    ids = photo_rows(1)
    ledger.plan(ids)
    claims = claim_all()
    let_leases_expire()
    with transaction.atomic():
        ledger.record("first", claims, {ids[0]: StepResult.done()})
        thread, results = in_thread(ledger.release_expired)
        thread.join(10)
        assert results == [0]
    assert status(ids[0]) == "done"


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_count_an_attempt_once(bench: Bench, photo_rows: MakePhotos) -> None:
    ledger.plan(photo_rows(1))
    claim_all()
    let_leases_expire()
    sweeps = [in_thread(ledger.release_expired) for _ in range(2)]
    for thread, _ in sweeps:
        thread.join()
    assert sum(results[0] for _, results in sweeps) == 1


def test_the_lease_is_a_setting(photos: list[int], settings: Any) -> None:
    settings.LEDGER_LEASE_SECONDS = 3600
    claim_all()
    assert row(photos[0]).lease_until > timezone.now() + timedelta(minutes=59)
