"""What is done with ticked photos, and the pages that show what it leads to."""

import io
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from photos import albums, bulk
from photos.models import Album, Library, Photo, PhotoEdit
from photos.timeline import BadCursor, newer_page, timeline_page

NOON = datetime(2024, 5, 3, 12, tzinfo=UTC)
Rows = Callable[[int], list[int]]
Share = Callable[[Any, str], None]


@pytest.fixture
def page(alice: Any, library: Library) -> Client:
    """Alice's browser."""
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def of_others(charlie: Any) -> Photo:
    """A photo in a library that is not Alice's."""
    photo: Photo = Photo.objects.create(
        library=Library.objects.home_of(charlie),
        original_name="c.jpg",
        checksum="c" * 64,
        size=1,
        taken_at=NOON,
    )
    return photo


def listed(*ids: int) -> str:
    return ",".join(map(str, ids))


def tiles(html: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'id="photo-(\d+)"', html)]


def test_ticked_photos_go_into_a_new_album_and_into_one_that_is_there(page: Client, photo_rows: Rows) -> None:
    first, second, third = photo_rows(3)
    htmx = {"HX-Request": "true"}
    answer = page.post("/selection/albums/add", {"ids": listed(first, second), "name": "Hills"}, headers=htmx)
    album = Album.objects.get()
    assert "2 photos added to “Hills”." in answer.text
    assert "chitra:selection-done" in answer["HX-Trigger"]
    answer = page.post(
        "/selection/albums/add", {"ids": listed(second, third), "album": album.pk}, headers=htmx
    )
    assert "1 photo added to “Hills”. 1 photo stayed out: in it already" in answer.text
    assert albums.photos_of(album).count() == 3
    assert "Hills" in page.get("/selection/albums").text


def test_only_what_one_may_change_is_put_into_albums(
    page: Client, photo_rows: Rows, of_others: Photo, charlie: Any
) -> None:
    (own,) = photo_rows(1)
    theirs = albums.create_album(library=of_others.library, name="Theirs")
    add = "/selection/albums/add"
    assert page.post(add, {"ids": listed(own), "album": theirs.pk}).status_code == 404
    assert page.post(add, {"ids": listed(of_others.pk), "name": "Mine"}).status_code == 404
    page.post(add, {"ids": listed(own, of_others.pk), "name": "Mine"})
    assert [photo.pk for photo in albums.photos_of(Album.objects.get(name="Mine"))] == [own]
    assert "Theirs" not in page.get("/selection/albums").text


@pytest.mark.parametrize("ids", ["", "x", "1;2", "-1", "9" * 30, listed(*range(10_001))])
def test_no_photos_and_too_many_are_refused(page: Client, ids: str) -> None:
    for path in ("albums/add", "correct", "download"):
        assert page.post(f"/selection/{path}", {"ids": ids, "name": "x"}).status_code == 404


def test_times_move_together_and_back(page: Client, photo_rows: Rows) -> None:
    first, second = photo_rows(2)
    Photo.objects.filter(pk=first).update(taken_at=NOON)
    Photo.objects.filter(pk=second).update(taken_at=NOON + timedelta(hours=3))
    asked = page.post("/selection/correct", {"ids": listed(first, second)})
    assert "Date and place of 2 photos" in asked.text
    assert 'value="2024-05-03T12:00:00"' in asked.text
    values = {"ids": listed(first, second), "save": "1", "earliest": "2023-01-01T08:00:00", "place": ""}
    done = page.post("/selection/correct", values, headers={"HX-Request": "true"})
    assert Photo.objects.get(pk=first).taken_at == datetime(2023, 1, 1, 8, tzinfo=UTC)
    assert Photo.objects.get(pk=second).taken_at == datetime(2023, 1, 1, 11, tzinfo=UTC)
    edit = PhotoEdit.objects.get()
    assert f'action="/edits/{edit.pk}/undo"' in done.text
    page.post(f"/edits/{edit.pk}/undo")
    assert Photo.objects.get(pk=second).taken_at == NOON + timedelta(hours=3)


def test_one_place_is_set_for_all(page: Client, photo_rows: Rows) -> None:
    ids = photo_rows(2)
    page.post("/selection/correct", {"ids": listed(*ids), "save": "1", "place": "48.8584, 2.2945"})
    assert set(Photo.objects.values_list("latitude", "longitude")) == {(48.8584, 2.2945)}
    assert all("time" not in photo.locked_fields for photo in Photo.objects.all())


@pytest.mark.parametrize(
    "values", [{"place": "91, 0"}, {"place": "here"}, {"earliest": "1600-01-01T00:00:00"}]
)
def test_what_cannot_be_is_said_in_the_window(page: Client, photo_rows: Rows, values: dict[str, str]) -> None:
    ids = photo_rows(1)
    answer = page.post("/selection/correct", {"ids": listed(*ids), "save": "1", **values})
    assert 'role="alert"' in answer.text
    assert not PhotoEdit.objects.exists()


