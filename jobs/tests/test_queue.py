"""Wake-ups, the sweep, and a drain from the first row to the last."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from jobs import ledger, queue, tasks
from jobs.models import StepWake
from jobs.steps import all_steps
from jobs.tests.workbench import FIRST, PATIENT, Bench, let_leases_expire, status

MakePhotos = Callable[[int], list[int]]
Capture = Any


@pytest.fixture
def photos(bench: Bench, photo_rows: MakePhotos) -> list[int]:
    ids = photo_rows(6)
    ledger.plan(ids)
    return ids


def queued() -> list[tuple[str, str, tuple[Any, ...]]]:
    """Cluster, function and arguments of the queued tasks."""
    return [(task.key, task.task["func"], task.task["args"]) for task in OrmQ.objects.order_by("pk")]


FIRST_DRAIN = ("default", "jobs.tasks.drain", ("first",))
SECOND_DRAIN = ("ml", "jobs.tasks.drain", ("second",))


def test_new_photos_wake_the_first_steps_once_the_transaction_commits(
    bench: Bench, photo_rows: MakePhotos, django_capture_on_commit_callbacks: Capture
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        ledger.plan(photo_rows(2))
        assert queued() == []
    assert queued() == [FIRST_DRAIN]


def test_one_wake_up_is_queued_however_many_ask(bench: Bench) -> None:
    for _ in range(5):
        queue.request_drain("first")
    queue.request_drain("second")
    assert queued() == [FIRST_DRAIN, SECOND_DRAIN]


def test_a_wake_up_is_queued_again_once_a_drain_has_begun(bench: Bench) -> None:
    queue.request_drain("first")
    tasks.drain("first")
    queue.request_drain("first")
    assert queued() == [FIRST_DRAIN, FIRST_DRAIN]


def test_a_wake_up_and_its_task_are_written_together(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the queue is away")

    monkeypatch.setattr(queue, "async_task", refuse)
    with pytest.raises(RuntimeError), transaction.atomic():
        queue.request_drain("first")
    assert not StepWake.objects.exists()


def test_a_start_frees_what_was_taken_from_the_queue_and_not_begun(bench: Bench) -> None:
    queue.request_drain("first")
    OrmQ.objects.update(lock=timezone.now() + timedelta(minutes=10))
    assert queue.waiting_tasks() == 0
    call_command("prepare", verbosity=0)
    assert ("default", "jobs.tasks.drain", ("first",)) in queued()
    assert not OrmQ.objects.filter(lock__gt=timezone.now()).exists()


def test_a_lost_wake_up_is_recovered_by_the_sweep(photos: list[int]) -> None:
    queue.request_drain("first")
    OrmQ.objects.all().delete()  # the worker died with the task in its hands
    tasks.sweep()
    assert queued() == []
    StepWake.objects.update(requested_at=timezone.now() - timedelta(minutes=6))
    tasks.sweep()
    assert queued() == [FIRST_DRAIN]


def test_the_sweep_wakes_only_steps_that_have_something_to_do(photos: list[int]) -> None:
    tasks.sweep()
    assert queued() == [FIRST_DRAIN]


def test_the_sweep_frees_what_a_dead_worker_held(photos: list[int]) -> None:
    ledger.claim(FIRST, limit=100)
    let_leases_expire()
    assert tasks.sweep() == 6
    assert queued() == [FIRST_DRAIN]
    assert tasks.drain("first") == 6
    assert {status(pk) for pk in photos} == {"done"}


def test_a_drain_works_until_nothing_is_ready(
    photos: list[int], bench: Bench, django_capture_on_commit_callbacks: Capture
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert tasks.drain("first") == 6
    assert bench.calls == [photos[:4], photos[4:]]
    assert queued() == [SECOND_DRAIN]
    assert tasks.drain("second") == 6
    assert tasks.drain("second") == 0


def test_a_drain_leaves_the_rest_to_another_task_when_its_time_is_over(
    photos: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "SLICE_SECONDS", -1)
    assert tasks.drain("first") == 4
    assert queued() == [FIRST_DRAIN]


def test_a_step_that_gives_way_does_one_batch_while_others_of_its_cluster_wait(
    photos: list[int], settings: Any
) -> None:
    settings.PHOTO_STEPS = ["jobs.tests.workbench.PATIENT", "jobs.tests.workbench.FIRST"]
    all_steps.cache_clear()
    ledger.add_missing(PATIENT)
    OrmQ.objects.all().delete()
    assert tasks.drain("patient") == 4
    assert queued() == [("default", "jobs.tasks.drain", ("patient",))]
    tasks.drain("first")
    assert tasks.drain("patient") == 2


def test_a_step_that_gives_way_goes_on_while_only_other_clusters_have_work(
    photos: list[int], bench: Bench, settings: Any
) -> None:
    settings.PHOTO_STEPS = [f"jobs.tests.workbench.{name}" for name in ("PATIENT", "FIRST", "SECOND")]
    all_steps.cache_clear()
    ledger.add_missing(PATIENT)
    tasks.drain("first")
    assert "second" in ledger.ready_steps()
    assert tasks.drain("patient") == 6


def test_a_drain_costs_few_queries_a_batch(photos: list[int], django_assert_max_num_queries: Any) -> None:
    batches = 3  # of four photos, of two, and the look that finds nothing
    with django_assert_max_num_queries(1 + 12 * batches):
        assert tasks.drain("first") == 6


def test_after_a_start_stale_photos_are_done_again(photos: list[int], bench: Bench) -> None:
    tasks.drain("first")
    assert tasks.refresh_step("first") == 0
    bench.version = "2"
    assert tasks.refresh_step("first") == 6


def test_refresh_steps_asks_the_cluster_of_each_step(bench: Bench) -> None:
    call_command("refresh_steps")
    assert queued() == [
        ("default", "jobs.tasks.refresh_step", ("first",)),
        ("ml", "jobs.tasks.refresh_step", ("second",)),
    ]


def test_every_cluster_has_a_sweep_and_migrating_again_adds_none(db: None) -> None:
    queue.ensure_schedule()
    queue.ensure_schedule()
    rows = Schedule.objects.filter(func="jobs.tasks.sweep")
    assert sorted(rows.values_list("cluster", "minutes")) == [("default", 1), ("ml", 1), ("video", 1)]


def test_a_cluster_that_misses_its_sweep_is_silent(db: None) -> None:
    queue.ensure_schedule()
    Schedule.objects.update(next_run=timezone.now())
    assert queue.silent_clusters() == []
    Schedule.objects.filter(cluster="ml").update(next_run=timezone.now() - timedelta(minutes=3))
    assert queue.silent_clusters() == ["ml"]
    Schedule.objects.filter(cluster="default").delete()
    assert queue.silent_clusters() == ["default", "ml"]
