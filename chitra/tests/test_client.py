"""The client and its command line against a real server."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from chitra.accounts.models import ApiKey, User
from chitra.client import ApiError, Client, Unreachable
from chitra.client.commands import main
from chitra.client.config import OpenUploads
from chitra.client.transport import Transport
from chitra.client.uploader import find_files, is_picture, sha256_of
from chitra.tests.processes import database_url
from chitra.tests.web import WebProcess
from photos.models import Album, Photo, ResumableUpload
from photos.tests.pictures import jpeg

PASSWORD = "correct horse battery"


@pytest.fixture
def web(tmp_path: Path, transactional_db: None) -> Iterator[WebProcess]:
    environment = {"CHITRA_DATA_DIR": str(tmp_path / "server"), "CHITRA_DATABASE_URL": database_url()}
    (tmp_path / "server").mkdir()
    process = WebProcess(tmp_path, **environment)
    process.start()
    yield process
    process.kill()


@pytest.fixture(autouse=True)
def _own_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("CHITRA_URL", "CHITRA_API_KEY", "CHITRA_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def account(web: WebProcess, monkeypatch: pytest.MonkeyPatch) -> User:
    """Alice, known to the command line."""
    alice = User.objects.create_user("alice@example.org", None)
    monkeypatch.setenv("CHITRA_URL", web.url)
    monkeypatch.setenv("CHITRA_API_KEY", ApiKey.issue(alice, "test")[1])
    return alice


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two trips of two photos, one of them twice, and what is no picture."""
    root = tmp_path / "pictures"
    for trip in ("Sea", "Hills"):
        (root / trip).mkdir(parents=True)
        for number in range(2):
            (root / trip / f"{number}.jpg").write_bytes(jpeg(seed=len(trip) * 10 + number))
    (root / "Hills" / "again.jpg").write_bytes(jpeg(seed=30))  # 0.jpg of the sea
    (root / "notes.txt").write_text("nothing")
    (root / ".hidden.jpg").write_bytes(jpeg(seed=99))
    return root