def test_originals_come_as_a_zip_without_those_of_others(
    page: Client, add_photo: Callable[..., Photo], of_others: Photo
) -> None:
    photo = add_photo(name="hill.jpg")
    answer = page.post("/selection/download", {"ids": listed(photo.pk, of_others.pk)})
    assert zipfile.ZipFile(io.BytesIO(b"".join(answer))).namelist() == ["hill.jpg"]
    assert page.post("/selection/download", {"ids": listed(of_others.pk)}).status_code == 404


def test_a_ticked_photo_becomes_the_cover(page: Client, library: Library, photo_rows: Rows) -> None:
    first, second, outside = photo_rows(3)
    album = albums.create_album(library=library, name="Hills")
    bulk.add_to_album(album, Photo.objects.filter(pk__in=[first, second]))
    page.post(f"/albums/{album.pk}/cover", {"ids": listed(second)})
    album.refresh_from_db()
    assert album.cover_id == second
    assert page.post(f"/albums/{album.pk}/cover", {"ids": listed(outside)}).status_code == 404


def test_viewers_see_no_ticks_and_can_change_nothing(
    bob: Any, client: Client, photo_rows: Rows, share_with: Share, page: Client
) -> None:
    (pk,) = photo_rows(1)
    share_with(bob, "viewer")
    client.force_login(bob)
    for path in ("/", "/photos/tiles?ids=" + str(pk)):
        assert 'class="choose' in page.get(path).text
        assert tiles(client.get(path).text) == [pk]
        assert 'class="choose' not in client.get(path).text
    assert 'id="chosen"' not in client.get("/").text
    assert client.post("/selection/albums/add", {"ids": listed(pk), "name": "x"}).status_code == 404
    assert client.post("/selection/correct", {"ids": listed(pk)}).status_code == 404


def test_favourites_and_archive_show_what_is_marked(page: Client, photo_rows: Rows) -> None:
    favorite, archived, both, _ = photo_rows(4)
    Photo.objects.filter(pk__in=[favorite, both]).update(is_favorite=True)
    Photo.objects.filter(pk__in=[archived, both]).update(is_archived=True)
    assert set(tiles(page.get("/favorites").text)) == {favorite, both}
    assert set(tiles(page.get("/archive").text)) == {archived, both}
    Photo.objects.update(is_favorite=False, is_archived=False)
    assert "No favourites yet" in page.get("/favorites").text
    assert "Nothing is archived" in page.get("/archive").text


def test_charlie_sees_no_favourites_of_alice(charlie: Any, client: Client, photo_rows: Rows) -> None:
    (pk,) = photo_rows(1)
    Photo.objects.update(is_favorite=True, is_archived=True)
    client.force_login(charlie)
    assert tiles(client.get("/favorites").text) == tiles(client.get("/archive").text) == []
    assert client.post("/selection/download", {"ids": listed(pk)}).status_code == 404


def test_a_page_in_the_middle_leads_to_newer_photos(page: Client, photo_rows: Rows) -> None:
    ids = photo_rows(3)
    for number, pk in enumerate(ids):
        Photo.objects.filter(pk=pk).update(taken_at=NOON + timedelta(days=number))
    html = page.get("/?before=2024-05-04T00:00:00_0").text
    assert tiles(html) == [ids[0]]
    more = re.search(r'hx-get="(/\?after=[^"]+)"', html)
    assert more is not None
    newer = page.get(more[1], headers={"HX-Request": "true"}).text
    assert tiles(newer) == [ids[2], ids[1]]
    assert "after=" not in newer
    assert "after=" not in page.get("/").text
    assert page.get("/?after=nonsense").status_code == 404


def test_newer_pages_meet_the_older_ones(photo_rows: Rows) -> None:
    ids = photo_rows(7)
    Photo.objects.update(taken_at=NOON)
    photos = Photo.objects.all()
    seen = [
        photo.pk
        for day in timeline_page(photos, before=f"2024-05-03T12:00:00_{ids[1]}").days
        for photo in day.photos
    ]
    after = f"2024-05-03T12:00:00_{ids[0]}"
    while after:
        found = newer_page(photos, after=after, size=2)
        seen = [photo.pk for day in found.days for photo in day.photos] + seen
        after = found.previous_cursor
    assert seen == sorted(ids, reverse=True)
    with pytest.raises(BadCursor):
        newer_page(photos, after="never")


def test_a_live_photo_goes_to_the_trash_with_its_film(photo_rows: Rows) -> None:
    still, film = photo_rows(2)
    Photo.objects.filter(pk=film).update(still=still)
    bulk.trash(Photo.objects.filter(pk=still))
    assert not Photo.objects.filter(deleted_at=None).exists()
    bulk.restore(Photo.objects.filter(pk=still))
    assert Photo.objects.filter(deleted_at=None).count() == 2
