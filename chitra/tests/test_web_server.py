"""The web server over real sockets: what it says to requests that it does not take."""

import json
import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection

from chitra.accounts.models import ApiKey, User
from chitra.client.transport import Transport
from chitra.tests.processes import database_url
from chitra.tests.web import WebProcess


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[WebProcess]:
    folder: Path = tmp_path_factory.mktemp("web")
    process = WebProcess(folder, CHITRA_DATABASE_URL=database_url(), CHITRA_DATA_DIR=str(folder))
    process.start()
    yield process
    process.kill()


def ask(web: WebProcess, request: bytes) -> tuple[int, bytes]:
    """Status and body of what the server answers before it closes."""
    with socket.create_connection(("127.0.0.1", web.port), timeout=30) as link:
        link.sendall(request)
        answer = b"".join(iter(lambda: link.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


@pytest.mark.parametrize("length", [20_000, 2_000_000])
def test_an_address_that_is_too_long_is_refused_in_words(web: WebProcess, length: int) -> None:
    path = b"/api/search/photos?q=" + b"x" * length
    status, body = ask(web, b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path)
    assert (status, json.loads(body)["error"]) == (414, "address_too_long")


def test_a_header_that_is_too_long_is_refused_in_words(web: WebProcess) -> None:
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: %s\r\n\r\n" % (b"x" * 20_000)
    status, body = ask(web, request)
    assert (status, json.loads(body)["error"]) == (431, "headers_too_large")


def test_a_request_that_is_refused_unread_has_an_id_that_the_log_knows(web: WebProcess) -> None:
    with socket.create_connection(("127.0.0.1", web.port), timeout=30) as link:
        link.sendall(b"GET /?q=%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % (b"x" * 20_000))
        answer = b"".join(iter(lambda: link.recv(65536), b""))
    request_id = re.search(rb"X-Request-ID: ([0-9a-f]{32})\r\n", answer)
    assert request_id is not None
    assert f"414 URI Too Long [{request_id[1].decode()}]" in web.log.read_text()


@pytest.mark.parametrize("request_text", [b"no request\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 6000])
def test_what_is_no_request_is_refused_in_words(web: WebProcess, request_text: bytes) -> None:
    status, body = ask(web, request_text)
    assert (status, json.loads(body)["error"]) == (400, "bad_request")


def test_the_icon_that_browsers_ask_for_is_there(web: WebProcess) -> None:
    with socket.create_connection(("127.0.0.1", web.port), timeout=30) as link:
        link.sendall(b"GET /favicon.ico HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: link.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 302")
    assert b"Location: /static/icon.svg" in answer


@pytest.mark.django_db(transaction=True)
def test_no_request_meets_a_connection_that_the_database_has_ended(alice: User, web: WebProcess) -> None:
    headers = {"x-api-key": ApiKey.issue(alice, "phone")[1]}

    def look(path: str) -> int:
        return Transport(web.url).send("GET", path, b"", headers).status

    paths = ["/api/statistics", "/api/photos", "/api/timeline"] * 4
    with ThreadPoolExecutor(len(paths)) as pool:
        assert set(pool.map(look, paths)) == {200}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    time.sleep(0.5)
    assert [look(path) for path in paths] == [200] * len(paths)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("announced", [False, True])
def test_clients_that_stop_sending_keep_no_connection_to_the_database(
    alice: User, web: WebProcess, announced: bool
) -> None:
    """A pool of four, six uploads: the seventh request finds a connection."""
    key = ApiKey.issue(alice, "phone")[1]
    method, path, head = "POST", "/api/photos/upload", "Content-Type: multipart/form-data; boundary=b"
    if announced:
        headers = {"x-api-key": key, "Tus-Resumable": "1.0.0", "Upload-Length": "900000"}
        path = Transport(web.url).send("POST", "/api/uploads", b"", headers).headers["Location"]
        head = "Content-Type: application/offset+octet-stream\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0"
        method = "PATCH"
    lines = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nx-api-key: {key}\r\n{head}\r\n"
    begun = f"{lines}Content-Length: 900000\r\n\r\n--b\r\n".encode()
    stalled = [socket.create_connection(("127.0.0.1", web.port), timeout=30) for _ in range(6)]
    try:
        for link in stalled:
            link.sendall(begun)
        time.sleep(2)
        assert Transport(web.url).send("GET", "/api/statistics", b"", {"x-api-key": key}).status == 200
    finally:
        for link in stalled:
            link.close()
