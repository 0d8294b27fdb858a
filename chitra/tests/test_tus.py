"""Resumable uploads over the API, on the file system and on S3."""

import base64
import hashlib
import http.client
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from chitra.accounts.models import ApiKey, User
from chitra.tests.processes import database_url
from chitra.tests.s3 import S3Server
from chitra.tests.web import WebProcess
from photos.models import Photo, ResumableUpload
from photos.storages import originals, read_bytes
from photos.tests.pictures import jpeg

PIECE = "application/offset+octet-stream"
MEGABYTE = 1024 * 1024


def use_s3(settings: Any, server: S3Server) -> None:
    options = {
        "endpoint_url": server.endpoint,
        "access_key": server.access_key,
        "secret_key": server.secret_key,
        "bucket_name": f"test-{uuid.uuid4().hex}",
        "region_name": server.region,
        "addressing_style": "path",
    }
    settings.STORAGES = {
        **settings.STORAGES,
        "originals": {
            "BACKEND": "photos.storages.s3.ObjectStorage",
            "OPTIONS": {**options, "location": "originals"},
        },
        "renditions": {
            "BACKEND": "photos.storages.s3.ObjectStorage",
            "OPTIONS": {**options, "location": "renditions"},
        },
    }


@pytest.fixture(params=["filesystem", "s3"])
def stored(request: pytest.FixtureRequest, settings: Any) -> None:
    """Once on each storage."""
    if request.param == "filesystem":
        request.getfixturevalue("media")
    else:
        use_s3(settings, request.getfixturevalue("s3_server"))


