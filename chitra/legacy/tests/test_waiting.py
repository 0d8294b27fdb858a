"""Photos here, originals on the old server until somebody asks or the next run."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from django.test import Client

from chitra.accounts.models import User
from chitra.health import check_storage
from chitra.legacy.ftp import FtpAddress
from chitra.legacy.tests.ftp_server import ftp_server
from chitra.legacy.tests.old_server import OldServer
from photos.models import LegacyFile, Photo

Command = Callable[..., str]


@pytest.fixture
def arguments(old_server: OldServer, alice: User, media: Path, settings: Any) -> Iterator[list[str]]:
    """Of the commands, with six photos on an FTP server that is read through."""
    old_server.fill(6)
    with ftp_server(old_server.root) as (url, _):
        url += "/storage"
        address = FtpAddress.parse(url)
        server = {
            "host": address.host,
            "port": address.port,
            "user": address.user,
            "password": address.password,
            "base": address.base,
            "use_tls": False,
        }
        settings.LEGACY_FTP = True
        settings.STORAGES = {
            **settings.STORAGES,
            "originals": {
                "BACKEND": "photos.storages.read_through.ReadThroughStorage",
                "OPTIONS": {"primary": settings.STORAGES["originals"], **server},
            },
        }
        yield ["--sqlite", str(old_server.database), "--ftp", url]


def stored(media: Path) -> int:
    return sum(path.is_file() for path in (media / "originals").rglob("*"))


def test_originals_follow_on_first_use_and_with_the_next_run(
    arguments: list[str],
    alice: User,
    client_of: Callable[[User], Client],
    migrate: Command,
    verify: Command,
    media: Path,
    old_server: OldServer,
) -> None:
    assert "6 originals are on the old server only" in migrate(*arguments, "--originals-later")
    assert (Photo.objects.count(), stored(media)) == (6, 0)
    assert check_storage()["remaining_on_old_server"] == 6
    photo = Photo.objects.earliest("pk")
    response = client_of(alice).get(f"/api/photos/{photo.pk}/image")
    assert response.content == (old_server.files / photo.source_path).read_bytes()
    assert (stored(media), check_storage()["remaining_on_old_server"]) == (1, 5)
    assert "Done." in migrate(*arguments)
    assert (stored(media), check_storage()["remaining_on_old_server"]) == (6, 0)
    verify(*arguments)


def test_an_original_that_changed_there_meanwhile_is_not_taken(
    arguments: list[str], migrate: Command, media: Path, old_server: OldServer
) -> None:
    migrate(*arguments, "--originals-later")
    waiting = LegacyFile.objects.earliest("pk")
    old_server.put(waiting.path, b"\xff\xd8\xff other bytes")
    with pytest.raises(CommandError, match="1 originals are gone or changed"):
        migrate(*arguments)
    assert (stored(media), LegacyFile.objects.get()) == (5, waiting)


def test_without_a_server_to_read_through_it_is_refused(
    arguments: list[str], migrate: Command, old_server: OldServer
) -> None:
    for wrong in ([*arguments[:3], "ftp://127.0.0.1:9/storage"], old_server.arguments):
        with pytest.raises(CommandError, match="CHITRA_LEGACY_FTP_HOST"):
            migrate(*wrong, "--originals-later")
    assert Photo.objects.count() == 0
