"""The same promises on a real S3 server."""

import errno
import io
import time
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from django.core.files.base import ContentFile

from jobs import tasks
from photos import trash
from photos.keeping import Ingested
from photos.models import Library, Photo
from photos.services import RejectedFile, StorageUnavailable, ingest
from photos.storages import local_path, originals, read_bytes, renditions
from photos.storages.s3 import ObjectStorage
from photos.tests.pictures import jpeg

BACKEND = "photos.storages.s3.ObjectStorage"


@pytest.fixture
def bucket(s3_server: Any) -> dict[str, Any]:
    """The options of a storage in a bucket of this test's own."""
    name = f"test-{uuid.uuid4().hex}"
    boto3.client(
        "s3",
        endpoint_url=s3_server.endpoint,
        aws_access_key_id=s3_server.access_key,
        aws_secret_access_key=s3_server.secret_key,
        region_name=s3_server.region,
        config=Config(s3={"addressing_style": "path"}),
    ).create_bucket(Bucket=name)
    return {
        "access_key": s3_server.access_key,
        "secret_key": s3_server.secret_key,
        "bucket_name": name,
        "endpoint_url": s3_server.endpoint,
        "region_name": s3_server.region,
        "addressing_style": "path",
    }


@pytest.fixture
def use(settings: Any) -> Callable[[dict[str, Any]], None]:
    """Have originals and renditions in this bucket."""

    def choose(options: dict[str, Any]) -> None:
        settings.STORAGES = {
            **settings.STORAGES,
            "originals": {"BACKEND": BACKEND, "OPTIONS": {**options, "location": "originals"}},
            "renditions": {"BACKEND": BACKEND, "OPTIONS": {**options, "location": "renditions"}},
        }

    return choose


@pytest.fixture
def on_s3(bucket: dict[str, Any], use: Callable[[dict[str, Any]], None]) -> None:
    use(bucket)


def keys(storage: Any) -> list[str]:
    return [entry.key for entry in storage.bucket.objects.all()]


def take(library: Library, data: bytes) -> Ingested:
    return ingest(library=library, stream=io.BytesIO(data), name="a.jpg")


@pytest.mark.usefixtures("on_s3")
def test_a_photo_goes_in_and_comes_out(library: Library) -> None:
    data = jpeg()
    photo = take(library, data).photo
    assert read_bytes(originals(), photo.original_key) == data
    with local_path(originals(), photo.original_key) as path:
        assert path.read_bytes() == data
        assert path.suffix == ".jpg"
    assert not path.exists()
    assert keys(originals()) == [f"originals/{photo.original_key}"]


@pytest.mark.usefixtures("on_s3")
def test_a_photo_of_several_parts_comes_out_whole(library: Library) -> None:
    data = jpeg() + bytes(range(256)) * 80_000
    photo = take(library, data).photo
    assert photo.size == len(data) > 20_000_000
    assert read_bytes(originals(), photo.original_key) == data


@pytest.mark.usefixtures("on_s3")
def test_steps_read_and_write_there(library: Library) -> None:
    photo = take(library, jpeg()).photo
    tasks.drain("metadata")
    tasks.drain("renditions")
    assert set(photo.steps.filter(step__in=["metadata", "renditions"]).values_list("status", flat=True)) == {
        "done"
    }
    assert read_bytes(renditions(), photo.rendition_key("thumbnail"))[8:12] == b"WEBP"
    trash.purge(photo)
    assert keys(originals()) == []


@pytest.mark.usefixtures("on_s3")
def test_a_duplicate_leaves_one_object(library: Library) -> None:
    photo = take(library, jpeg()).photo
    assert take(library, jpeg()).is_duplicate
    assert keys(originals()) == [f"originals/{photo.original_key}"]


@pytest.mark.usefixtures("on_s3")
def test_a_file_over_the_limit_leaves_no_object(library: Library, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 9 * 1024 * 1024
    with pytest.raises(RejectedFile, match="larger than 9 MB"):
        take(library, jpeg() + bytes(20_000_000))
    assert keys(originals()) == []
    uploads = originals().connection.meta.client.list_multipart_uploads(  # type: ignore[attr-defined]
        Bucket=originals().bucket_name  # type: ignore[attr-defined]
    )
    assert "Uploads" not in uploads


@pytest.mark.usefixtures("on_s3")
def test_a_file_that_cannot_be_read_is_not_a_fault_of_the_store(library: Library) -> None:
    class BadSector(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 8_000:
                raise OSError(errno.EIO, "Input/output error")
            return super().read(4096)

    with pytest.raises(RejectedFile, match="cannot be read"):
        ingest(library=library, stream=BadSector(jpeg()), name="a.jpg")
    assert keys(originals()) == []


@pytest.mark.usefixtures("on_s3")
def test_a_missing_object_is_a_missing_file() -> None:
    with pytest.raises(FileNotFoundError):
        read_bytes(originals(), "1/ab/gone.jpg")
    with pytest.raises(FileNotFoundError):
        originals().size("1/ab/gone.jpg")
    originals().delete("1/ab/gone.jpg")
    assert not originals().exists("1/ab/gone.jpg")


@pytest.mark.usefixtures("on_s3")
def test_an_object_deleted_while_it_is_open_is_read_to_its_end() -> None:
    originals().save("x", ContentFile(b"picture"))
    with originals().open("x") as file:
        originals().delete("x")
        assert file.read() == b"picture"


def assert_unavailable(library: Library, number: int, reason: str) -> None:
    with pytest.raises(StorageUnavailable, match=reason) as refusal:
        take(library, jpeg())
    assert refusal.value.errno == number
    assert not Photo.objects.exists()


def test_wrong_keys_are_said(
    library: Library, bucket: dict[str, Any], use: Callable[[dict[str, Any]], None]
) -> None:
    use({**bucket, "secret_key": "wrong"})
    assert_unavailable(library, errno.EACCES, "MINIO_SECRET_KEY")
    with pytest.raises(StorageUnavailable):
        read_bytes(originals(), "x")


def test_a_server_that_is_away_is_said_soon(library: Library, use: Callable[[dict[str, Any]], None]) -> None:
    use({"access_key": "a", "secret_key": "b", "bucket_name": "c", "endpoint_url": "http://127.0.0.1:9"})
    started = time.monotonic()
    assert_unavailable(library, errno.ECONNREFUSED, "cannot be reached")
    assert time.monotonic() - started < 30


def test_no_wait_is_for_ever() -> None:
    config = ObjectStorage(
        bucket_name="x", addressing_style="path", endpoint_url="http://127.0.0.1:9"
    ).client.meta.config
    assert (config.connect_timeout, config.read_timeout) == (5, 30)
    assert config.s3["addressing_style"] == "path"
