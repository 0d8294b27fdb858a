"""Objects on a real S3 server."""

import base64
import hashlib
import random
import time
import urllib.request
import uuid
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.base import ContentFile

from photos.storages.errors import StorageUnavailable
from photos.storages.objects import ObjectStat
from photos.storages.s3 import ObjectStorage
from photos.storages.s3_writer import PART_BYTES, S3Writer, composite_sha256


@pytest.fixture(params=["s3_server", "minio_server"])
def server(request: pytest.FixtureRequest) -> Any:
    """SeaweedFS, and MinIO where it is there."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def storage(server: Any) -> ObjectStorage:
    """A storage in a bucket that nobody has made yet."""
    return storage_at(server)


def storage_at(server: Any, **options: object) -> ObjectStorage:
    return ObjectStorage(
        **{
            "endpoint_url": server.endpoint,
            "access_key": server.access_key,
            "secret_key": server.secret_key,
            "region_name": server.region,
            "bucket_name": f"test-{uuid.uuid4().hex}",
            "addressing_style": "path",
            "location": "originals",
            **options,
        }
    )


def uploads_in(storage: ObjectStorage) -> list[str]:
    answer = storage.client.list_multipart_uploads(Bucket=storage.bucket_name)
    return [upload["Key"] for upload in answer.get("Uploads", ())]


def bytes_of(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def test_a_small_object_makes_its_bucket_and_comes_back(storage: ObjectStorage) -> None:
    storage.save("1/ab/photo.jpg", ContentFile(b"bytes"))
    assert storage.open("1/ab/photo.jpg").read() == b"bytes"
    assert storage.size("1/ab/photo.jpg") == 5
    assert storage.exists("1/ab/photo.jpg")


def test_a_large_object_goes_in_parts_and_leaves_no_upload_behind(storage: ObjectStorage) -> None:
    data = bytes_of(3 * PART_BYTES + 12_345)
    writer = storage.open_writer("1/ab/large.jpg")
    for start in range(0, len(data), 1_000_000):
        writer.write(data[start : start + 1_000_000])
    writer.commit()
    assert [part.size for part in writer.parts] == [PART_BYTES, PART_BYTES, PART_BYTES, 12_345]
    assert hashlib.sha256(storage.open("1/ab/large.jpg").read()).digest() == hashlib.sha256(data).digest()
    assert uploads_in(storage) == []


def test_a_digest_known_before_is_compared_by_the_store(storage: ObjectStorage) -> None:
    for data, told in ((b"bytes", b"bytes"), (b"damaged", b"bytes")):
        writer = storage.open_writer(f"1/ab/{data.decode()}.jpg")
        writer.write(data)
        with nullcontext() if data == told else pytest.raises(StorageUnavailable):
            writer.commit(hashlib.sha256(told).hexdigest())
    assert [found.key for found in storage.iterate()] == ["1/ab/bytes.jpg"]


def test_an_aborted_upload_leaves_neither_object_nor_parts(storage: ObjectStorage) -> None:
    storage.ensure_bucket()
    writer = storage.open_writer("1/ab/aborted.jpg")
    writer.write(bytes_of(2 * PART_BYTES))
    writer.write(bytes_of(PART_BYTES))
    writer.abort()
    assert not storage.exists("1/ab/aborted.jpg")
    assert uploads_in(storage) == []


def test_an_upload_is_taken_up_by_another_writer(storage: ObjectStorage) -> None:
    first = storage.open_writer("1/ab/resumed.jpg")
    first.write(bytes_of(PART_BYTES) + b"lost")
    first.drain()
    second = S3Writer(storage, "1/ab/resumed.jpg", upload_id=first.upload_id, parts=first.parts)
    second.write(b"the end")
    second.commit()
    assert storage.open("1/ab/resumed.jpg").read() == bytes_of(PART_BYTES) + b"the end"


def test_a_part_of_an_object_is_read_without_the_rest(storage: ObjectStorage) -> None:
    storage.save("1/a.jpg", ContentFile(b"0123456789"))
    reader = storage.open_reader("1/a.jpg", 3, 7)
    assert reader.read(100) == b"3456"
    assert reader.read(100) == b""
    assert reader.stat.size == 10


def test_a_missing_object_is_file_not_found(storage: ObjectStorage) -> None:
    storage.ensure_bucket()
    with pytest.raises(FileNotFoundError):
        storage.open_reader("1/none.jpg")
    with pytest.raises(FileNotFoundError):
        storage.stat("1/none.jpg")
    storage.delete("1/none.jpg")


def test_objects_are_listed_by_key_from_where_one_stopped(storage: ObjectStorage) -> None:
    for name in ("1/c", "1/a", "2/b"):
        storage.save(name, ContentFile(b"x"))
    listed: list[ObjectStat] = list(storage.iterate())
    assert [found.key for found in listed] == ["1/a", "1/c", "2/b"]
    assert [found.key for found in storage.iterate(after="1/a")] == ["1/c", "2/b"]
    assert [found.key for found in storage.iterate(prefix="2/")] == ["2/b"]


def test_a_moved_object_is_where_it_went_and_nowhere_else(storage: ObjectStorage) -> None:
    storage.save("1/a b#%é.jpg", ContentFile(b"x"))
    storage.move("1/a b#%é.jpg", "quarantine/1/a b#%é.jpg")
    assert [found.key for found in storage.iterate()] == ["quarantine/1/a b#%é.jpg"]


def test_a_presigned_url_opens_one_object_for_a_while(storage: ObjectStorage) -> None:
    storage.save("1/a.jpg", ContentFile(b"bytes"))
    headers = {"ContentType": "image/jpeg", "ContentDisposition": 'attachment; filename="a.jpg"'}
    url = storage.presigned_url("1/a.jpg", seconds=60, headers=headers)
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.read() == b"bytes"
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="a.jpg"'
    assert not storage.is_public("1/a.jpg")


def test_presigned_urls_name_the_public_endpoint(server: Any) -> None:
    storage = storage_at(server, public_endpoint_url="https://photos.example.com")
    assert storage.presigned_url("1/a.jpg", seconds=60, headers={}).startswith(
        "https://photos.example.com/test-"
    )


def test_wrong_keys_are_told_in_a_sentence(server: Any) -> None:
    storage = storage_at(server, secret_key="wrong", attempts=1)
    with pytest.raises(StorageUnavailable, match="MINIO_SECRET_KEY"):
        storage.save("1/a.jpg", ContentFile(b"x"))


def test_a_store_that_is_away_is_told_in_a_sentence() -> None:
    nowhere = SimpleNamespace(
        endpoint="http://127.0.0.1:9", access_key="key", secret_key="secret", region="us-east-1"
    )
    storage = storage_at(nowhere, attempts=1)
    started = time.monotonic()
    with pytest.raises(StorageUnavailable, match="cannot be reached"):
        storage.save("1/a.jpg", ContentFile(b"x"))
    assert time.monotonic() - started < 5


def test_the_composite_checksum_is_that_of_the_servers(s3_server: Any) -> None:
    storage = storage_at(s3_server)
    writer = storage.open_writer("1/a.jpg")
    writer.write(bytes_of(PART_BYTES) + b"rest")
    writer.commit()
    digests = b"".join(base64.b64decode(part.sha256) for part in writer.parts)
    assert (
        composite_sha256(writer.parts) == f"{base64.b64encode(hashlib.sha256(digests).digest()).decode()}-2"
    )
