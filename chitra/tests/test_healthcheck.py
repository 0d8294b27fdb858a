"""The container's own check, against a small server and a made-up process list."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from chitra import healthcheck

Answer = Callable[[int, bytes], int]


@pytest.fixture
def answer() -> Iterator[Answer]:
    """Start a server that gives one answer to the host photos.example.org and 400 to others; its port."""
    servers: list[HTTPServer] = []

    def start(status: int, body: bytes) -> int:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                right = self.path == "/api/ready" and self.headers["Host"] == "photos.example.org"
                self.send_response(status if right else 400)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Stay quiet."""

        servers.append(HTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return servers[-1].server_port

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHITRA_ALLOWED_HOSTS", ".example.com, photos.example.org")


def test_a_server_that_is_ready_is_healthy_whatever_its_name(answer: Answer) -> None:
    assert healthcheck.check_web(answer(200, b"{}")) is None


def test_a_server_that_is_not_ready_says_what_is_missing(answer: Answer) -> None:
    problem = healthcheck.check_web(answer(503, b'{"ready": false, "storage": "error"}'))
    assert problem == "status 503: {'ready': False, 'storage': 'error'}"


def test_no_server_is_not_healthy(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(healthcheck, "TIMEOUT_SECONDS", 1)
    assert (healthcheck.check_web(1) or "").startswith("no answer on port 1")


@pytest.mark.parametrize(("processes", "healthy"), [(4, True), (2, False), (0, False)])
def test_a_worker_is_healthy_while_its_processes_are_there(
    tmp_path: Path, processes: int, healthy: bool
) -> None:
    for number in range(processes):
        (tmp_path / str(number + 1)).mkdir()
        (tmp_path / str(number + 1) / "cmdline").write_bytes(b"python\0manage.py\0qcluster\0")
    (tmp_path / "99").mkdir()  # gone while we looked
    (tmp_path / "meminfo").mkdir()
    assert (healthcheck.check_worker(tmp_path) is None) == healthy


def test_unknown_words_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert healthcheck.main(["everything"]) == 2
    assert "Usage" in capsys.readouterr().err
