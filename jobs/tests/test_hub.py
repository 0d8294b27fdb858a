"""A hub is asked at most once, for a bounded time, and its silence is remembered."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from jobs import hub


class Hub(ThreadingHTTPServer):
    """A web server on the loopback that answers each HEAD with `code`, and counts them."""

    daemon_threads = True

    def __init__(self, code: int = 200, location: str = "") -> None:
        self.code, self.location, self.requests = code, location, 0
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        assert isinstance(self.server, Hub)
        self.server.requests += 1
        self.send_response(self.server.code)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.end_headers()

    do_GET = do_HEAD  # noqa: N815  urllib follows a redirected HEAD with a GET

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test output clean."""


@contextmanager
def serving(server: Hub) -> Iterator[Hub]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.fixture(autouse=True)
def _online_without_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    monkeypatch.setenv("NO_PROXY", "*")


def url_of_nobody() -> str:
    """An address of this machine where no one listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_a_hub_that_answers_is_reachable(tmp_path: Path) -> None:
    with serving(Hub()) as server:
        assert hub.is_reachable(server.url, state_dir=tmp_path)


def test_yes_is_believed_for_a_few_minutes_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Hub()) as server:
        hub.is_reachable(server.url, state_dir=tmp_path)
        hub.is_reachable(server.url, state_dir=tmp_path)
        assert server.requests == 1
        later = time.time() + hub.TRUST_SUCCESS_SECONDS + 1
        monkeypatch.setattr(time, "time", lambda: later)
        hub.is_reachable(server.url, state_dir=tmp_path)
        assert server.requests == 2


def test_no_is_remembered_with_its_reason(tmp_path: Path) -> None:
    with serving(Hub(code=503)) as server:
        assert not hub.is_reachable(server.url, state_dir=tmp_path)
        server.code = 200
        assert not hub.is_reachable(server.url, state_dir=tmp_path)
        assert server.requests == 1
        host = server.url.removeprefix("http://")
    assert hub.recent_failure(host, state_dir=tmp_path) == "answered with HTTP 503"


def test_no_is_asked_again_after_some_hours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Hub(code=503)) as server:
        assert not hub.is_reachable(server.url, state_dir=tmp_path, remember_hours=2)
        server.code = 200
        later = time.time() + 2 * 3600 + 1
        monkeypatch.setattr(time, "time", lambda: later)
        assert hub.is_reachable(server.url, state_dir=tmp_path, remember_hours=2)


def test_forgetting_lets_the_next_question_probe_again(tmp_path: Path) -> None:
    with serving(Hub(code=503)) as server:
        assert not hub.is_reachable(server.url, state_dir=tmp_path)
        server.code = 200
        hub.forget(state_dir=tmp_path)
        assert hub.is_reachable(server.url, state_dir=tmp_path)


@pytest.mark.parametrize("code", [401, 404, 405])
def test_a_hub_that_dislikes_a_bare_head_is_alive_all_the_same(code: int, tmp_path: Path) -> None:
    with serving(Hub(code=code)) as server:
        assert hub.is_reachable(server.url, state_dir=tmp_path)


def test_a_proxy_that_refuses_is_not_the_hub(tmp_path: Path) -> None:
    with serving(Hub(code=403)) as server:
        assert not hub.is_reachable(server.url, state_dir=tmp_path)


def test_the_login_page_of_a_captive_portal_is_not_the_hub(tmp_path: Path) -> None:
    with serving(Hub()) as portal:
        login = f"http://localhost:{portal.server_port}/login"
        with serving(Hub(code=302, location=login)) as server:
            assert not hub.is_reachable(server.url, state_dir=tmp_path)
            host = server.url.removeprefix("http://")
    assert hub.recent_failure(host, state_dir=tmp_path) == "was sent on to localhost"


def test_a_refused_connection_is_an_answer(tmp_path: Path) -> None:
    assert not hub.is_reachable(url_of_nobody(), state_dir=tmp_path)


def test_a_server_that_never_answers_costs_the_timeout_and_no_more(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        started = time.monotonic()
        assert not hub.is_reachable(url, state_dir=tmp_path, timeout_seconds=0.2)
        assert not hub.is_reachable(url, state_dir=tmp_path, timeout_seconds=0.2)
        assert time.monotonic() - started < 2


def test_a_name_lookup_that_hangs_is_bounded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hang(*args: object, **kwargs: object) -> list[object]:
        released.wait(30)
        raise socket.gaierror("never resolved")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    try:
        assert not hub.is_reachable("hub.invalid", state_dir=tmp_path, timeout_seconds=0.2)
    finally:
        released.set()
    assert hub.recent_failure("hub.invalid", state_dir=tmp_path) == "no answer within 0.2 seconds"


def test_of_many_who_ask_at_once_one_probes(tmp_path: Path) -> None:
    answers: list[bool] = []
    with serving(Hub(code=503)) as server:

        def ask() -> None:
            answers.append(hub.is_reachable(server.url, state_dir=tmp_path))

        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert server.requests == 1
    assert answers == [False] * 6


def test_hf_hub_offline_forbids_even_the_probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with serving(Hub()) as server:
        assert not hub.is_reachable(server.url, state_dir=tmp_path)
        assert server.requests == 0


def test_a_mirror_named_by_hf_endpoint_is_asked_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hub.hugging_face_url() == "https://huggingface.co"
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/")
    assert hub.hugging_face_url() == "https://mirror.example"


def test_a_failed_download_is_remembered_by_its_key(tmp_path: Path) -> None:
    assert hub.recent_failure("open_clip:ViT-B-32/tag:1", state_dir=tmp_path) is None
    hub.remember_failure("open_clip:ViT-B-32/tag:1", "disk full", state_dir=tmp_path)
    assert hub.recent_failure("open_clip:ViT-B-32/tag:1", state_dir=tmp_path) == "disk full"


def test_a_damaged_memory_file_is_as_good_as_none(tmp_path: Path) -> None:
    with serving(Hub()) as server:
        hub.is_reachable(server.url, state_dir=tmp_path)
        [memory] = (tmp_path / "hub").glob("*.json")
        memory.write_text(json.dumps(["half", "written"]))
        assert hub.is_reachable(server.url, state_dir=tmp_path)
        assert server.requests == 2


@pytest.mark.parametrize("address", ["ftp://hub.invalid", "file:///etc/passwd", "https://"])
def test_other_addresses_are_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not the address of a hub"):
        hub.is_reachable(address, state_dir=tmp_path)
