"""Live events: over PostgreSQL from any process to the websockets of those who may see them."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psycopg
import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.test import Client

from chitra.accounts.models import ApiKey
from chitra.asgi import application
from chitra.client.transport import Transport
from chitra.tests import processes
from chitra.tests.web import WebProcess
from jobs import hearing
from jobs.events import publish
from jobs.live_api import event_stream
from photos.models import Membership

PATIENCE_SECONDS = 60


@pytest.fixture
def heard() -> Iterator[Callable[[], list[Any]]]:
    """What a listener on a connection of its own has heard by now."""
    url = processes.database_url()
    with psycopg.connect(url, autocommit=True) as link:
        link.execute("LISTEN chitra_events")

        def hear() -> list[Any]:
            return [json.loads(note.payload) for note in link.notifies(timeout=0.2)]

        yield hear


@pytest.mark.django_db(transaction=True)
def test_an_event_is_sent_when_its_transaction_commits(heard: Callable[[], list[Any]]) -> None:
    with transaction.atomic():
        publish(7, "photo", id=1)
        assert heard() == []
    assert heard() == [{"library_id": 7, "kind": "photo", "id": 1}]


@pytest.mark.django_db(transaction=True)
def test_an_event_is_not_sent_when_its_transaction_rolls_back(heard: Callable[[], list[Any]]) -> None:
    with transaction.atomic():
        publish(7, "photo", id=1)
        transaction.set_rollback(True)
    assert heard() == []


@pytest.mark.django_db(transaction=True)
def test_an_event_too_big_for_postgresql_comes_without_its_details(heard: Callable[[], list[Any]]) -> None:
    publish(7, "step", photos=list(range(100_000, 102_000)))
    assert heard() == [{"library_id": 7, "kind": "step"}]


def test_an_event_of_no_library_is_nobodys(db: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        publish(None, "job", id="1")


def websocket(user: Any = None, *, origin: str = "http://localhost") -> WebsocketCommunicator:
    headers = [(b"origin", origin.encode()), (b"host", b"localhost")]
    if user is not None:
        client = Client()
        client.force_login(user)
        headers.append((b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode()))
    return WebsocketCommunicator(application, "/ws/events", headers=headers)


def program(**headers: str) -> WebsocketCommunicator:
    """A websocket of no page: no origin, no cookies."""
    sent = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    return WebsocketCommunicator(application, "/ws/events", headers=sent)


def in_loop(coroutine: Callable[[], Awaitable[None]]) -> None:
    """Run on an event loop whose ORM calls use this thread's connection."""
    async_to_sync(coroutine)()


@pytest.mark.django_db(transaction=True)
def test_an_anonymous_websocket_is_refused() -> None:
    async def visit() -> None:
        socket = websocket()
        await socket.connect(timeout=PATIENCE_SECONDS)
        assert await socket.receive_output(PATIENCE_SECONDS) == {
            "type": "websocket.close",
            "code": 4401,
        }

    in_loop(visit)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("proxys_login", [[], [(b"authorization", b"Basic eDp5")]])
def test_a_page_of_another_site_is_refused(alice: Any, proxys_login: list[tuple[bytes, bytes]]) -> None:
    socket = websocket(alice, origin="https://evil.example")
    socket.scope["headers"] += proxys_login

    async def visit() -> None:
        connected, _ = await socket.connect(timeout=PATIENCE_SECONDS)
        assert not connected

    in_loop(visit)


@pytest.mark.django_db(transaction=True)
def test_a_member_hears_of_the_library_and_of_no_other(
    alice: Any, bob: Any, charlie: Any, library: Any, share_with: Any
) -> None:
    share_with(bob, "viewer")
    members = [websocket(alice), websocket(bob)]
    stranger = websocket(charlie)

    async def visit() -> None:
        for socket in [*members, stranger]:
            connected, _ = await socket.connect(timeout=PATIENCE_SECONDS)
            assert connected
        await sync_to_async(publish)(library.pk + 1000, "photo", id=1)
        await sync_to_async(publish)(library.pk, "photo", id=2)
        for socket in members:
            event = await socket.receive_json_from(timeout=PATIENCE_SECONDS)
            assert event == {"library_id": library.pk, "kind": "photo", "id": 2}
        assert await stranger.receive_nothing(timeout=0.2)
        for socket in [*members, stranger]:
            await socket.disconnect()

    in_loop(visit)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("header", ["authorization", "x_api_key"])
