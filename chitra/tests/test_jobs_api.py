"""Jobs over the API: list, cancel, retry; and live events over plain HTTP."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels.layers import get_channel_layer
from django.test import Client

from chitra.accounts.models import ApiKey
from jobs import hearing, live_api
from jobs.events import library_group
from jobs.models import Job
from photos.models import Library, Membership, PhotoStep

ClientOf = Callable[[Any], Client]


@pytest.fixture
def client(client_of: ClientOf, alice: Any) -> Client:
    return client_of(alice)


def make_job(library: Library, **values: Any) -> Job:
    return Job.objects.create(kind="retry", library_id=library.pk, **values)


def test_jobs_are_listed_newest_first_by_status(client: Client, library: Library) -> None:
    old, new = make_job(library), make_job(library, status="failed")
    answer = client.get("/api/jobs").json()
    assert [item["job_id"] for item in answer["items"]] == [str(new.pk), str(old.pk)]
    assert client.get("/api/jobs?status=failed").json()["total"] == 1
    for query in ("status=odd", "limit=0", "limit=x", "offset=-1", "limit=501"):
        assert client.get(f"/api/jobs?{query}").status_code == 422


def test_a_job_is_cancelled_once(client: Client, library: Library, photo_rows: Any) -> None:
    photo_rows(1)
    job = make_job(library, status="started")
    assert client.post(f"/api/jobs/{job.pk}/cancel").json()["status"] == "canceled"
    assert client.post(f"/api/jobs/{job.pk}/cancel").status_code == 409


def test_only_who_may_change_the_photos_cancels_and_retries(
    client_of: ClientOf, library: Library, bob: Any, charlie: Any, share_with: Any, photo_rows: Any
) -> None:
    photo_rows(1)
    job = make_job(library, status="started")
    share_with(bob, "viewer")
    for user in (bob, charlie):
        for action in ("cancel", "retry"):
            assert client_of(user).post(f"/api/jobs/{job.pk}/{action}").status_code == 404


def test_what_failed_is_done_again(client: Client, library: Library, photo_rows: Any) -> None:
    job = make_job(library, status="finished")
    one, two = photo_rows(2)
    PhotoStep.objects.create(photo_id=one, step="metadata", status="failed", job=job)
    PhotoStep.objects.create(photo_id=two, step="metadata", status="done", job=job)
    again = client.post(f"/api/jobs/{job.pk}/retry").json()
    assert (again["total"], again["job_id"] != str(job.pk)) == (1, True)
    assert PhotoStep.objects.get(photo_id=one).status == "pending"
    assert client.post(f"/api/jobs/{job.pk}/retry").json()["error"] == "nothing_to_retry"


def test_a_job_of_a_function_is_started_anew(client: Client, library: Library, photo_rows: Any) -> None:
    photo_rows(1)
    arguments = {"function": "jobs.tests.workbench.nothing", "with": {}, "cluster": "default"}
    job = make_job(library, status="failed", arguments=arguments)
    again = client.post(f"/api/jobs/{job.pk}/retry").json()
    assert again["status"] == "queued"
    running = Job.objects.get(pk=again["job_id"])
    assert client.post(f"/api/jobs/{running.pk}/retry").status_code == 409


@pytest.mark.parametrize("job_id", ["x", "1", "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_job_is_not_found(client: Client, job_id: str) -> None:
    for action in ("cancel", "retry"):
        assert client.post(f"/api/jobs/{job_id}/{action}").status_code == 404


# Live events


async def say(library: Library, number: int) -> None:
    event = {"library_id": library.pk, "kind": "photo", "id": number}
    await get_channel_layer().group_send(library_group(library.pk), {"type": "library.event", "event": event})


def key_of(user: Any) -> dict[str, Any]:
    """The scope of a request with a key."""
    key = ApiKey.issue(user, "events")[1].encode()
    return {"type": "http", "method": "GET", "path": "/api/events", "headers": [(b"x-api-key", key)]}


async def nothing() -> None:
    """In place of the LISTEN connection, which other tests try."""


@pytest.mark.django_db(transaction=True)
def test_events_come_as_server_sent_events(
    alice: Any, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_api, "ensure_listening", nothing)
    scope = key_of(alice)

    async def listen() -> list[bytes]:
        stream: Any = live_api.event_stream(scope)
        heard = [await anext(stream)]
        await say(library, 7)
        heard.append(await asyncio.wait_for(anext(stream), 5))
        await stream.aclose()
        return heard

    assert async_to_sync(listen)() == [
        b": connected\n\n",
        f'data: {{"library_id": {library.pk}, "kind": "photo", "id": 7}}\n\n'.encode(),
    ]


@pytest.mark.django_db(transaction=True)
def test_who_left_the_library_hears_nothing_more(
    alice: Any, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_api, "ensure_listening", nothing)
    monkeypatch.setattr(hearing, "RECHECK_SECONDS", 0.01)
    scope = key_of(alice)

    async def listen() -> bytes:
        stream: Any = live_api.event_stream(scope)
        await anext(stream)
        await sync_to_async(Membership.objects.filter(user=alice).delete)()
        await anext(stream)
        await say(library, 7)
        following: bytes = await asyncio.wait_for(anext(stream), 5)
        await stream.aclose()
        return following

    assert async_to_sync(listen)() == b": still there\n\n"


@pytest.mark.django_db(transaction=True)
def test_charlie_hears_nothing_of_alices(
    charlie: Any, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_api, "ensure_listening", nothing)
    monkeypatch.setattr(hearing, "RECHECK_SECONDS", 0.01)
    scope = key_of(charlie)

    async def listen() -> bytes:
        stream: Any = live_api.event_stream(scope)
        await anext(stream)
        await say(library, 7)
        following: bytes = await asyncio.wait_for(anext(stream), 5)
        await stream.aclose()
        return following

    assert async_to_sync(listen)() == b": still there\n\n"


@pytest.mark.django_db(transaction=True)
def test_a_stream_ends_with_its_key(alice: Any, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one on which something is said all the time."""
    monkeypatch.setattr(live_api, "ensure_listening", nothing)
    monkeypatch.setattr(hearing, "RECHECK_SECONDS", 0.05)
    scope = key_of(alice)

    async def listen() -> None:
        stream: Any = live_api.event_stream(scope)
        await anext(stream)
        await sync_to_async(ApiKey.objects.all().delete)()
        await say(library, 7)
        async with asyncio.timeout(10):
            async for _ in stream:
                await say(library, 7)

    async_to_sync(listen)()
