"""Ingest: bytes and row or neither, whatever is sent and whatever the storage does."""

import errno
import hashlib
import io
import os
import resource
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection

from jobs import ledger
from photos.keeping import Ingested
from photos.models import Library, Photo, PhotoStep
from photos.services import RejectedFile, StorageUnavailable, ingest
from photos.storages import originals, read_bytes
from photos.tests.pictures import bmp, gif, jpeg, png, truncated, webp

AddPhoto = Callable[..., Photo]


def objects(media: Path) -> list[str]:
    """Every file below the originals, temporary ones too."""
    folder = media / "originals"
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def take(library: Library, data: bytes, name: str = "photo.jpg", **more: Any) -> Ingested:
    return ingest(library=library, stream=io.BytesIO(data), name=name, **more)


def assert_nothing_is_left(media: Path) -> None:
    assert objects(media) == []
    assert not Photo.objects.exists()
    assert not PhotoStep.objects.exists()


def test_bytes_row_and_steps_are_there_when_ingest_returns(library: Library, media: Path) -> None:
    data = jpeg()
    ingested = take(library, data, "IMG_1.JPG")
    photo = Photo.objects.get()
    assert ingested == Ingested(photo, is_duplicate=False)
    assert read_bytes(originals(), photo.original_key) == data
    assert photo.checksum == hashlib.sha256(data).hexdigest()
    assert photo.sha1 == hashlib.sha1(data).hexdigest()
    assert (photo.size, photo.mime_type, photo.original_name) == (len(data), "image/jpeg", "IMG_1.JPG")
    assert photo.original_key == f"{library.pk}/{photo.uuid.hex[:2]}/{photo.uuid.hex}.jpg"
    assert objects(media) == [photo.original_key]
    assert [(row.step, row.status, row.ready_at is not None) for row in PhotoStep.objects.order_by("pk")] == [
        ("metadata", "pending", True),
        ("renditions", "pending", True),
        ("neighbours", "pending", False),
        ("embedding", "pending", False),
        ("tags", "pending", False),
        ("faces", "pending", False),
        ("names", "pending", False),
        ("read_text", "pending", False),
    ]


def test_the_time_of_the_file_is_kept_until_the_picture_says_better(library: Library, media: Path) -> None:
    moment = datetime(2020, 2, 3, 4, 5, tzinfo=UTC)
    photo = take(library, jpeg(), modified_at=moment).photo
    assert (photo.taken_at, photo.taken_at_source) == (moment, "file")


def test_the_same_bytes_twice_are_one_photo(library: Library, media: Path) -> None:
    first = take(library, jpeg(), "a.jpg")
    second = take(library, jpeg(), "b.jpg")
    assert (second.is_duplicate, second.photo) == (True, first.photo)
    assert objects(media) == [first.photo.original_key]


def test_the_same_bytes_in_two_libraries_are_two_photos(library: Library, media: Path) -> None:
    other = Library.objects.create(name="Other")
    photos = [take(owner, jpeg()).photo for owner in (library, other)]
    assert len(objects(media)) == 2
    assert photos[0].original_key != photos[1].original_key


def test_a_duplicate_of_a_photo_in_the_trash_brings_it_back(library: Library, media: Path) -> None:
    photo = take(library, jpeg()).photo
    Photo.objects.move_to_trash()
    again = take(library, jpeg())
    assert again.is_duplicate
    photo.refresh_from_db()
    assert photo.deleted_at is None


def test_an_empty_file_is_refused(library: Library, media: Path) -> None:
    with pytest.raises(RejectedFile, match="empty") as refusal:
        take(library, b"")
    assert refusal.value.code == "empty_file"
    assert_nothing_is_left(media)