def test_a_program_hears_with_its_key(alice: Any, library: Any, header: str) -> None:
    key = ApiKey.issue(alice, "phone")[1]
    socket = program(**{header: f"Bearer {key}" if header == "authorization" else key})

    async def visit() -> None:
        assert (await socket.connect(timeout=PATIENCE_SECONDS))[0]
        await sync_to_async(publish)(library.pk, "photo", id=2)
        assert (await socket.receive_json_from(timeout=PATIENCE_SECONDS))["id"] == 2
        await socket.disconnect()

    in_loop(visit)


@pytest.mark.django_db(transaction=True)
def test_a_program_without_a_good_key_is_refused(alice: Any) -> None:
    async def visit() -> None:
        assert not (await program().connect(timeout=PATIENCE_SECONDS))[0]
        socket = program(authorization="Bearer chitra_nothing")
        await socket.connect(timeout=PATIENCE_SECONDS)
        closed = await socket.receive_output(PATIENCE_SECONDS)
        assert closed == {"type": "websocket.close", "code": 4401}

    in_loop(visit)


def test_a_websocket_at_an_unknown_address_is_refused() -> None:
    headers = [(b"x-api-key", b"any")]

    async def visit() -> None:
        assert not (await WebsocketCommunicator(application, "/ws/other", headers=headers).connect())[0]

    in_loop(visit)


@pytest.mark.django_db(transaction=True)
def test_who_left_the_library_hears_nothing_more(
    bob: Any, library: Any, share_with: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "RECHECK_SECONDS", 0.05)
    share_with(bob, "viewer")
    socket = websocket(bob)

    async def visit() -> None:
        assert (await socket.connect(timeout=PATIENCE_SECONDS))[0]
        await sync_to_async(Membership.objects.filter(user=bob).delete)()
        await asyncio.sleep(1)
        await sync_to_async(publish)(library.pk, "photo", id=2)
        assert await socket.receive_nothing(timeout=0.5)
        await socket.disconnect()

    in_loop(visit)


@pytest.mark.django_db(transaction=True)
def test_a_websocket_is_closed_when_its_session_ends(
    alice: Any, library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "RECHECK_SECONDS", 0.05)
    socket = websocket(alice)

    async def visit() -> None:
        assert (await socket.connect(timeout=PATIENCE_SECONDS))[0]
        await sync_to_async(Session.objects.all().delete)()
        closed = await socket.receive_output(PATIENCE_SECONDS)
        assert closed == {"type": "websocket.close", "code": 4401}

    in_loop(visit)


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """From the second look on, nothing answers where the database was; `undo` brings it back."""
    monkeypatch.setattr(hearing, "RECHECK_SECONDS", 0.05)
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def take_away(patch: pytest.MonkeyPatch) -> None:
    connection.close()
    patch.setitem(connection.settings_dict, "HOST", "/nowhere")


@pytest.mark.django_db(transaction=True)
def test_a_websocket_stays_open_while_the_database_is_away(
    alice: Any, library: Any, away: pytest.MonkeyPatch
) -> None:
    socket = websocket(alice)

    async def visit() -> None:
        assert (await socket.connect(timeout=PATIENCE_SECONDS))[0]
        await sync_to_async(take_away)(away)
        assert await socket.receive_nothing(timeout=0.5)
        away.undo()
        await sync_to_async(publish)(library.pk, "people")
        assert (await socket.receive_json_from(timeout=PATIENCE_SECONDS))["kind"] == "people"
        await sync_to_async(Session.objects.all().delete)()
        assert (await socket.receive_output(PATIENCE_SECONDS))["code"] == 4401

    in_loop(visit)


