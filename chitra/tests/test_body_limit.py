"""Bodies over the limit are refused while they come, declared or not."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator

from chitra.accounts.models import ApiKey
from chitra.asgi import application
from chitra.body_limit import BodyLimit
from chitra.tests.processes import files_of
from photos.models import Photo
from photos.tests.pictures import jpeg

MEGABYTE = 1024 * 1024
FORM = "multipart/form-data; boundary=x"
HEAD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
TAIL = b"\r\n--x--\r\n"


@pytest.fixture
def key(alice: Any) -> str:
    return ApiKey.issue(alice, "test")[1]


@pytest.fixture(autouse=True)
def small_limits(settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 2 * MEGABYTE
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = MEGABYTE


def post(
    key: str,
    pieces: Iterator[bytes] | list[bytes],
    *,
    length: int | str | None = None,
    content_type: str = FORM,
) -> tuple[int, Any, int]:
    """Status, answer and number of pieces taken of a body that comes in pieces, as daphne hands it on."""
    headers = {"authorization": f"Bearer {key}", "content-type": content_type, "host": "localhost"}
    if length is not None:
        headers["content-length"] = str(length)
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/api/photos/upload",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    taken = 0

    async def talk() -> tuple[int, Any]:
        nonlocal taken
        communicator: Any = ApplicationCommunicator(application, scope)  # type: ignore[no-untyped-call]
        for piece in pieces:
            if communicator.future.done():
                break
            taken += 1
            await communicator.send_input({"type": "http.request", "body": piece, "more_body": True})
            await communicator.receive_nothing(timeout=0.01, interval=0.001)
        await communicator.send_input({"type": "http.request", "body": b"", "more_body": False})
        start = await communicator.receive_output(30)
        answer = await communicator.receive_output(30)
        await communicator.wait(30)
        return start["status"], json.loads(answer["body"])

    status, answer = async_to_sync(talk)()
    return status, answer, taken


@pytest.mark.django_db(transaction=True)
def test_a_photo_in_chunks_is_taken(key: str, media: Path) -> None:
    data = jpeg()
    status, answer, _ = post(key, [HEAD, data[:1000], data[1000:], TAIL])
    assert status == 200
    assert len(answer["saved"]) == 1
    assert Photo.objects.get().size == len(data)


@pytest.mark.django_db(transaction=True)
def test_a_declared_length_over_the_limit_is_refused_before_a_byte_comes(key: str, media: Path) -> None:
    status, answer, taken = post(key, [b"x"] * 5, length=10**12)
    assert (status, answer["error"]) == (413, "too_large")
    assert (answer["max_size"], answer["received_size"]) == (2 * MEGABYTE, 10**12)
    assert answer["message"].startswith("File too large. Maximum size: 2MB.")
    assert taken <= 1


@pytest.mark.django_db(transaction=True)
def test_a_body_that_grows_over_the_limit_is_refused_while_it_comes(key: str, media: Path) -> None:
    endless = iter([HEAD + jpeg()] + [b"\0" * (MEGABYTE // 4)] * 1000)
    status, answer, taken = post(key, endless)
    assert (status, answer["error"]) == (413, "too_large")
    assert taken < 20
    assert not Photo.objects.exists()
    assert files_of(media) == []


def test_pages_that_may_call_can_read_the_refusal(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.org"]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/photos/upload",
        "headers": [
            (b"origin", b"https://app.example.org"),
            (b"content-length", b"many"),
            (b"x-request-id", b"abc"),
        ],
    }
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async_to_sync(BodyLimit(None))(scope, receive, send)
    assert (b"access-control-allow-origin", b"https://app.example.org") in sent[0]["headers"]
    assert (b"x-request-id", b"abc") in sent[0]["headers"]
    # A client that sends no more after the answer would wait for the end of one without a length.
    assert (b"content-length", str(len(sent[1]["body"])).encode()) in sent[0]["headers"]


@pytest.mark.parametrize("length", ["many", "-1", "9" * 5000, "1e3"])
def test_a_length_that_is_none_is_refused(db: None, length: str) -> None:
    status, answer, _ = post("", [b"x"], length=length)
    assert (status, answer["error"], answer["received_size"]) == (413, "too_large", None)


def test_a_body_that_is_read_into_memory_has_a_smaller_limit(db: None) -> None:
    status, answer, _ = post("", [b"x"], length=3 * MEGABYTE, content_type="application/json")
    assert (status, answer["max_size"]) == (413, MEGABYTE)