@pytest.mark.parametrize(
    "data", [b"%PDF-1.7 ...", b"hello\n", b"\0" * 5000, b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF"]
)
def test_what_is_no_picture_is_refused_whatever_its_name(library: Library, media: Path, data: bytes) -> None:
    with pytest.raises(RejectedFile, match="not a picture") as refusal:
        take(library, data, "holiday.jpg")
    assert refusal.value.code == "unsupported_type"
    assert_nothing_is_left(media)


@pytest.mark.parametrize(
    ("make", "mime", "extension"),
    [
        (png, "image/png", ".png"),
        (webp, "image/webp", ".webp"),
        (gif, "image/gif", ".gif"),
        (bmp, "image/bmp", ".bmp"),
    ],
)
def test_the_content_tells_the_type_not_the_name(
    library: Library, media: Path, make: Callable[..., bytes], mime: str, extension: str
) -> None:
    photo = take(library, make(32, 32), "holiday.jpg").photo
    assert photo.mime_type == mime
    assert photo.original_key.endswith(extension)
    assert photo.original_name == "holiday.jpg"


def test_a_truncated_picture_is_kept_as_it_is(library: Library, media: Path) -> None:
    data = truncated(jpeg())
    assert read_bytes(originals(), take(library, data).photo.original_key) == data


def test_a_file_over_the_limit_is_refused_while_it_streams(
    library: Library, media: Path, settings: Any
) -> None:
    settings.MAX_UPLOAD_BYTES = 3 * 1024 * 1024
    read = 0

    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            nonlocal read
            data = jpeg(32, 32) if not read else b"\0" * size
            read += len(data)
            return data

    with pytest.raises(RejectedFile, match="larger than 3 MB") as refusal:
        ingest(library=library, stream=Endless(), name="endless.jpg")
    assert refusal.value.code == "too_large"
    assert read < 6 * 1024 * 1024
    assert_nothing_is_left(media)


def test_a_file_of_exactly_the_limit_is_taken(library: Library, media: Path, settings: Any) -> None:
    data = jpeg()
    settings.MAX_UPLOAD_BYTES = len(data)
    assert take(library, data).photo.size == len(data)


def test_a_stream_that_gives_a_byte_at_a_time_is_taken_whole(library: Library, media: Path) -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(1 if size else size)

    data = jpeg(32, 32)
    photo = ingest(library=library, stream=Slow(data), name="a.jpg").photo
    assert read_bytes(originals(), photo.original_key) == data


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.jpg", "passwd.jpg"),
        ("C:\\Users\\bob\\me.jpg", "me.jpg"),
        ("a\0b.jpg", "ab.jpg"),
        ("a\r\nSet-Cookie: x.jpg", "aSet-Cookie: x.jpg"),
        ("‮gpj.exe", "gpj.exe"),
        ("🏖️ Strand.jpg", "🏖️ Strand.jpg"),
        ("x" * 300 + ".jpg", "x" * 251 + ".jpg"),
        ("", "unnamed"),
        ("/", "unnamed"),
        ("..", "unnamed"),
        ("\ud800.jpg", ".jpg"),
    ],
)
def test_a_hostile_name_is_only_a_name(library: Library, media: Path, name: str, kept: str) -> None:
    photo = take(library, jpeg(32, 32), name).photo
    photo.refresh_from_db()
    assert photo.original_name == kept
    assert photo.original_key == f"{library.pk}/{photo.uuid.hex[:2]}/{photo.uuid.hex}.jpg"


# Storage faults


@contextmanager
def small_files(limit: int) -> Iterator[None]:
    """This process can write no file larger than `limit` bytes: as on a storage that is full."""
    import signal

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


