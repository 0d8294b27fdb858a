"""The PostgreSQL that comes with Chitra: one server for each data directory, up while anybody uses it.

Every process that uses the server holds a *lease*, a shared lock on a file in the data directory that the
kernel drops with the process, however it ends. Whoever gives back the last lease stops the server. Knows no
Django.
"""

import atexit
import fcntl
import logging
import os
import select
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from chitra.postgres import (
    DATABASE,
    SERVER_SETTINGS,
    WAIT_SECONDS,
    Cluster,
    EmbeddedError,
    Postmaster,
    database_url,
)

BASE_DIR = Path(__file__).resolve().parent.parent
# Commands that start the database themselves or need none.
COMMANDS_WITHOUT_DATABASE = frozenset(
    {"run", "help", "version", "collectstatic", "compilemessages", "makemessages", "diffsettings", "startapp"}
)

logger = logging.getLogger(__name__)


def data_dir() -> Path:
    """The absolute data directory: CHITRA_DATA_DIR, else `var/` beside manage.py. It may not exist yet."""
    return Path(os.environ.get("CHITRA_DATA_DIR") or BASE_DIR / "var").expanduser().resolve()


PRIVATE_FOLDERS = ("media", "state")  # made closed: photos and the secret key lie in them


def prepare_data_dir(directory: Path) -> None:
    """Create the data directory and prove it writable.

    It is private; made by root, PostgreSQL's account may pass through it but not list it.
    """
    try:
        if not directory.exists():
            directory.mkdir(parents=True)
            directory.chmod(0o711 if os.geteuid() == 0 else 0o700)
        for name in PRIVATE_FOLDERS:
            (directory / name).mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise EmbeddedError(
            f"The data directory {directory} is not writable ({error.strerror}). "
            "Choose another one with CHITRA_DATA_DIR=/path/to/folder."
        ) from error


class Lease:
    """This process's use of the server. Give it back with `release`; the last one out stops the server."""

    def __init__(self, cluster: Cluster, postmaster: Postmaster, data: Path, users_fd: int) -> None:
        self._cluster = cluster
        self._data = data
        self._users_fd: int | None = users_fd
        self._owner_pid = os.getpid()
        self.postmaster = postmaster

    def url(self, database: str = DATABASE) -> str:
        """The libpq URL of a database on this server."""
        return database_url(self.postmaster.socket_dir, database)

    def release(self) -> None:
        """Give the lease back, once; in a forked child nothing happens, the lease is its parent's."""
        if self._users_fd is None or os.getpid() != self._owner_pid:
            return
        users_fd, self._users_fd = self._users_fd, None
        try:
            with _startup_lock(self._data):
                fcntl.flock(users_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._cluster.stop()
        except BlockingIOError:
            logger.debug("PostgreSQL stays up: another process uses it")
        finally:
            os.close(users_fd)


def acquire(data: Path, settings: Mapping[str, str] = SERVER_SETTINGS) -> Lease:
    """Make sure that the server of this data directory runs, and take a lease on it.

    A server that already runs is used as it is. Raises EmbeddedError when there is no server to be had.
    """
    prepare_data_dir(data)
    with _startup_lock(data):
        users_fd = os.open(data / "postgres.users", os.O_RDONLY | os.O_CREAT, 0o644)
        try:
            fcntl.flock(users_fd, fcntl.LOCK_SH)
            cluster = Cluster(data)
            postmaster = cluster.start(settings)
            _ensure_database(postmaster.socket_dir)
        except BaseException:
            os.close(users_fd)
            raise
    return Lease(cluster, postmaster, data, users_fd)


def running_url(data: Path) -> str | None:
    """The URL of the database when its server runs, else None. Starts nothing."""
    postmaster = Cluster(data).postmaster()
    return database_url(postmaster.socket_dir) if postmaster else None


def is_database_given() -> bool:
    """Whether the settings name a PostgreSQL server, so that none is to be started."""
    return any(os.environ.get(name) for name in ("CHITRA_DATABASE_URL", "CHITRA_DATABASE_URL_FILE"))


def needs_database(arguments: Sequence[str]) -> bool:
    """Whether `manage.py` with these arguments (without the program's name) wants a database to be there."""
    if not arguments or arguments[0].startswith("-"):
        return False
    return arguments[0] not in COMMANDS_WITHOUT_DATABASE and not {"-h", "--help"} & set(arguments)


def provide(arguments: Sequence[str]) -> None:
    """For manage.py: a server until the process ends, and CHITRA_DATABASE_URL set to it.

    Does nothing when the settings name a server or the command needs none.
    """
    if is_database_given() or not needs_database(arguments):
        return
    lease = acquire(data_dir())
    os.environ["CHITRA_DATABASE_URL"] = lease.url()
    atexit.register(lease.release)


def wait_for_exit(pid: int) -> None:
    """Return when the process, which need not be our child, is gone."""
    try:
        if hasattr(os, "pidfd_open"):
            descriptor = os.pidfd_open(pid)
            try:
                select.select([descriptor], [], [])
            finally:
                os.close(descriptor)
        else:
            while True:
                os.kill(pid, 0)
                time.sleep(1)
    except ProcessLookupError:
        return


def keep_running() -> int:
    """Start the server or join it; hold a lease until it dies (exit status 1) or SIGTERM comes (0)."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    asked: list[int] = []  # a stop that is asked for while the server starts has to wait for the lease
    signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
    try:
        lease = acquire(data_dir())
    except EmbeddedError as error:
        logger.error("%s", error)
        return 1
    try:
        signal.signal(signal.SIGTERM, _exit_quietly)
        if asked:
            return 0
        logger.info("PostgreSQL is ready")
        wait_for_exit(lease.postmaster.pid)
        logger.error("PostgreSQL has stopped")
        return 1
    finally:
        lease.release()


def _exit_quietly(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


@contextmanager
def _startup_lock(data: Path) -> Iterator[None]:
    """One process at a time starts or stops the server. Waits twice as long as a start may take."""
    descriptor = os.open(data / "postgres.lock", os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        deadline = time.monotonic() + 2 * WAIT_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise EmbeddedError(
                        f"Another process has been starting the database in {data} for too long"
                    ) from error
                time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)


def _ensure_database(socket_dir: Path) -> None:
    """Create the database when it is missing, and make vectors known in it."""
    import psycopg

    with psycopg.connect(
        database_url(socket_dir, "postgres"), autocommit=True, connect_timeout=WAIT_SECONDS
    ) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
            connection.execute(f"CREATE DATABASE {DATABASE}")
            with psycopg.connect(database_url(socket_dir), autocommit=True) as database:
                database.execute("CREATE EXTENSION IF NOT EXISTS vector")


if __name__ == "__main__":
    sys.exit(keep_running())
