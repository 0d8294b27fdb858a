"""Django's handler as Chitra runs it: which thread a request has."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.signals import request_started

from chitra import live_body
from chitra.live_body import LiveBodyHandler

SCOPE = {
    "type": "http",
    "method": "GET",
    "path": "/api/photos",
    "query_string": b"",
    "headers": [(b"host", b"localhost")],
}


@pytest.fixture
def threads() -> Iterator[list[int]]:
    """The thread of each request, in order."""
    seen: list[int] = []

    def note(**_: Any) -> None:
        seen.append(threading.get_ident())

    request_started.connect(note)
    yield seen
    request_started.disconnect(note)


async def visit(handler: LiveBodyHandler) -> int:
    """The status of the answer."""
    body = [{"type": "http.request", "body": b"", "more_body": False}]
    status = []

    async def receive() -> dict[str, Any]:
        return body.pop() if body else await asyncio.Future()

    async def send(message: dict[str, Any]) -> None:
        if "status" in message:
            status.append(message["status"])

    await handler(dict(SCOPE), receive, send)
    return int(status[0])


def test_requests_one_after_another_share_a_thread(threads: list[int]) -> None:
    handler = LiveBodyHandler()

    async def three() -> list[int]:
        return [await visit(handler) for _ in range(3)]

    assert asyncio.run(three()) == [401, 401, 401]
    assert len(set(threads)) == 1


@pytest.fixture
def together() -> Iterator[Callable[[int], None]]:
    """Makes so many requests wait for each other on their threads."""
    barriers: list[threading.Barrier] = []

    def wait(**_: Any) -> None:
        for barrier in barriers:
            barrier.wait(10)

    request_started.connect(wait)
    yield lambda count: barriers.append(threading.Barrier(count))
    request_started.disconnect(wait)


def test_requests_at_the_same_time_have_threads_of_their_own_and_some_are_kept(
    threads: list[int], together: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_body, "KEPT_THREADS", 2)
    handler = LiveBodyHandler()
    together(4)

    async def four() -> list[int]:
        return await asyncio.gather(*(visit(handler) for _ in range(4)))

    assert asyncio.run(four()) == [401] * 4
    assert len(set(threads)) == 4
    assert len(handler.threads) == 2


def test_nobody_waits_for_the_thread_of_a_request_that_was_given_up(threads: list[int]) -> None:
    handler = LiveBodyHandler()
    may_go_on = threading.Event()

    def take_long(**_: Any) -> None:
        request_started.disconnect(take_long)
        may_go_on.wait(60)

    async def give_up_and_ask_again() -> int:
        await visit(handler)  # whose thread is kept
        request_started.connect(take_long)
        slow = asyncio.ensure_future(visit(handler))
        await asyncio.sleep(0.2)
        slow.cancel()  # as the server does, some seconds after the client has gone
        await asyncio.wait([slow])
        return await asyncio.wait_for(visit(handler), 30)

    try:
        assert asyncio.run(give_up_and_ask_again()) == 401
    finally:
        may_go_on.set()
