"""A store that answers 500 or 503, is slow, or hangs up: retried, then told, and nothing half is left."""

import io
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.base import ContentFile

from chitra.tests.faulty import FaultyProxy, answer, dawdle, faulty, reset
from chitra.tests.s3 import S3Server
from photos.models import Library, Photo
from photos.services import ingest
from photos.storages import originals
from photos.storages.errors import StorageUnavailable
from photos.storages.s3 import ObjectStorage
from photos.storages.s3_writer import PART_BYTES
from photos.tests.pictures import jpeg


@pytest.fixture
def proxy(s3_server: S3Server) -> Iterator[FaultyProxy]:
    with faulty(s3_server.endpoint) as made:
        yield made


@pytest.fixture
def store(proxy: FaultyProxy, s3_server: S3Server, settings: Any) -> ObjectStorage:
    """Originals behind the proxy, in a bucket that is there; every request is tried twice."""
    options = {
        "endpoint_url": proxy.endpoint,
        "access_key": s3_server.access_key,
        "secret_key": s3_server.secret_key,
        "bucket_name": f"test-{uuid.uuid4().hex}",
        "region_name": s3_server.region,
        "addressing_style": "path",
        "attempts": 2,
        "read_timeout": 2,
    }
    settings.STORAGES = {
        **settings.STORAGES,
        "originals": {"BACKEND": "photos.storages.s3.ObjectStorage", "OPTIONS": options},
    }
    storage = originals()
    assert isinstance(storage, ObjectStorage)
    storage.ensure_bucket()
    return storage


@pytest.mark.parametrize("fault", [answer(500), answer(503), reset], ids=["500", "503", "reset"])
def test_a_passing_fault_is_not_noticed(store: ObjectStorage, proxy: FaultyProxy, fault: Any) -> None:
    proxy.fail(fault, times=1)
    store.save("a", ContentFile(b"bytes"))
    proxy.fail(fault, times=1)
    assert store.open("a").read() == b"bytes"
    assert proxy.faults == 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(answer(500), "answered with an error"), (answer(503), "answered with an error"), (reset, "broke off")],
    ids=["500", "503", "reset"],
)
def test_a_lasting_fault_is_told_and_leaves_neither_object_nor_row(
    store: ObjectStorage, proxy: FaultyProxy, library: Library, fault: Any, reason: str
) -> None:
    proxy.fail(fault)
    with pytest.raises(StorageUnavailable, match=reason):
        ingest(library=library, stream=io.BytesIO(jpeg()), name="a.jpg")
    proxy.fault = None
    assert not Photo.objects.exists()
    assert not list(store.iterate())


def test_a_store_that_says_nothing_is_not_waited_for(
    store: ObjectStorage, proxy: FaultyProxy, library: Library
) -> None:
    proxy.fail(dawdle(10))
    with pytest.raises(StorageUnavailable, match="cannot be reached"):
        ingest(library=library, stream=io.BytesIO(jpeg()), name="a.jpg")


def test_a_fault_in_the_middle_of_the_parts_leaves_none_of_them(
    store: ObjectStorage, proxy: FaultyProxy, library: Library
) -> None:
    class BreaksLater(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 2 * PART_BYTES and proxy.fault is None:
                proxy.fail(answer(500), times=40)  # enough for all parts under way and their second attempts
            return super().read(size)

    data = jpeg() + bytes(5 * PART_BYTES)
    with pytest.raises(StorageUnavailable):
        ingest(library=library, stream=BreaksLater(data), name="a.jpg")
    proxy.fault = None
    assert not Photo.objects.exists()
    assert not list(store.iterate())
    for leftover in store.leftovers():  # the store could not even be told to forget; check_files does later
        store.discard(leftover)
    assert not list(store.leftovers())


def test_a_download_that_breaks_off_goes_on_where_it_stood(store: ObjectStorage, proxy: FaultyProxy) -> None:
    data = bytes(range(256)) * 40_000
    store.save("a", ContentFile(data))
    reader = store.open_reader("a")
    read = reader.read(1_000_000)
    reader._body.close()  # the connection is gone
    while piece := reader.read(1_000_000):
        read += piece
    assert read == data
