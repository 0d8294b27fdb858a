"""Alice owns a library, Bob is let in by tests that want him, Charlie sees nothing. For tests of all apps.

This module is loaded as a plug-in before Django is set up, so Django is imported where it is used.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings

    from chitra.accounts.models import User
    from photos.models import Library, Photo


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice@example.org")


@pytest.fixture
def bob(db: None) -> User:
    return make_user("bob@example.org")


@pytest.fixture
def charlie(db: None) -> User:
    return make_user("charlie@example.org")


@pytest.fixture
def admin(db: None) -> User:
    """An administrator who is in nobody's library."""
    return make_user("admin@example.org", is_staff=True)


def make_user(email: str, **fields: Any) -> User:
    """An account without a usable password, because hashing one is slow and no test here types it."""
    from chitra.accounts.models import User

    return User.objects.create_user(email, None, **fields)


@pytest.fixture
def library(alice: User) -> Library:
    """Alice's library."""
    from photos.models import Library

    library: Library = Library.objects.home_of(alice)
    return library


@pytest.fixture
def share_with(library: Library) -> Callable[[User, str], None]:
    """Let somebody into Alice's library as viewer or editor."""
    from photos.models import Membership

    def share(user: User, role: str) -> None:
        Membership.objects.update_or_create(library=library, user=user, defaults={"role": role})

    return share


@pytest.fixture
def media(tmp_path: Path, settings: Settings) -> Path:
    """Empty storages on the file system, for this test alone: `originals` and `renditions` in this folder."""
    store_in(folder := tmp_path / "media", settings)
    return folder


def store_in(folder: Path, settings: Settings) -> None:
    """Storages on the file system, for as long as a test changes the settings."""
    originals = {**settings.ORIGINALS, "OPTIONS": {"location": folder / "originals", "fsync": False}}
    settings.STORAGES = {
        **settings.STORAGES,
        "originals": {**settings.STORAGES["originals"], "OPTIONS": {"primary": originals}},
        "renditions": {**settings.RENDITIONS, "OPTIONS": {"location": folder / "renditions", "fsync": False}},
    }


@pytest.fixture
def add_photo(media: Path, library: Library) -> Callable[..., Photo]:
    """Ingest a picture into Alice's library (or another one), without running its steps."""
    from photos.services import ingest
    from photos.tests.pictures import jpeg

    def add(
        data: bytes | None = None, *, name: str = "photo.jpg", to: Library | None = None, seed: int = 0
    ) -> Photo:
        data = jpeg(64, 48, seed=seed) if data is None else data
        return ingest(library=to or library, stream=io.BytesIO(data), name=name).photo

    return add


@pytest.fixture
def photo_rows(library: Library) -> Callable[[int], list[int]]:
    """Rows of photos that have no bytes, in Alice's library; their ids."""
    from django.utils import timezone

    from photos.models import Photo

    def make(count: int) -> list[int]:
        first = Photo.objects.count()
        photos = Photo.objects.bulk_create(
            Photo(
                library=library,
                original_name=f"{number}.jpg",
                original_key=f"{library.pk}/rows/{number}.jpg",
                checksum=f"{number:064}",
                sha1=f"{number:040}",
                size=1,
                mime_type="image/jpeg",
                taken_at=timezone.now(),
            )
            for number in range(first, first + count)
        )
        return [photo.pk for photo in photos]

    return make


@pytest.fixture
def client_of(db: None) -> Callable[[User], Client]:
    """A client program of somebody: it sends an API key with each request."""
    from django.test import Client

    from chitra.accounts.models import ApiKey

    def make(user: User) -> Client:
        return Client(headers={"authorization": f"Bearer {ApiKey.issue(user, 'test')[1]}"})

    return make
