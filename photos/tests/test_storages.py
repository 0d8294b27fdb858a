"""The file system as a storage: whole files or none."""

import errno
import io
import os
import stat
from pathlib import Path
from typing import Any, cast

import pytest
from django.core.files.base import ContentFile, File

from photos.storages import local_path, read_bytes
from photos.storages.errors import StorageUnavailable
from photos.storages.files import DurableFileSystemStorage


@pytest.fixture
def storage(tmp_path: Path) -> DurableFileSystemStorage:
    return DurableFileSystemStorage(location=tmp_path)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_bytes_come_back_as_they_were_saved(storage: DurableFileSystemStorage, tmp_path: Path) -> None:
    assert storage.save("1/ab/x.jpg", File(io.BytesIO(b"picture"), name="x.jpg")) == "1/ab/x.jpg"
    assert read_bytes(storage, "1/ab/x.jpg") == b"picture"
    assert files(tmp_path) == ["1/ab/x.jpg"]


def test_saving_again_replaces_the_file_and_leaves_its_readers_alone(
    storage: DurableFileSystemStorage, tmp_path: Path
) -> None:
    storage.save("a", ContentFile(b"old"))
    with storage.open("a") as reader:
        assert storage.save("a", ContentFile(b"new")) == "a"
        assert reader.read() == b"old"
    assert read_bytes(storage, "a") == b"new"
    assert files(tmp_path) == ["a"]


def test_a_stream_that_breaks_leaves_nothing_behind(
    storage: DurableFileSystemStorage, tmp_path: Path
) -> None:
    class Broken(io.RawIOBase):
        reads = 0

        def read(self, size: int = -1) -> bytes:
            self.reads += 1
            if self.reads > 1:
                raise OSError(5, "Input/output error")
            return b"half"

    with pytest.raises(OSError, match="Input/output error"):
        storage.save("1/ab/x.jpg", File(cast(Any, Broken()), name="x.jpg"))
    assert files(tmp_path) == []


def test_an_object_given_up_after_its_commit_began_leaves_nothing(
    storage: DurableFileSystemStorage, tmp_path: Path
) -> None:
    writer = storage.open_writer("1/ab/x.jpg")
    writer.write(b"picture")
    writer.flush()
    writer.abort()
    assert files(tmp_path) == []


def test_a_committed_object_is_not_taken_away_again(
    storage: DurableFileSystemStorage, tmp_path: Path
) -> None:
    writer = storage.open_writer("1/ab/x.jpg")
    writer.write(b"picture")
    writer.flush()
    writer.commit()
    writer.abort()
    assert read_bytes(storage, "1/ab/x.jpg") == b"picture"


def test_an_object_that_cannot_be_made_durable_says_so_and_leaves_nothing(
    storage: DurableFileSystemStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("photos.storages.files.sync_directory", fail)
    writer = storage.open_writer("1/ab/x.jpg")
    writer.write(b"picture")
    writer.flush()
    with pytest.raises(StorageUnavailable):
        writer.commit()
    writer.abort()
    assert files(tmp_path) == []


def test_two_writers_of_one_name_do_not_mix_their_bytes(
    storage: DurableFileSystemStorage, tmp_path: Path
) -> None:
    class WritesMeanwhile(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            data = super().read(size)
            if data:
                storage.save("a", ContentFile(b"second"))
            return data

    storage.save("a", File(WritesMeanwhile(b"first, and longer"), name="a"))
    assert read_bytes(storage, "a") == b"first, and longer"
    assert files(tmp_path) == ["a"]


def test_the_file_and_every_new_directory_are_synced(
    storage: DurableFileSystemStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        fsync(descriptor)
        kind = "directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        synced.append(f"{kind} {path.relative_to(tmp_path)}" if kind == "directory" else kind)

    monkeypatch.setattr(os, "fsync", note)
    storage.save("1/ab/x.jpg", ContentFile(b"picture"))
    assert synced[0] == "file"
    assert sorted(synced[1:]) == ["directory .", "directory 1", "directory 1/ab"]
    synced.clear()
    storage.save("1/ab/y.jpg", ContentFile(b"picture"))
    assert synced == ["file", "directory 1/ab"]


def test_a_missing_object_is_a_missing_file(storage: DurableFileSystemStorage) -> None:
    with pytest.raises(FileNotFoundError):
        read_bytes(storage, "1/ab/gone.jpg")
    storage.delete("1/ab/gone.jpg")


def test_an_object_of_the_file_system_is_read_where_it_lies(
    storage: DurableFileSystemStorage, tmp_path: Path
) -> None:
    storage.save("a.jpg", ContentFile(b"picture"))
    with local_path(storage, "a.jpg") as path:
        assert path == tmp_path / "a.jpg"


def test_a_name_outside_the_storage_is_refused(storage: Any) -> None:
    from django.core.exceptions import SuspiciousOperation

    with pytest.raises(SuspiciousOperation):
        storage.open("../secret")
