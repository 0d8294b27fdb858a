"""Deleting is reversible for some time, then final."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from photos import steps, trash
from photos.models import Photo
from photos.storages import renditions

pytestmark = pytest.mark.django_db
AddPhoto = Callable[..., Photo]


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def put_in_trash(photo: Photo, *, days_ago: int) -> None:
    Photo.objects.filter(pk=photo.pk).update(deleted_at=timezone.now() - timedelta(days=days_ago))


def test_purging_removes_the_row_and_every_byte(add_photo: AddPhoto, media: Path) -> None:
    photo = add_photo()
    steps.make_renditions([photo.pk])
    crop = photo.rendition_key("thumbnail").replace("thumbnail", "face-1")
    renditions().save(crop, ContentFile(b"crop", name=crop))
    trash.purge(photo)
    assert not Photo.objects.exists()
    assert files_below(media) == []


def test_what_lies_in_the_trash_for_less_than_30_days_stays(add_photo: AddPhoto) -> None:
    recent, old = add_photo(seed=1), add_photo(seed=2)
    put_in_trash(recent, days_ago=29)
    put_in_trash(old, days_ago=31)
    assert trash.empty_trash() == 1
    assert Photo.objects.get() == recent


def test_a_photo_outside_the_trash_is_never_purged(add_photo: AddPhoto) -> None:
    add_photo()
    assert trash.empty_trash() == 0


def test_zero_days_keep_everything(add_photo: AddPhoto, settings: Any) -> None:
    settings.TRASH_DAYS = 0
    put_in_trash(add_photo(), days_ago=1000)
    assert trash.empty_trash() == 0
