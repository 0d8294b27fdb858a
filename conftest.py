"""Test set-up for all apps: a real PostgreSQL of the tests' own, and settings that touch nobody's data.

Settings are read when Django is first imported, so the environment is set here, before pytest-django looks.
"""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

import hypothesis
import pytest

from chitra import embedded
from chitra.postgres import TEST_SETTINGS

pytest_plugins = ["chitra.tests.s3", "chitra.tests.fixtures"]

BASE_DIR = Path(__file__).resolve().parent
POSTGRES_DATA_DIR = BASE_DIR / ".cache" / "test-postgres"
PREFIX = "chitra-test-"
MOST_RUNS = 32  # test runs at the same time in one checkout

# A busy machine is slow, which is no fault of what is tested.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")

run_key = pytest.StashKey["TestRun"]()


class TestRun:
    """What one test run holds: a lease on PostgreSQL, a database name and a data directory of its own."""

    __test__ = False

    def __init__(self) -> None:
        _remove_abandoned()
        self.data_dir = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._hold = _hold(self.data_dir)
        self._lease = embedded.acquire(POSTGRES_DATA_DIR, TEST_SETTINGS)
        self._slot, number = _take_slot()
        self.database_url = self._lease.url(f"chitra_{number}")

    def close(self) -> None:
        """Give everything back."""
        self._lease.release()
        os.close(self._slot)
        shutil.rmtree(self.data_dir, ignore_errors=True)
        os.close(self._hold)


def _hold(directory: Path) -> int:
    """Lock the directory of a run. The lock file gets its name when it is locked."""
    descriptor = os.open(directory / "hold.new", os.O_RDONLY | os.O_CREAT, 0o644)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    (directory / "hold.new").rename(directory / "hold")
    return descriptor


def _remove_abandoned() -> None:
    """Remove the directories of runs that were killed: their locks are free."""
    for lock in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/hold"):
        try:
            with lock.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
        except OSError:
            continue


def _take_slot() -> tuple[int, int]:
    """A lock and its number, so that several runs in one checkout do not use one database."""
    for number in range(MOST_RUNS):
        slot = os.open(POSTGRES_DATA_DIR / f"slot-{number}", os.O_RDONLY | os.O_CREAT, 0o644)
        try:
            fcntl.flock(slot, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(slot)
        else:
            return slot, number
    raise RuntimeError(f"more than {MOST_RUNS} test runs at the same time")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Start PostgreSQL in the controller; xdist's workers are its children and inherit the environment."""
    if not hasattr(config, "workerinput"):
        _start_run(config)
    from django.conf import settings
    from django.contrib.auth.hashers import PBKDF2PasswordHasher

    # Reads the settings now: pytest-django sets up Django only when they are there. The client of each test
    # would list all static files, which takes longer than most tests; servers have them, in other processes.
    settings.SERVESTATIC_USE_FINDERS = settings.SERVESTATIC_USE_STATIC_ROOT = False
    PBKDF2PasswordHasher.iterations = 1  # slow on purpose


def _start_run(config: pytest.Config) -> None:
    run = TestRun()
    config.stash[run_key] = run
    for name in [name for name in os.environ if name.startswith(("CHITRA_", "MINIO_"))]:
        del os.environ[name]
    os.environ.update(
        DJANGO_SETTINGS_MODULE="chitra.settings",
        CHITRA_DATABASE_URL=run.database_url,
        CHITRA_DATA_DIR=str(run.data_dir),
        CHITRA_SECRET_KEY="only-for-tests-" + "0" * 50,
        HF_HUB_OFFLINE="1",
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop PostgreSQL unless another run uses it."""
    if run := config.stash.get(run_key, None):
        run.close()
