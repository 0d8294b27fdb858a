"""Files that the web server sends from the disk by itself, over real sockets."""

import hashlib
import http.client
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chitra.accounts.models import ApiKey
from chitra.tests.fixtures import make_user
from chitra.tests.processes import database_url
from chitra.tests.web import WebProcess
from photos.models import Library, Photo

SIZE = 20_000_000
IMAGE = "/api/photos/7/image"
PATIENCE_SECONDS = 60


@pytest.fixture
def web(tmp_path: Path, transactional_db: None) -> Iterator[WebProcess]:
    process = WebProcess(tmp_path, CHITRA_DATABASE_URL=database_url(), CHITRA_DATA_DIR=str(tmp_path))
    process.start()
    yield process
    process.kill()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The original of the photo."""
    path = tmp_path / "media" / "originals" / "1" / "large.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(os.urandom(SIZE))
    return path


@pytest.fixture
def headers(web: WebProcess, file: Path) -> dict[str, str]:
    alice = make_user("alice@example.org")
    photo = Photo(library=Library.objects.home_of(alice), original_key="1/large.jpg", size=SIZE)
    photo.pk, photo.checksum, photo.mime_type, photo.original_name = 7, "c" * 64, "image/jpeg", "large.jpg"
    photo.taken_at = photo.created_at
    photo.save()
    return {"authorization": f"Bearer {ApiKey.issue(alice, 'test')[1]}"}


class Asker:
    """A client with one connection, which it keeps."""

    def __init__(self, web: WebProcess, headers: dict[str, str]) -> None:
        self._link = http.client.HTTPConnection("127.0.0.1", web.port, timeout=30)
        self._headers = headers

    def ask(self, path: str = IMAGE, method: str = "GET", **more: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers in lower case and body."""
        self._link.request(
            method, path, headers={**self._headers, **{k.replace("_", "-"): v for k, v in more.items()}}
        )
        answer = self._link.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def open_files(web: WebProcess, file: Path) -> int:
    assert web.process is not None
    links = Path(f"/proc/{web.process.pid}/fd").iterdir()
    return sum(os.path.realpath(link) == str(file) for link in links)


def assert_closed(web: WebProcess, file: Path) -> None:
    """The server has it open no more, or soon: it closes it after the last byte went out."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while open_files(web, file) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert open_files(web, file) == 0


def test_a_file_comes_whole_and_in_parts(web: WebProcess, headers: dict[str, str], file: Path) -> None:
    data = file.read_bytes()
    asker = Asker(web, headers)
    status, answer, body = asker.ask()
    assert (status, answer["content-length"], answer["content-type"]) == (200, str(SIZE), "image/jpeg")
    assert hashlib.sha256(body).digest() == hashlib.sha256(data).digest()
    status, part, body = asker.ask(range="bytes=1000000-4999999")
    assert (status, part["content-range"]) == (206, f"bytes 1000000-4999999/{SIZE}")
    assert body == data[1_000_000:5_000_000]
    assert asker.ask(method="HEAD")[1]["content-length"] == str(SIZE)
    assert asker.ask(if_none_match=answer["etag"])[0] == 304
    assert json.loads(asker.ask("/api/photos/7")[2])["id"] == 7  # the connection is still good
    assert_closed(web, file)


def test_many_and_slow_clients_each_get_theirs(web: WebProcess, headers: dict[str, str], file: Path) -> None:
    links = [asking(web, headers) for _ in range(20)]
    time.sleep(0.5)
    assert Asker(web, headers).ask("/api/photos/7")[0] == 200  # nobody waits for them
    digest = hashlib.sha256(file.read_bytes()).digest()
    for link in links:
        with link, link.makefile("rb") as answer:
            while answer.readline().strip():
                pass
            assert hashlib.sha256(answer.read(SIZE)).digest() == digest
    assert_closed(web, file)


def test_a_client_that_goes_away_leaves_nothing_open(
    web: WebProcess, headers: dict[str, str], file: Path
) -> None:
    for _ in range(10):
        with asking(web, headers) as link:
            link.recv(100_000)
    assert_closed(web, file)
    assert Asker(web, headers).ask()[0] == 200


def test_a_file_that_became_shorter_ends_the_connection(
    web: WebProcess, headers: dict[str, str], file: Path
) -> None:
    with asking(web, headers) as link:
        received = len(link.recv(1000))
        os.truncate(file, SIZE // 2)
        link.settimeout(20)
        try:
            while data := link.recv(1_000_000):
                received += len(data)
        except ConnectionResetError:
            pass
    assert received < SIZE


def asking(web: WebProcess, headers: dict[str, str]) -> socket.socket:
    """A connection on which the image was asked for and nothing is read yet."""
    link = socket.create_connection(("127.0.0.1", web.port), timeout=30)
    lines = [f"GET {IMAGE} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    link.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    return link