def run(capsys: pytest.CaptureFixture[str], *arguments: Any) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, JSON lines and standard error of a command with --json."""
    code = main([*map(str, arguments), "--json"])
    printed = capsys.readouterr()
    return code, [json.loads(line) for line in printed.out.splitlines()], printed.err


def test_the_client_needs_no_django() -> None:
    script = "import sys, chitra.client.commands; assert 'django' not in sys.modules, 'django'"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_folders_are_uploaded_once_into_albums_named_like_them(
    account: User, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines, _ = run(capsys, "upload", "-r", "--dry-run", folder)
    assert (code, lines[-1]["summary"]["would_upload"], Photo.objects.count()) == (0, 5, 0)

    code, lines, _ = run(capsys, "upload", "-r", "--album-from-folder", "--concurrency", 3, folder)
    summary = lines[-1]["summary"]
    assert (code, summary["uploaded"], summary.get("duplicate", 0)) == (0, 4, 1)
    assert Photo.objects.count() == 4
    albums = {album.name: album.photos.count() for album in Album.objects.all()}
    assert albums == {"Sea": 2, "Hills": 3}  # again.jpg is 0.jpg of the other trip

    code, lines, _ = run(capsys, "upload", "-r", folder)
    assert (code, lines[-1]["summary"]) == (0, {"existing": 5, "bytes": 0})

    Photo.objects.filter(pk=Photo.objects.order_by("pk")[0].pk).move_to_trash()
    code, lines, _ = run(capsys, "upload", "-r", folder)
    assert lines[-1]["summary"]["trashed"] >= 1
    assert Photo.objects.filter(deleted_at__isnull=False).count() == 1


def test_what_is_no_picture_fails_and_the_rest_is_uploaded(
    account: User, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines, _ = run(capsys, "upload", folder / "notes.txt", folder / "Sea" / "0.jpg")
    by_name = {Path(line["path"]).name: line for line in lines if "path" in line}
    assert code == 1
    assert by_name["0.jpg"]["status"] == "uploaded"
    assert by_name["notes.txt"]["status"] == "failed"
    assert "not a picture" in by_name["notes.txt"]["error"]


def test_a_large_upload_goes_on_after_the_server_was_killed(
    web: WebProcess, account: User, tmp_path: Path
) -> None:
    path = tmp_path / "large.jpg"
    path.write_bytes(jpeg() + bytes(24 * 1024 * 1024))
    client = Client(web.url, key=ApiKey.issue(account, "other")[1])
    sent, killed = 0, False

    def progress(count: int) -> None:
        nonlocal sent, killed
        sent += count
        if sent > 16 * 1024 * 1024 and not killed:
            killed = True
            web.kill()
            web.start()

    uploaded = client.upload(path, progress=progress)
    assert killed
    assert Photo.objects.get(pk=uploaded.photo_id).size == path.stat().st_size
    assert sent == path.stat().st_size
    assert client.check([Photo.objects.get().checksum])


def test_a_file_waits_for_a_server_that_is_started_again(
    web: WebProcess, account: User, folder: Path
) -> None:
    client = Client(web.url, key=ApiKey.issue(account, "other")[1])
    web.kill()
    with ThreadPoolExecutor(1) as pool:
        uploading = pool.submit(client.upload, folder / "Sea" / "0.jpg")
        time.sleep(1)
        web.start()
    assert uploading.result().photo_id == Photo.objects.get().pk


def test_another_process_goes_on_with_a_large_upload(web: WebProcess, account: User, tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    path.write_bytes(jpeg() + bytes(12 * 1024 * 1024))
    client = Client(web.url, key=ApiKey.issue(account, "other")[1])

    class Stopped(Exception):
        pass

    seen: list[int] = []

    def stop_half_way(count: int) -> None:
        seen.append(count)
        if sum(seen) > 6 * 1024 * 1024:
            raise Stopped

    open_uploads = OpenUploads(client.url)
    with pytest.raises(Stopped):
        client.upload(path, began=lambda where: open_uploads.remember("sum", where), progress=stop_half_way)
    location = OpenUploads(client.url).find("sum")
    assert location.startswith("/api/uploads/")
    client.close()
    uploaded = client.upload(path, resume=location)
    assert Photo.objects.get(pk=uploaded.photo_id).size == path.stat().st_size


def command(*arguments: Any, **environment: str) -> subprocess.Popen[bytes]:
    """The command line as a process of its own. Ctrl-C ends it, even if these tests run in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return subprocess.Popen(
        [sys.executable, "-m", "chitra.client", *map(str, arguments)],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_an_upload_is_interrupted_at_once_and_goes_on_later(
    web: WebProcess, account: User, tmp_path: Path
) -> None:
    path = tmp_path / "large.jpg"
    path.write_bytes(jpeg() + bytes(64 * 1024 * 1024))
    process = command("upload", path)
    wait_until(lambda: bool(OpenUploads(web.url).find(sha256_of(path))))
    assert web.process is not None
    web.process.send_signal(signal.SIGSTOP)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert (process.returncode, b"Interrupted" in said) == (130, True)
    web.process.send_signal(signal.SIGCONT)
    assert command("upload", path).wait(timeout=60) == 0
    assert ResumableUpload.objects.get().photo == Photo.objects.get()


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_pipes_between_pictures_are_passed_by(folder: Path) -> None:
    os.mkfifo(folder / "pipe.jpg")
    assert len(list(find_files([folder], recursive=True))) == 5


@pytest.mark.parametrize("encoding", ["utf-8:strict", "ascii:strict"])
def test_names_that_the_terminal_cannot_show_are_shown_somehow(
    account: User, tmp_path: Path, encoding: str
) -> None:
    name = os.fsdecode("é".encode() + b"\xff.jpg")
    (tmp_path / name).write_bytes(jpeg())
    for arguments in ("upload", "--json"), ("upload", "--dry-run"):
        process = command(*arguments, tmp_path / name, PYTHONIOENCODING=encoding)
        out, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
        if arguments[1] == "--json":
            assert json.loads(out.splitlines()[0])["path"] == str(tmp_path / name)


def test_who_reads_only_the_first_lines_ends_it_quietly(account: User, folder: Path) -> None:
    process = command("upload", "-r", "--dry-run", folder)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(timeout=60) == 130


def test_photos_are_listed_changed_and_searched(
    web: WebProcess, account: User, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "upload", "-r", folder)
    with Client(web.url, key=ApiKey.issue(account, "other")[1]) as client:
        photos = list(client.photos())
        assert len(photos) == 4
        client.change_photo(photos[0]["id"], favorite=True, title="Sunset")
        assert [photo["title"] for photo in client.photos(favorite=True)] == ["Sunset"]
        assert client.bulk("trash", ids=[photos[1]["id"]]) == 1
        with pytest.raises(ApiError) as caught:
            client.photo(photos[1]["id"])
        assert (caught.value.status, caught.value.code) == (404, "photo_not_found")


def test_log_in_keeps_a_key_for_this_user_only(
    web: WebProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    alice = User.objects.create_user("alice@example.org", PASSWORD)
    monkeypatch.setenv("CHITRA_PASSWORD", PASSWORD)
    assert main(["login", web.url, "--email", "alice@example.org"]) == 0
    kept = tmp_path / "config" / "chitra" / "client.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in kept.read_text()
    assert ApiKey.objects.get(user=alice).name.startswith("chitra on ")
    (tmp_path / "a.jpg").write_bytes(jpeg())
    assert main(["upload", str(tmp_path / "a.jpg")]) == 0
    assert "1 uploaded" in capsys.readouterr().err
    monkeypatch.setenv("CHITRA_PASSWORD", "wrong")
    assert main(["login", web.url, "--email", "alice@example.org"]) == 3


# Without a server


def test_exit_codes_say_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["search", "sea"]) == 3
    monkeypatch.setattr("sys.stdin", io.StringIO())  # nobody types
    assert main(["login", "http://127.0.0.1:1"]) == 2
    assert "CHITRA_PASSWORD" in capsys.readouterr().err
    assert main(["upload", str(tmp_path / "nothing")]) == 2
    assert main(["upload", str(tmp_path)]) == 2
    assert "add -r" in capsys.readouterr().err
    with pytest.raises(SystemExit) as caught:
        main(["upload", "-c", "0", "x"])
    assert caught.value.code == 2
    monkeypatch.setattr("chitra.client.transport.PAUSES_SECONDS", (0.0,))
    monkeypatch.setenv("CHITRA_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("CHITRA_API_KEY", "chitra_x")
    assert main(["search", "sea"]) == 4


@pytest.mark.parametrize("url", ["", "ftp://x", "https://", "http:///x"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        Transport(url)


def test_pictures_are_told_by_content(folder: Path) -> None:
    found = [file.path.name for file in find_files([folder], recursive=True)]
    assert sorted(found) == ["0.jpg", "0.jpg", "1.jpg", "1.jpg", "again.jpg"]
    assert not is_picture(folder / "notes.txt")


def test_a_busy_server_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from email.message import Message

    from chitra.client.transport import Answer

    answers = iter([Answer(503, Message(), b""), Answer(200, Message(), b"{}")])
    transport = Transport("localhost")
    monkeypatch.setattr("chitra.client.transport.time.sleep", lambda seconds: None)
    monkeypatch.setattr(transport, "send", lambda *request: next(answers))
    assert transport.request("POST", "/api/x").status == 200
    with pytest.raises(StopIteration):
        transport.request("GET", "/api/x")


def test_a_change_is_not_sent_twice_when_the_connection_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []

    def break_off(*request: Any) -> Any:
        sent.append(request)
        raise Unreachable("gone")

    transport = Transport("localhost")
    monkeypatch.setattr("chitra.client.transport.time.sleep", lambda seconds: None)
    monkeypatch.setattr(transport, "send", break_off)
    with pytest.raises(Unreachable):
        transport.request("POST", "/api/x")
    assert len(sent) == 1
