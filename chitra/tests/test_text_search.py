"""Search by words on a running web server: light with it, and answering although the model's process dies."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from chitra.accounts.models import ApiKey
from chitra.tests.processes import database_url
from chitra.tests.web import WebProcess

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 180
HEAVY = ("libtorch", "tokenizers", "libvips", "onnxruntime", "cv2")
MOST_MEGABYTES = 200


@pytest.fixture
def web(tmp_path: Path, transactional_db: None) -> Iterator[WebProcess]:
    process = WebProcess(tmp_path, CHITRA_DATABASE_URL=database_url())
    process.start()
    yield process
    process.kill()


@pytest.fixture
def search(web: WebProcess, alice: Any) -> Callable[[str], int]:
    """Search with this text until the model is loaded; gives the status."""
    key = ApiKey.issue(alice, "test")[1]

    def ask(text: str) -> int:
        request = Request(f"{web.url}/api/search/photos?{urlencode({'q': text})}", headers={"x-api-key": key})
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with urlopen(request, timeout=PATIENCE_SECONDS) as answer:
                    return int(answer.status)
            except HTTPError as error:  # a busy machine takes longer to load the model than a request waits
                if error.code != 503 or time.monotonic() > deadline:
                    raise

    return ask


def children_of(web: WebProcess) -> list[int]:
    assert web.process is not None
    pid = web.process.pid
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def assert_ends(pid: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_web_server_stays_light_although_it_searches(
    web: WebProcess, search: Callable[[str], int]
) -> None:
    assert web.process is not None
    assert search("a dog") == 200
    maps = Path(f"/proc/{web.process.pid}/maps").read_text()
    assert [name for name in HEAVY if name in maps] == []
    assert web.resident_megabytes("VmHWM") < MOST_MEGABYTES


def test_a_search_survives_its_model_and_asks_it_once_for_each_text(
    web: WebProcess, search: Callable[[str], int]
) -> None:
    assert search("a dog") == 200
    (first,) = children_of(web)
    os.kill(first, signal.SIGKILL)
    assert_ends(first)
    assert search("a dog") == 200
    assert children_of(web) == []
    assert search("a boat") == 200
    assert children_of(web) not in ([], [first])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_model_ends_with_the_web_server(
    web: WebProcess, search: Callable[[str], int], number: signal.Signals
) -> None:
    assert web.process is not None
    search("a dog")
    (child,) = children_of(web)
    web.process.send_signal(number)
    web.process.wait(PATIENCE_SECONDS)
    assert_ends(child)
