"""Pages of albums."""

from typing import Any

import pytest
from django.test import Client

from photos import albums, bulk
from photos.models import Album, Library, Photo


@pytest.fixture
def page(alice: Any, library: Library) -> Client:
    """Alice's browser."""
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def album(library: Library, photo_rows: Any) -> Album:
    made = albums.create_album(library=library, name="Summer <by> the sea")
    bulk.add_to_album(made, Photo.objects.filter(pk__in=photo_rows(3)))
    return made


def test_albums_are_listed_with_cover_and_number(page: Client, album: Album) -> None:
    last = Photo.objects.order_by("pk")[2].pk
    assert "/thumbnail" not in page.get("/albums").text  # none of its photos can be shown yet
    Photo.objects.filter(pk=last).update(has_renditions=True)
    text = page.get("/albums").text
    assert "Summer &lt;by&gt; the sea" in text
    assert "3 photos" in text
    assert f"/api/photos/{last}/thumbnail" in text


def test_an_album_is_made_renamed_and_deleted(page: Client) -> None:
    made = page.post("/albums", {"name": " Trip\0 "}, follow=True)
    assert "Nothing in it yet" in made.text
    album = Album.objects.get()
    assert album.name == "Trip"
    assert "Hills" in page.post(f"/albums/{album.pk}/rename", {"name": "Hills"}, follow=True).text
    assert "Its photos are still there" in page.post(f"/albums/{album.pk}/delete", follow=True).text
    assert "An album needs a name" in page.post("/albums", {"name": " "}, follow=True).text
    assert "No albums yet" in page.get("/albums").text


def test_an_album_shows_its_photos_a_page_at_a_time(
    page: Client, album: Album, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photos.views.albums.PAGE_SIZE", 2)
    text = page.get(f"/albums/{album.pk}").text
    assert text.count('class="tile"') == 2
    assert "offset=2" in text
    rest = page.get(f"/albums/{album.pk}?offset=2", headers={"hx-request": "true"}).text
    assert rest.count('class="tile"') == 1
    assert "<html" not in rest
    assert page.get(f"/albums/{album.pk}?offset=x").status_code == 200


def test_a_photo_goes_into_albums_and_out_of_them(page: Client, album: Album, photo_rows: Any) -> None:
    (pk,) = photo_rows(1)
    put = f"/photos/{pk}/albums/put"
    assert "Make and add" in page.get(f"/photos/{pk}/albums").text
    page.post(put, {"album": album.pk})
    page.post(put, {"name": "Second"})
    assert set(Photo.objects.get(pk=pk).albums.values_list("name", flat=True)) == {album.name, "Second"}
    text = page.post(put, {"album": album.pk, "out": "1"}, headers={"hx-request": "true"}).text
    assert "Second" in text
    assert Photo.objects.get(pk=pk).albums.get().name == "Second"
    assert page.post(put, {"album": "x"}).status_code == 404


def test_others_see_and_change_nothing(album: Album, bob: Any, charlie: Any, share_with: Any) -> None:
    share_with(bob, "viewer")
    viewer, stranger = Client(), Client()
    viewer.force_login(bob)
    stranger.force_login(charlie)
    assert viewer.get(f"/albums/{album.pk}").status_code == 200
    assert "Rename" not in viewer.get(f"/albums/{album.pk}").text
    assert stranger.get(f"/albums/{album.pk}").status_code == 404
    photo = album.photos.values_list("pk", flat=True)[0]
    for client in (viewer, stranger):
        for path in (f"albums/{album.pk}/rename", f"albums/{album.pk}/delete", f"photos/{photo}/albums/put"):
            assert client.post(f"/{path}", {"name": "x", "album": album.pk}).status_code == 404


def test_the_list_costs_the_same_for_many_albums(
    page: Client, library: Library, django_assert_max_num_queries: Any
) -> None:
    page.get("/albums")
    with django_assert_max_num_queries(8) as few:
        page.get("/albums")
    for number in range(10):
        albums.create_album(library=library, name=str(number))
    with django_assert_max_num_queries(len(few)):
        page.get("/albums")
