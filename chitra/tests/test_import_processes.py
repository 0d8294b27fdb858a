"""Imports as processes of their own: two at once, stopped, and with the database crashing under one."""

import os
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chitra import embedded
from chitra.postgres import SERVER_SETTINGS
from chitra.tests import processes
from jobs.models import Job
from jobs.steps import all_steps
from photos.models import Library, Photo, PhotoStep
from photos.storages import originals, read_bytes
from photos.tests.pictures import jpeg

FILES = 150
PATIENCE_SECONDS = 180
PLANNED = sum(not step.on_demand for step in all_steps())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Many small photos, so that an import takes some seconds."""
    folder = tmp_path_factory.mktemp("photos")
    data = jpeg(32, 32)
    for number in range(FILES):
        (folder / f"{number:04}.jpg").write_bytes(data + number.to_bytes(4, "big"))
    return folder


def start_import(folder: Path, **environment: str) -> Any:
    return processes.start("manage.py", "import_photos", folder, environment=environment)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def assert_complete() -> None:
    """Every photo is there once, with its bytes and its steps."""
    assert Photo.objects.count() == FILES
    assert PhotoStep.objects.count() == PLANNED * FILES
    for photo in Photo.objects.all():
        assert len(read_bytes(originals(), photo.original_key)) == photo.size


@pytest.mark.django_db(transaction=True)
def test_one_folder_imported_twice_at_once_is_there_once(folder: Path) -> None:
    imports = [start_import(folder) for _ in range(2)]
    outputs = [process.communicate(timeout=PATIENCE_SECONDS)[0] for process in imports]
    assert [process.returncode for process in imports] == [0, 0]
    assert Library.objects.count() == 1
    assert_complete()
    imported = [int(re.findall(r"(\d+) imported", out)[-1]) for out in outputs]
    assert sum(imported) == FILES
    assert all("0 not pictures, 0 failed" in out for out in outputs)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=str)
def test_an_import_that_is_stopped_says_so_and_goes_on_next_time(
    alice: Any, folder: Path, how: signal.Signals
) -> None:
    first = start_import(folder)
    wait_until(lambda: Photo.objects.count() > 3)
    first.send_signal(how)
    _, errors = first.communicate(timeout=PATIENCE_SECONDS)
    assert first.returncode == 1
    assert errors.strip().endswith("Stopped. Run the same command again: it goes on where it stopped.")
    assert "Traceback" not in errors
    assert Job.objects.get().status == "canceled"
    assert 0 < Photo.objects.count() < FILES
    second = start_import(folder)
    second.communicate(timeout=PATIENCE_SECONDS)
    assert second.returncode == 0
    assert_complete()


@pytest.mark.django_db(transaction=True)
def test_an_import_that_is_killed_leaves_no_photo_without_bytes(alice: Any, folder: Path) -> None:
    first = start_import(folder)
    wait_until(lambda: Photo.objects.count() > 3)
    first.kill()
    first.communicate(timeout=PATIENCE_SECONDS)
    for photo in Photo.objects.all():
        assert len(read_bytes(originals(), photo.original_key)) == photo.size
    assert start_import(folder).wait(PATIENCE_SECONDS) == 0
    assert_complete()


@pytest.fixture
def own_postgres() -> Iterator[Path]:
    """The data directory of a PostgreSQL that this test may crash. As durable as that of `make run`."""
    data = Path(tempfile.mkdtemp(prefix="chitra-crash-"))
    data.chmod(0o755)
    yield data
    shutil.rmtree(data)


def test_an_import_survives_a_crash_of_the_database(own_postgres: Path, folder: Path) -> None:
    lease = embedded.acquire(own_postgres, SERVER_SETTINGS)
    try:
        environment = {"CHITRA_DATABASE_URL": lease.url(), "CHITRA_DATA_DIR": str(own_postgres)}
        code, _, errors = processes.run("manage.py", "migrate", "--verbosity=0", environment=environment)
        assert code == 0, errors
        running = processes.start("manage.py", "import_photos", folder, environment=environment)
        wait_until(lambda: count(lease.url()) > 3)
        os.kill(lease.postmaster.pid, signal.SIGQUIT)  # as `pg_ctl restart -m immediate` does
        embedded.wait_for_exit(lease.postmaster.pid)
        lease.release()
        lease = embedded.acquire(own_postgres, SERVER_SETTINGS)
        out, errors = running.communicate(timeout=2 * PATIENCE_SECONDS)
        assert running.returncode == 0, errors
        assert "0 not pictures, 0 failed" in out
        with psycopg.connect(lease.url()) as link:
            rows = link.execute("SELECT original_key, size FROM photos_photo").fetchall()
            steps = link.execute("SELECT count(*) FROM photos_photostep").fetchone()
            job = link.execute("SELECT status, done, result FROM jobs_job").fetchall()
        assert len(rows) == FILES
        assert steps == (PLANNED * FILES,)
        assert job == [("finished", FILES, FILES)]
        for key, size in rows:
            assert (own_postgres / "media" / "originals" / key).stat().st_size == size
    finally:
        lease.release()


def count(url: str) -> int:
    with psycopg.connect(url) as link:
        row = link.execute("SELECT count(*) FROM photos_photo").fetchone()
    return row[0] if row else 0