@pytest.fixture
def client(alice: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(alice)


def large_jpeg(size: int) -> bytes:
    """A picture with so much behind its end that it has `size` bytes."""
    data = jpeg()
    return data + bytes(range(256)) * ((size - len(data)) // 256 + 1)


def announce(client: Client, size: int, name: str = "a.jpg") -> str:
    metadata = f"filename {base64.b64encode(name.encode()).decode()}"
    response = client.post(
        "/api/uploads",
        headers={"tus-resumable": "1.0.0", "upload-length": str(size), "upload-metadata": metadata},
    )
    assert response.status_code == 201, response.content
    return str(response["Location"])


def send(client: Client, url: str, offset: int, data: bytes, **headers: str) -> Any:
    return client.patch(
        url,
        data,
        content_type=PIECE,
        headers={"tus-resumable": "1.0.0", "upload-offset": str(offset), **headers},
    )


def ask(client: Client, url: str) -> Any:
    return client.head(url, headers={"tus-resumable": "1.0.0"})


@pytest.mark.usefixtures("stored")
def test_a_file_in_pieces_becomes_a_photo(client: Client) -> None:
    data = large_jpeg(19 * MEGABYTE)
    url = announce(client, len(data), "sömmer.jpg")
    assert ask(client, url)["Upload-Offset"] == "0"
    for start in range(0, len(data), 5_000_000):
        response = send(client, url, start, data[start : start + 5_000_000])
        assert response.status_code == 204
        assert response["Upload-Offset"] == str(min(start + 5_000_000, len(data)))
    photo = Photo.objects.get(pk=int(response["Chitra-Photo-Id"]))
    assert (photo.original_name, photo.size) == ("sömmer.jpg", len(data))
    assert photo.checksum == hashlib.sha256(data).hexdigest()
    assert read_bytes(originals(), photo.original_key) == data
    assert ask(client, url)["Chitra-Photo-Id"] == str(photo.pk)


@pytest.mark.usefixtures("stored")
def test_the_same_bytes_again_are_a_duplicate(client: Client) -> None:
    answers = []
    for _ in range(2):
        url = announce(client, len(jpeg()))
        answers.append(send(client, url, 0, jpeg()))
    assert [answer["Chitra-Duplicate"] for answer in answers] == ["false", "true"]
    assert answers[0]["Chitra-Photo-Id"] == answers[1]["Chitra-Photo-Id"]
    assert Photo.objects.count() == 1


@pytest.mark.usefixtures("stored")
def test_what_is_no_picture_is_refused_with_the_first_piece(client: Client) -> None:
    url = announce(client, 9 * MEGABYTE)
    response = send(client, url, 0, b"%PDF-1.7" + bytes(100_000))
    assert (response.status_code, response.json()["error"]) == (415, "unsupported_type")
    assert ask(client, url).status_code == 404


@pytest.mark.usefixtures("stored")
def test_a_piece_at_another_offset_is_a_conflict(client: Client) -> None:
    data = large_jpeg(200_000)
    url = announce(client, len(data))
    send(client, url, 0, data[:100_000])
    assert send(client, url, 50_000, data[50_000:]).status_code == 409
    assert ask(client, url)["Upload-Offset"] == "100000"


@pytest.mark.usefixtures("stored")
def test_a_damaged_piece_is_not_taken(client: Client) -> None:
    data = jpeg()
    url = announce(client, len(data))
    wrong = base64.b64encode(hashlib.sha256(b"else").digest()).decode()
    right = base64.b64encode(hashlib.sha256(data).digest()).decode()
    assert send(client, url, 0, data, **{"upload-checksum": f"sha256 {wrong}"}).status_code == 460
    assert send(client, url, 0, data, **{"upload-checksum": f"sha256 {right}"}).status_code == 204


@pytest.mark.usefixtures("stored")
def test_a_deleted_upload_leaves_nothing(client: Client) -> None:
    data = large_jpeg(12 * MEGABYTE)
    url = announce(client, len(data))
    send(client, url, 0, data[: 9 * MEGABYTE])
    assert client.delete(url, headers={"tus-resumable": "1.0.0"}).status_code == 204
    assert not ResumableUpload.objects.exists()
    storage: Any = originals()
    if hasattr(storage, "client"):
        assert "Uploads" not in storage.client.list_multipart_uploads(Bucket=storage.bucket_name)
        assert "Contents" not in storage.client.list_objects_v2(Bucket=storage.bucket_name)
    else:
        assert not [path for path in Path(storage.location).rglob("*") if path.is_file()]


def test_an_expired_upload_goes_when_the_next_begins(client: Client, media: Path) -> None:
    announce(client, 100)
    ResumableUpload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    announce(client, 200)
    assert ResumableUpload.objects.get().size == 200


def test_charlie_cannot_touch_alices_upload(
    client: Client, charlie: User, client_of: Callable[[User], Client], media: Path
) -> None:
    url = announce(client, 100)
    stranger = client_of(charlie)
    assert ask(stranger, url).status_code == 404
    assert send(stranger, url, 0, b"x").status_code == 404
    assert stranger.delete(url, headers={"tus-resumable": "1.0.0"}).status_code == 404


def test_a_client_of_another_version_is_told(client: Client) -> None:
    response = client.post("/api/uploads", headers={"upload-length": "5"})
    assert (response.status_code, response["Tus-Resumable"]) == (412, "1.0.0")


def test_what_is_offered_is_said(client: Client) -> None:
    assert client.options("/api/uploads")["Tus-Extension"] == "creation,termination,checksum,expiration"


def test_a_file_over_the_limit_is_refused_before_it_is_sent(client: Client, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 10
    response = client.post("/api/uploads", headers={"tus-resumable": "1.0.0", "upload-length": "11"})
    assert response.status_code == 413


# A real server that is killed


@pytest.fixture
def web(
    request: pytest.FixtureRequest, tmp_path: Path, transactional_db: None, s3_server: S3Server
) -> Iterator[WebProcess]:
    environment = {"CHITRA_DATA_DIR": str(tmp_path)}
    if request.param == "s3":
        environment |= {
            "CHITRA_STORAGE": "s3",
            "MINIO_ENDPOINT": s3_server.endpoint,
            "MINIO_ACCESS_KEY": s3_server.access_key,
            "MINIO_SECRET_KEY": s3_server.secret_key,
            "MINIO_BUCKET": f"test-{uuid.uuid4().hex}",
        }
    process = WebProcess(tmp_path, CHITRA_DATABASE_URL=database_url(), **environment)
    process.start()
    yield process
    process.kill()


@pytest.mark.parametrize(("web", "size"), [("filesystem", 30), ("s3", 60)], indirect=["web"])
def test_an_upload_goes_on_after_the_server_was_killed(
    web: WebProcess, size: int, transactional_db: None
) -> None:
    resume_after_kill(web, size * MEGABYTE)


@pytest.mark.slow
@pytest.mark.parametrize("web", ["filesystem", "s3"], indirect=True)
def test_an_upload_of_200_megabytes_goes_on_after_the_server_was_killed(
    web: WebProcess, transactional_db: None
) -> None:
    resume_after_kill(web, 200 * MEGABYTE)


def resume_after_kill(web: WebProcess, size: int) -> None:
    """One PATCH of the whole file, cut off by SIGKILL after two thirds; then the rest."""
    key = ApiKey.issue(User.objects.create_user("alice@example.org", None), "test")[1]
    data = large_jpeg(size)
    headers = {"Authorization": f"Bearer {key}", "Tus-Resumable": "1.0.0"}
    status, answer = call(web, "POST", "/api/uploads", {**headers, "Upload-Length": str(len(data))})
    assert status == 201
    path = answer["Location"]
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=60)
    connection.putrequest("PATCH", path)
    for name, value in {**headers, "Upload-Offset": "0", "Content-Type": PIECE}.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(data)))
    connection.endheaders(data[: size * 2 // 3])
    wait_until_some_is_durable()
    web.kill()
    connection.close()
    web.start()
    status, answer = call(web, "HEAD", path, headers)
    offset = int(answer["Upload-Offset"])
    assert 0 < offset <= size * 2 // 3
    status, answer = call(
        web, "PATCH", path, {**headers, "Upload-Offset": str(offset), "Content-Type": PIECE}, data[offset:]
    )
    assert status == 204
    photo = Photo.objects.get(pk=int(answer["Chitra-Photo-Id"]))
    assert photo.checksum == hashlib.sha256(data).hexdigest()


def wait_until_some_is_durable() -> None:
    """The row of the only upload tells of its first bytes."""
    deadline = time.monotonic() + 60
    while not ResumableUpload.objects.filter(offset__gt=0).exists():
        assert time.monotonic() < deadline, "no part of the upload became durable"
        time.sleep(0.05)


def call(
    web: WebProcess, method: str, path: str, headers: dict[str, str], body: bytes | None = None
) -> tuple[int, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=120)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    response.read()
    found = dict(response.getheaders())
    connection.close()
    return response.status, found
