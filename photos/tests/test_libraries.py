from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from jobs import tasks
from photos.libraries import set_time_zone
from photos.models import Library, Photo
from photos.tests.pictures import jpeg, taken

AddPhoto = Callable[..., Photo]


def test_a_new_zone_reaches_the_photos_that_do_not_tell_theirs(add_photo: AddPhoto, library: Library) -> None:
    silent = add_photo(jpeg(exif=taken("2024:05:01 12:00:00")), name="a.jpg")
    telling = add_photo(jpeg(exif=taken("2024:05:01 12:00:00", offset="-03:00")), name="b.jpg")
    tasks.drain("metadata")
    assert set_time_zone(library=library, zone="Asia/Tokyo") == 1
    tasks.drain("metadata")
    silent.refresh_from_db()
    telling.refresh_from_db()
    assert (silent.utc_offset_minutes, telling.utc_offset_minutes) == (540, -180)
    set_time_zone(library=library, zone="")
    tasks.drain("metadata")
    silent.refresh_from_db()
    assert (silent.utc_offset_minutes, silent.taken_at_utc, silent.zone_source) == (None, None, "")


def test_a_zone_that_is_none_is_refused(library: Library) -> None:
    with pytest.raises(ValidationError, match="no time zone “Mars/Base”"):
        set_time_zone(library=library, zone="Mars/Base")
    library.refresh_from_db()
    assert library.time_zone == ""


def test_the_zone_is_set_on_the_settings_page_by_who_may_edit(
    client: Client, library: Library, alice: object, charlie: object
) -> None:
    url = reverse("set-time-zone", args=[library.pk])
    client.force_login(charlie)  # type: ignore[arg-type]
    assert client.post(url, {"time_zone": "Asia/Tokyo"}).status_code == 404
    client.force_login(alice)  # type: ignore[arg-type]
    answer = client.post(url, {"time_zone": "Asia/Tokyo"}, follow=True)
    assert 'value="Asia/Tokyo"' in answer.content.decode()
    assert "There is no time zone" in client.post(url, {"time_zone": "x"}, follow=True).content.decode()
