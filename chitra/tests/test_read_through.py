"""Originals that still lie on an old FTP server, a real one on loopback."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import ThreadedFTPServer

from chitra.accounts.models import User
from chitra.health import check_storage
from photos.hashing import hash_file
from photos.models import LegacyFile, Photo
from photos.storages import originals
from photos.storages.errors import StorageUnavailable
from photos.tests.pictures import jpeg

PATH = "photos/2025/12/IMG é#1.JPG"


class OldServer(ThreadedFTPServer):  # type: ignore[misc]
    """Reads only; `asked` are the files that were asked for."""


@pytest.fixture
def old_server(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Options of the storage for a server that has one picture."""
    folder = tmp_path / "old" / "base"
    (folder / PATH).parent.mkdir(parents=True)
    (folder / PATH).write_bytes(jpeg(seed=7))
    authorizer = DummyAuthorizer()
    authorizer.add_user("ftpstorage", "secret", str(folder.parent), perm="elr")

    class Handler(FTPHandler):  # type: ignore[misc]
        pass

    Handler.authorizer = authorizer
    server = OldServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"handle_exit": False}, daemon=True)
    thread.start()
    yield {
        "host": "127.0.0.1",
        "port": server.address[1],
        "user": "ftpstorage",
        "password": "secret",
        "base": "base",
        "use_tls": False,
    }
    server.close_all()
    thread.join(10)


@pytest.fixture
def waiting(
    old_server: dict[str, Any],
    media: Path,
    photo_rows: Callable[[int], list[int]],
    settings: Any,
    tmp_path: Path,
) -> Photo:
    """A photo whose original is on the old server only."""
    settings.LEGACY_FTP = True
    settings.STORAGES = {
        **settings.STORAGES,
        "originals": {
            "BACKEND": "photos.storages.read_through.ReadThroughStorage",
            "OPTIONS": {"primary": settings.STORAGES["originals"], **old_server},
        },
    }
    digest = hash_file(tmp_path / "old" / "base" / PATH)
    photo: Photo = Photo.objects.get(pk=photo_rows(1)[0])
    photo.sha1, photo.checksum, photo.size = digest.sha1, digest.sha256, digest.size
    photo.save()
    LegacyFile.objects.create(photo=photo, path=PATH)
    return photo


def test_the_original_is_served_and_stays_here(
    waiting: Photo, alice: User, client_of: Callable[[User], Client], media: Path
) -> None:
    assert check_storage()["remaining_on_old_server"] == 1
    client = client_of(alice)
    for _ in range(2):
        response = client.get(f"/api/photos/{waiting.pk}/image")
        assert b"".join([response.content]) == jpeg(seed=7)
    assert (media / "originals" / waiting.original_key).read_bytes() == jpeg(seed=7)
    assert check_storage()["remaining_on_old_server"] == 0


def test_other_bytes_than_were_recorded_are_not_taken(waiting: Photo, media: Path) -> None:
    Photo.objects.update(sha1="0" * 40)
    with pytest.raises(StorageUnavailable, match="other bytes"):
        originals().open(waiting.original_key)
    assert not [path for path in media.rglob("*") if path.is_file()]


def test_a_file_that_the_old_server_lost_is_missing(waiting: Photo, tmp_path: Path) -> None:
    (tmp_path / "old" / "base" / PATH).unlink()
    with pytest.raises(FileNotFoundError):
        originals().open(waiting.original_key)
    assert LegacyFile.objects.count() == 1


def test_an_old_server_that_is_away_is_told(waiting: Photo, settings: Any) -> None:
    backend = settings.STORAGES["originals"]
    settings.STORAGES = {
        **settings.STORAGES,
        "originals": {**backend, "OPTIONS": {**backend["OPTIONS"], "port": 9}},
    }
    with pytest.raises(StorageUnavailable, match="does not answer"):
        originals().open(waiting.original_key)


def test_what_is_here_is_read_without_the_old_server(waiting: Photo, old_server: dict[str, Any]) -> None:
    originals().save("1/here.jpg", originals().open(waiting.original_key))
    assert originals().size("1/here.jpg") == waiting.size
    with pytest.raises(FileNotFoundError):
        originals().size("1/none.jpg")