@pytest.fixture
def tiny_disk(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """Originals on a file system of their own with 256 KiB."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a file system is for root, and some containers forbid it")
    settings.STORAGES = {
        **settings.STORAGES,
        "originals": {**settings.ORIGINALS, "OPTIONS": {"location": folder / "originals"}},
    }
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_said_and_nothing_is_kept(library: Library, tiny_disk: Path) -> None:
    with pytest.raises(StorageUnavailable) as refusal:
        take(library, jpeg() + b"\0" * 400_000)
    assert refusal.value.errno == errno.ENOSPC
    assert str(refusal.value).startswith("The storage is full. Free some space")
    assert_nothing_is_left(tiny_disk)
    assert take(library, jpeg(32, 32)).photo.pk


def test_a_write_that_fails_half_way_leaves_nothing(library: Library, media: Path) -> None:
    with small_files(100_000), pytest.raises(StorageUnavailable, match="did not take the file"):
        take(library, jpeg() + b"\0" * 400_000)
    assert_nothing_is_left(media)


def test_a_read_only_storage_is_said_and_nothing_is_kept(library: Library, tiny_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
    with pytest.raises(StorageUnavailable, match="The storage is read-only for Chitra") as refusal:
        take(library, jpeg())
    assert refusal.value.errno == errno.EROFS
    assert_nothing_is_left(tiny_disk)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_said(library: Library, media: Path) -> None:
    media.mkdir()
    media.chmod(0o500)
    with pytest.raises(StorageUnavailable, match="The storage is read-only for Chitra"):
        take(library, jpeg())
    media.chmod(0o700)
    assert_nothing_is_left(media)


def test_an_error_of_reading_the_file_is_not_one_of_the_storage(library: Library, media: Path) -> None:
    class BadSector(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 10_000:
                raise OSError(errno.EIO, "Input/output error")
            return super().read(5000)

    with pytest.raises(RejectedFile, match=r"cannot be read: Input/output error\.") as refusal:
        ingest(library=library, stream=BadSector(jpeg()), name="a.jpg")
    assert refusal.value.code == "unreadable_file"
    assert_nothing_is_left(media)


# Database faults


def fail_to_plan(error: Exception) -> Callable[..., None]:
    def planning(*args: Any, **kwargs: Any) -> None:
        raise error

    return planning


def test_a_row_that_is_refused_takes_its_bytes_along(
    library: Library, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "planning", fail_to_plan(DataError("value out of range")))
    with pytest.raises(DataError):
        take(library, jpeg())
    assert_nothing_is_left(media)


@pytest.mark.django_db(transaction=True)
def test_a_library_deleted_meanwhile_leaves_no_bytes(library: Library, media: Path) -> None:
    Library.objects.filter(pk=library.pk).delete()
    with pytest.raises(IntegrityError):
        take(library, jpeg())
    assert_nothing_is_left(media)


def test_bytes_stay_when_nobody_knows_whether_the_row_was_written(
    library: Library, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "planning", fail_to_plan(OperationalError("server closed the connection")))
    with pytest.raises(OperationalError):
        take(library, jpeg())
    assert len(objects(media)) == 1


def test_a_duplicate_is_answered_even_when_its_second_copy_cannot_be_removed(
    library: Library, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(library, jpeg())

    def refuse(*args: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(type(originals()), "delete", refuse)
    assert take(library, jpeg()).is_duplicate


@pytest.mark.django_db(transaction=True)
def test_a_wake_up_that_fails_after_the_commit_costs_no_photo(
    library: Library, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(step: str) -> None:
        raise RuntimeError("the queue is away")

    monkeypatch.setattr("jobs.queue.request_drain", refuse)
    photo = take(library, jpeg()).photo
    assert objects(media) == [photo.original_key]
    assert Photo.objects.filter(pk=photo.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_file_sent_many_times_at_once_is_one_photo(library: Library, media: Path) -> None:
    start = threading.Barrier(6)
    results: list[Ingested] = []

    def send() -> None:
        try:
            start.wait()
            results.append(take(library, jpeg()))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.is_duplicate for result in results) == [False] + [True] * 5
    assert objects(media) == [Photo.objects.get().original_key]


@pytest.mark.django_db(transaction=True)
def test_two_first_uploads_at_once_make_one_library(alice: Any) -> None:
    start = threading.Barrier(4)
    homes: list[int] = []

    def ask() -> None:
        try:
            start.wait()
            homes.append(Library.objects.home_of(alice).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(homes)) == 1
    assert Library.objects.count() == 1