@pytest.mark.django_db(transaction=True)
def test_a_stream_goes_on_while_the_database_is_away(
    alice: Any, library: Any, away: pytest.MonkeyPatch
) -> None:
    key, text = ApiKey.issue(alice, "phone")
    stream = event_stream({"path": "/api/events", "headers": [(b"x-api-key", text.encode())]})

    async def visit() -> None:
        assert await anext(stream) == b": connected\n\n"
        await sync_to_async(take_away)(away)
        for _ in range(3):
            assert await anext(stream) == b": still there\n\n"
        away.undo()
        await sync_to_async(publish)(library.pk, "people")
        while b'"kind": "people"' not in await anext(stream):
            pass
        await sync_to_async(key.delete)()
        assert [piece async for piece in stream][-1] == b": still there\n\n"

    in_loop(visit)


@pytest.mark.django_db(transaction=True)
def test_open_streams_hold_no_connection_to_the_database(alice: Any, tmp_path: Path) -> None:
    """A pool of four, six streams: the seventh request finds a connection."""
    headers = {"Authorization": f"Bearer {ApiKey.issue(alice, 'phone')[1]}"}
    server = {"CHITRA_DATA_DIR": str(tmp_path), "CHITRA_DATABASE_URL": processes.database_url()}
    web = WebProcess(tmp_path, **server)
    web.start()
    streams = [HTTPConnection("127.0.0.1", web.port, timeout=PATIENCE_SECONDS) for _ in range(6)]
    try:
        for stream in streams:
            stream.request("GET", "/api/events", headers=headers)
            assert stream.getresponse().readline() == b": connected\n"
        assert Transport(web.url).send("GET", "/api/statistics", b"", headers).status == 200
    finally:
        for stream in streams:
            stream.close()
        web.kill()


@pytest.mark.django_db(transaction=True)
def test_an_event_of_another_process_reaches_the_page(alice: Any, library: Any) -> None:
    socket = websocket(alice)
    publication = f"from jobs.events import publish; publish({library.pk}, 'job', id='1')"

    async def visit() -> None:
        assert (await socket.connect(timeout=PATIENCE_SECONDS))[0]
        other = processes.start("-c", f"import django; django.setup(); {publication}")
        event = await socket.receive_json_from(timeout=PATIENCE_SECONDS)
        assert event == {"library_id": library.pk, "kind": "job", "id": "1"}
        other.communicate(timeout=PATIENCE_SECONDS)
        await socket.disconnect()

    in_loop(visit)


@pytest.mark.django_db(transaction=True)
def test_events_come_again_after_the_database_sent_the_listener_away(
    alice: Any, library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.listener.RECONNECT_SECONDS", (0.1,))
    socket = websocket(alice)

    async def visit() -> None:
        assert (await socket.connect(timeout=PATIENCE_SECONDS))[0]
        await sync_to_async(end_listeners)()
        for _ in range(100):
            await sync_to_async(publish)(library.pk, "people")
            if not await socket.receive_nothing(timeout=0.1):
                break
        assert (await socket.receive_json_from(timeout=1))["kind"] == "people"
        await socket.disconnect()

    in_loop(visit)


def end_listeners() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE query LIKE 'LISTEN%' AND datname = current_database()"
        )
        assert cursor.fetchall()


@pytest.mark.django_db(transaction=True)
def test_a_page_without_a_database_listener_still_opens_in_the_end(
    alice: Any, library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(self: Any) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr("jobs.listener.START_SECONDS", 0.1)
    monkeypatch.setattr("jobs.listener.Listener.listen", never)
    socket = websocket(alice)

    async def visit() -> None:
        assert (await socket.connect(timeout=PATIENCE_SECONDS))[0]
        await socket.disconnect()

    in_loop(visit)
