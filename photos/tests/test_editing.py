from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from jobs import tasks
from photos.bulk import rate
from photos.editing import BadEdit, Undone, WallClock, edit_photo, undo, unlock
from photos.models import EditedPhoto, Library, Photo, PhotoEdit
from photos.storages import originals, read_bytes
from photos.tests.pictures import jpeg, taken

AddPhoto = Callable[..., Photo]
BEFORE, AFTER = datetime(2024, 5, 1, 12), datetime(2023, 4, 5, 6, 7, 8)


@pytest.fixture
def photo(add_photo: AddPhoto) -> Photo:
    """A photo of Paris at noon, its metadata read."""
    added = add_photo(jpeg(exif=taken("2024:05:01 12:00:00", place=(48.8584, 2.2945))))
    tasks.drain("metadata")
    added.refresh_from_db()
    return added


def edit(photo: Photo, **values: Any) -> PhotoEdit:
    made = edit_photo(photo=photo, actor=None, values=values)
    assert made is not None
    photo.refresh_from_db()
    return made


def read_again(photo: Photo) -> None:
    photo.steps.filter(step="metadata").update(status="pending", ready_at=datetime(2000, 1, 1, tzinfo=UTC))
    tasks.drain("metadata")
    photo.refresh_from_db()


def test_what_people_say_stays_when_the_file_is_read_again(photo: Photo) -> None:
    edit(photo, time=WallClock(AFTER), place=(35.6586, 139.7454), title="Noon", rating=4)
    read_again(photo)
    assert (photo.wall_clock, photo.taken_at_source) == (AFTER, "person")
    assert (photo.latitude, photo.city, photo.country_code) == (35.6586, "Tokyo", "JP")
    assert (photo.title, photo.rating) == ("Noon", 4)
    assert set(photo.locked_fields) == {"time", "place", "title", "rating"}


def test_the_original_is_never_written(photo: Photo) -> None:
    before = read_bytes(originals(), photo.original_key)
    edit(photo, time=WallClock(AFTER), title="Noon")
    assert read_bytes(originals(), photo.original_key) == before


def test_a_correction_is_undone_with_its_lock(photo: Photo) -> None:
    made = edit(photo, time=WallClock(AFTER), title="Noon")
    assert undo(made).restored == 1
    photo.refresh_from_db()
    assert (photo.wall_clock, photo.taken_at_source, photo.title) == (BEFORE, "exif_original", "")
    assert (photo.zone_source, photo.utc_offset_minutes) == ("place", 120)
    assert photo.locked_fields == []
    assert undo(made).restored == 0


def test_what_changed_since_is_not_undone(photo: Photo) -> None:
    first = edit(photo, title="One")
    edit(photo, title="Two")
    assert undo(first) == Undone(restored=0, left=1)
    photo.refresh_from_db()
    assert photo.title == "Two"


def test_a_place_undone_finds_its_names_again(photo: Photo) -> None:
    made = edit(photo, place=(35.6586, 139.7454))
    tasks.drain("metadata")
    undo(made)
    tasks.drain("metadata")
    photo.refresh_from_db()
    assert (photo.city, photo.country_code) == ("Paris", "FR")


def test_a_time_keeps_its_zone_and_takes_the_offset_of_the_new_day(photo: Photo) -> None:
    edit(photo, time=WallClock(datetime(2024, 1, 1, 12)))
    assert (photo.time_zone, photo.utc_offset_minutes) == ("Europe/Paris", 60)
    assert photo.taken_at_utc == datetime(2024, 1, 1, 11, tzinfo=UTC)


def test_an_offset_that_is_said_counts(photo: Photo) -> None:
    edit(photo, time=WallClock(AFTER, -210))
    assert (photo.utc_offset_minutes, photo.zone_source, photo.time_zone) == (-210, "person", "")


def test_unlocking_reads_the_file_again(photo: Photo) -> None:
    edit(photo, time=WallClock(AFTER), title="Noon")
    unlock(photo=photo, field="time")
    tasks.drain("metadata")
    photo.refresh_from_db()
    assert (photo.wall_clock, photo.title, photo.locked_fields) == (BEFORE, "Noon", ["title"])
    unlock(photo=photo, field="title")
    tasks.drain("metadata")
    photo.refresh_from_db()
    assert (photo.title, photo.locked_fields) == ("", [])


@pytest.mark.parametrize(
    "values",
    [{"time": WallClock(datetime(1700, 1, 1))}, {"place": (91.0, 0.0)}, {"rating": 6}],
    ids=["time", "place", "rating"],
)
def test_what_cannot_be_is_refused(photo: Photo, values: dict[str, Any]) -> None:
    with pytest.raises(BadEdit):
        edit_photo(photo=photo, actor=None, values=values)
    assert not EditedPhoto.objects.exists()


def test_the_same_again_is_no_edit(photo: Photo) -> None:
    edit(photo, title="Noon")
    assert edit_photo(photo=photo, actor=None, values={"title": "Noon"}) is None


