"""Real worker processes, killed in the middle of their work."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection

from chitra.supervisor import Part, Plan
from chitra.tests import patient_step, processes
from chitra.tests.test_supervisor import Run, is_alive, play
from jobs import tasks
from jobs.steps import all_steps
from photos.models import PhotoStep
from photos.services import ingest
from photos.tests.pictures import jpeg

PATIENCE_SECONDS = 180


@pytest.fixture
def gate(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A closed gate in the way of the renditions step. Who stands before it leaves a process id in `pid`."""
    monkeypatch.setenv(patient_step.GATE_VARIABLE, str(tmp_path))
    settings.PHOTO_STEPS = ["photos.steps.METADATA", "chitra.tests.patient_step.RENDITIONS"]
    settings.LEDGER_LEASE_SECONDS = 2
    all_steps.cache_clear()
    (tmp_path / "closed").touch()
    yield tmp_path
    all_steps.cache_clear()


@pytest.fixture
def worker() -> Iterator[Callable[[], Any]]:
    """Starts a cluster with one worker process. All are gone when the test ends."""
    clusters = []

    def start() -> Any:
        cluster = processes.start("manage.py", "qcluster", settings_module="chitra.tests.worker_settings")
        clusters.append(cluster)
        return cluster

    yield start
    for cluster in clusters:
        cluster.terminate()
        cluster.communicate(timeout=PATIENCE_SECONDS)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen: {list(ledger())}"
        time.sleep(0.1)


def ledger() -> list[tuple[int, str, str, int]]:
    return list(PhotoStep.objects.order_by("photo", "step").values_list("photo", "step", "status", "attempt"))


def statuses(step: str) -> set[str]:
    return set(PhotoStep.objects.filter(step=step).values_list("status", flat=True))


@pytest.mark.django_db(transaction=True)
def test_photos_of_a_worker_killed_in_mid_step_are_finished_by_another(
    library: Any, gate: Path, worker: Callable[[], Any]
) -> None:
    photos = [
        ingest(library=library, stream=BytesIO(jpeg(64, 48, seed=seed)), name=f"{seed}.jpg").photo
        for seed in range(3)
    ]
    worker()
    wait_until((gate / "pid").exists, "the step")
    assert statuses("renditions") == {"running"}

    os.kill(int((gate / "pid").read_text()), signal.SIGKILL)
    (gate / "closed").unlink()
    assert tasks.sweep() == 0, "the lease still holds"
    assert statuses("renditions") == {"running"}
    wait_until(lambda: tasks.sweep() == 3, "the end of the lease")
    wait_until(lambda: statuses("renditions") == {"done"}, "the second attempt")
    wait_until(lambda: statuses("metadata") == {"done"}, "the other step")

    assert ledger() == [
        row
        for photo in photos
        for row in ((photo.pk, "metadata", "done", 1), (photo.pk, "renditions", "done", 2))
    ]
    for photo in photos:
        photo.refresh_from_db()
        assert photo.has_renditions


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_told_to_stop_leaves_nothing_running_for_ever(
    library: Any, gate: Path, worker: Callable[[], Any]
) -> None:
    ingest(library=library, stream=BytesIO(jpeg(64, 48)), name="a.jpg")
    cluster = worker()
    wait_until((gate / "pid").exists, "the step")
    cluster.terminate()
    (gate / "closed").unlink()
    cluster.wait(PATIENCE_SECONDS)
    wait_until(lambda: statuses("renditions") == {"done"} or tasks.sweep() == 1, "an end or a release")
    assert statuses("renditions") <= {"done", "pending"}


def see_a_photo_through(library: Any) -> None:
    ingest(library=library, stream=BytesIO(jpeg(64, 48)), name="a.jpg")
    try:
        wait_until(lambda: statuses("metadata") == {"done"}, "the step")
    finally:
        connection.close()  # this thread's own


def children_of(pid: int) -> list[int]:
    try:
        return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.django_db(transaction=True)
def test_a_cluster_whose_sentinel_was_killed_is_started_again_and_works(library: Any) -> None:
    """The sentinel leaves its workers behind, who hold the cluster's output open."""
    part = Part(
        "worker",
        [sys.executable, "manage.py", "qcluster"],
        directory=settings.BASE_DIR,
        environment={"CHITRA_DATABASE_URL": processes.database_url(), "CHITRA_WORKERS": "1"},
    )
    runner = Run(Plan(services=lambda: [part]))
    first: list[int] = []

    def family() -> list[int]:
        """Cluster, sentinel, and its three: a worker, the one who hands out, the one who notes results."""
        child = runner.supervisor._children.get(part)
        sentinels = children_of(child.pid) if child is not None else []
        members = [pk for sentinel in sentinels for pk in children_of(sentinel)]
        return [child.pid, *sentinels, *members] if child is not None and len(members) >= 3 else []

    async def scene() -> None:
        await runner.until(family)
        first.extend(family())
        os.kill(first[1], signal.SIGKILL)
        await runner.until_logged("starting again")
        await runner.until(lambda: family() and not set(family()) & set(first))
        assert not [pid for pid in first if is_alive(pid)]
        await sync_to_async(see_a_photo_through)(library)

    assert play(runner, scene) == 0