def typed(photo: Photo, **fields: str) -> dict[str, str]:
    """The form of the page as it stands, with these fields changed."""
    stands = {
        "title": photo.title,
        "description": "",
        "rating": "",
        "wall_clock": "2024-05-01T12:00:00",
        "offset": "+02:00",
        "place": "48.8584, 2.2945",
    }
    return {**stands, **fields}


def test_the_page_corrects_and_undoes(client: Client, photo: Photo, alice: Any) -> None:
    client.force_login(alice)
    url = reverse("photo-details", args=[photo.pk])
    assert "Correct" in client.get(photo.get_absolute_url()).text
    answer = client.post(url, typed(photo, title="Tower", rating="5"), headers={"HX-Request": "true"})
    assert "Tower" in answer.text
    assert "Undo" in answer.text
    photo.refresh_from_db()
    assert (photo.title, photo.rating, photo.locked_fields) == ("Tower", 5, ["title", "rating"])
    client.post(reverse("undo-edit", args=[PhotoEdit.objects.get().pk]))
    photo.refresh_from_db()
    assert (photo.title, photo.rating, photo.locked_fields) == ("", None, [])


def test_a_form_that_changes_nothing_locks_nothing(client: Client, photo: Photo, alice: Any) -> None:
    client.force_login(alice)
    client.post(reverse("photo-details", args=[photo.pk]), typed(photo))
    photo.refresh_from_db()
    assert photo.locked_fields == []
    assert not PhotoEdit.objects.exists()


@pytest.mark.parametrize(
    ("field", "text", "problem"),
    [
        ("offset", "two", "Write it like"),
        ("place", "Paris", "Write two numbers"),
        ("place", "95, 0", "between -90 and 90"),
        ("wall_clock", "1700-01-01T00:00:00", "no photographs then"),
    ],
)
def test_the_page_says_what_is_wrong(
    client: Client, photo: Photo, alice: Any, field: str, text: str, problem: str
) -> None:
    client.force_login(alice)
    answer = client.post(reverse("photo-details", args=[photo.pk]), typed(photo, **{field: text}))
    assert problem in answer.text


def test_viewers_and_strangers_correct_nothing(
    client: Client, photo: Photo, bob: Any, charlie: Any, alice: Any, share_with: Callable[[Any, str], None]
) -> None:
    made = edit(photo, title="Noon")
    share_with(bob, "viewer")
    for user in (bob, charlie):
        client.force_login(user)
        assert client.post(reverse("photo-details", args=[photo.pk]), typed(photo)).status_code == 404
        assert client.post(reverse("undo-edit", args=[made.pk])).status_code == 404
        assert client.post(reverse("unlock-field", args=[photo.pk, "title"])).status_code == 404
        url = reverse("api-photo-edit", args=[photo.pk])
        assert client.patch(url, {"title": "x"}, content_type="application/json").status_code == 404
        assert client.post(reverse("api-undo-edit", args=[made.pk])).status_code == 404
    client.force_login(bob)
    assert "Correct" not in client.get(photo.get_absolute_url()).text


def test_the_api_corrects_and_undoes(client: Client, photo: Photo, alice: Any, library: Library) -> None:
    client.force_login(alice)
    url = reverse("api-photo-edit", args=[photo.pk])
    body = {"taken_at": "2023-04-05T06:07:08", "utc_offset_minutes": 60, "title": "Noon"}
    answer = client.patch(url, body, content_type="application/json").json()
    assert answer["photo"]["created_at"] == "2023-04-05T06:07:08"
    assert answer["photo"]["taken_at_utc"] == "2023-04-05T05:07:08Z"
    undone = client.post(reverse("api-undo-edit", args=[answer["edit_id"]])).json()
    assert undone == {"restored": 1, "left": 0}
    assert client.patch(url, {}, content_type="application/json").json()["edit_id"] is None
    for wrong in ({"taken_at": "soon"}, {"latitude": 1}, {"utc_offset_minutes": 60}, {"rating": 9}):
        assert client.patch(url, wrong, content_type="application/json").status_code == 422


def test_a_rating_given_to_many_stays_when_the_files_are_read_again(photo: Photo) -> None:
    for stars in (3, 4):
        assert rate(Photo.objects.filter(pk=photo.pk), stars) == 1
    read_again(photo)
    assert (photo.rating, photo.locked_fields) == (4, ["rating"])


def test_what_the_api_says_about_a_photo_is_a_correction(client: Client, photo: Photo, alice: Any) -> None:
    client.force_login(alice)
    body = {"title": "Noon", "rating": 2, "favorite": True}
    answer = client.patch(f"/api/photos/{photo.pk}", body, content_type="application/json")
    assert answer.status_code == 200
    read_again(photo)
    assert (photo.title, photo.rating, photo.is_favorite) == ("Noon", 2, True)
    assert set(photo.locked_fields) == {"title", "rating"}
