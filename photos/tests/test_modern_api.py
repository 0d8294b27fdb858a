"""The newer endpoints of photos: filters, cursors, changes, albums, timeline, downloads, libraries."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from photos.models import Album, Library, Photo, PhotoStep, Tag
from photos.tests.pictures import jpeg

ClientOf = Callable[[Any], Client]
Rows = Callable[[int], list[int]]
AddPhoto = Callable[..., Photo]


@pytest.fixture
def client(client_of: ClientOf, alice: Any, library: Library) -> Client:
    """Alice's program."""
    return client_of(alice)


def send(client: Client, method: str, path: str, body: Any = None) -> Any:
    return getattr(client, method)(path, json.dumps(body or {}), content_type="application/json")


def ids(response: Any) -> list[int]:
    return [item["id"] for item in response.json()["items"]]


# The list


def test_the_list_takes_filters(client: Client, photo_rows: Rows) -> None:
    one, two = photo_rows(2)
    Photo.objects.filter(pk=one).update(is_favorite=True, camera_model="X100V")
    Tag.objects.create(photo_id=two, name="sea")
    assert ids(client.get("/api/photos?favorite=true")) == [one]
    assert ids(client.get("/api/photos?favorite=false&tag=Sea&tag=SEA")) == [two]
    answer = client.get("/api/photos?camera=x100v&limit=1").json()
    assert (answer["total"], answer["items"][0]["favorite"]) == (1, True)


@pytest.mark.parametrize(
    "query", ["favorite=perhaps", "person=0", "box=1", "taken_from=x", "step=none", "cursor=%00", "cursor=x"]
)
def test_a_filter_that_is_none_is_refused_with_the_field(client: Client, query: str) -> None:
    response = client.get(f"/api/photos?{query}")
    assert (response.status_code, response.json()["error"]) == (422, "invalid")
    assert list(response.json()["fields"]) == [query.partition("=")[0]]


def test_pages_by_cursor(client: Client, photo_rows: Rows) -> None:
    photos = photo_rows(5)
    Photo.objects.update(taken_at="2024-01-01T00:00:00Z")
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get(f"/api/photos?limit=2&cursor={cursor}")
        seen += ids(page)
        cursor = page.json()["next_cursor"]
    assert seen == photos[::-1]
    assert client.get("/api/photos?cursor=&offset=3").status_code == 422


# One photo


def test_a_photo_is_changed_and_what_is_left_out_stays(client: Client, photo_rows: Rows) -> None:
    (pk,) = photo_rows(1)
    changes = {
        "title": "Sunset",
        "description": "By the sea",
        "rating": 4,
        "favorite": True,
        "archived": True,
    }
    answer = send(client, "patch", f"/api/photos/{pk}", changes)
    assert answer.status_code == 200
    assert changes.items() <= answer.json().items()
    answer = send(client, "patch", f"/api/photos/{pk}", {"rating": None}).json()
    assert (answer["rating"], answer["title"]) == (None, "Sunset")
    assert send(client, "patch", f"/api/photos/{pk}", {}).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        *({"rating": 6}, {"rating": -1}, {"rating": 10**30}, {"rating": 1.5}, {"rating": []}),
        *({"title": "x" * 301}, {"title": "a\0b"}, {"title": None}, {"title": {}}),
        *({"favorite": None}, {"favorite": "much"}, {"archived": 7}, {"description": ["x"]}),
    ],
)
def test_a_change_that_is_none_is_refused_with_the_field(
    client: Client, photo_rows: Rows, changes: dict[str, Any]
) -> None:
    answer = send(client, "patch", f"/api/photos/{photo_rows(1)[0]}", changes)
    assert answer.status_code == 422
    assert list(answer.json()["fields"]) == list(changes)


def test_a_photo_goes_to_the_trash_and_comes_back(client: Client, photo_rows: Rows) -> None:
    (pk,) = photo_rows(1)
    assert client.delete(f"/api/photos/{pk}").status_code == 200
    assert ids(client.get("/api/trash")) == [pk]
    assert client.get("/api/photos").json()["total"] == 0
    assert client.post(f"/api/photos/{pk}/restore").json()["id"] == pk
    assert client.post(f"/api/photos/{pk}/restore").status_code == 404


def test_a_viewer_changes_nothing(
    client_of: ClientOf, bob: Any, share_with: Any, photo_rows: Rows, library: Library
) -> None:
    share_with(bob, "viewer")
    client, (pk,) = client_of(bob), photo_rows(1)
    album = Album.objects.create(library=library, name="Trip")
    assert client.get(f"/api/photos/{pk}").status_code == 200
    for method, path in (
        ("patch", f"photos/{pk}"),
        ("delete", f"photos/{pk}"),
        ("post", f"photos/{pk}/restore"),
        ("post", f"photos/{pk}/steps/metadata/retry"),
        ("delete", f"albums/{album.pk}"),
    ):
        assert send(client, method, f"/api/{path}", {}).status_code == 404, path
    body: dict[str, Any] = {"ids": [pk], "action": "favorite"}
    assert send(client, "post", "/api/photos/bulk", body).json() == {"changed": 0}
    body = {**body, "action": "add_to_album", "album": album.pk}
    assert send(client, "post", "/api/photos/bulk", body).status_code == 404


# Many photos


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ({"action": "favorite"}, {"is_favorite": True}),
        ({"action": "archive"}, {"is_archived": True}),
        ({"action": "rate", "rating": 3}, {"rating": 3}),
    ],
)
def test_an_action_changes_the_photos_that_are_named(
    client: Client, photo_rows: Rows, action: dict[str, Any], expected: dict[str, Any]
) -> None:
    photos = photo_rows(3)
    answer = send(client, "post", "/api/photos/bulk", {**action, "ids": [*photos[:2], 4711]})
    assert answer.json() == {"changed": 2}
    assert set(Photo.objects.filter(**expected).values_list("pk", flat=True)) == set(photos[:2])


def test_an_action_changes_the_photos_that_fit(client: Client, photo_rows: Rows) -> None:
    one, two, _ = photo_rows(3)
    Photo.objects.filter(pk__in=[one, two]).update(is_favorite=True)
    body = {"action": "trash", "filter": {"favorite": True}}
    assert send(client, "post", "/api/photos/bulk", body).json() == {"changed": 2}
    assert client.get("/api/photos").json()["total"] == 1
    body = {"action": "restore", "filter": {}}
    assert send(client, "post", "/api/photos/bulk", body).json() == {"changed": 2}


def test_photos_are_tagged_at_once(client: Client, photo_rows: Rows) -> None:
    photos = photo_rows(3)
    body: dict[str, Any] = {"action": "tag", "tag": "sea", "ids": photos}
    assert send(client, "post", "/api/photos/bulk", body).json() == {"changed": 3}
    body = {"action": "untag", "tag": "Sea", "filter": {"tag": ["sea"]}}
    assert send(client, "post", "/api/photos/bulk", body).json() == {"changed": 3}


@pytest.mark.parametrize(
    "body",
    [
        *({}, {"action": "favorite"}, {"action": "explode", "ids": [1]}, {"action": "tag", "ids": [1]}),
        *({"action": "rate", "ids": [1]}, {"action": "add_to_album", "ids": [1]}),
        *({"action": "trash", "ids": []}, {"action": "trash", "ids": [0]}, {"action": "trash", "ids": ["x"]}),
        *({"action": "trash", "ids": [2**63]}, {"action": "trash", "ids": [1], "filter": {}}),
        *(
            {"action": "trash", "ids": 1},
            {"action": "trash", "filter": []},
            {"action": "trash", "filter": None},
        ),
        *({"action": "trash", "filter": {"favourite": True}}, {"action": "trash", "filter": {"box": 1}}),
        {"action": "tag", "tag": "a\0b", "ids": [1]},
    ],
)
def test_a_bulk_action_that_is_none_is_refused(client: Client, body: dict[str, Any]) -> None:
    answer = send(client, "post", "/api/photos/bulk", body)
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid")
    assert answer.json()["fields"]


def test_charlie_reaches_nothing_of_alices(client_of: ClientOf, charlie: Any, photo_rows: Rows) -> None:
    client, photos = client_of(charlie), photo_rows(2)
    choices: list[dict[str, Any]] = [{"ids": photos}, {"filter": {}}]
    for choice in choices:
        for action in ("trash", "favorite", "restore"):
            answer = send(client, "post", "/api/photos/bulk", {"action": action, **choice})
            assert answer.json() == {"changed": 0}
    album = Album.objects.create(library=Library.objects.get(photos=photos[0]), name="Trip")
    for path in (f"albums/{album.pk}", f"albums/{album.pk}/photos", f"photos/{photos[0]}/steps"):
        assert client.get(f"/api/{path}").status_code == 404
    assert client.get("/api/albums").json()["total"] == 0
    assert client.get("/api/trash").json()["items"] == []
    assert client.get("/api/timeline").json() == {"buckets": []}
    assert client.get("/api/statistics").json()["photos"] == 0
    assert client.get(f"/api/photos/download?id={photos[0]}").status_code == 404


# Which files are there


def test_checksums_are_told_apart(client: Client, add_photo: AddPhoto) -> None:
    photo = add_photo()
    body = {"checksums": [photo.checksum.upper(), photo.sha1, "0" * 64]}
    answer = send(client, "post", "/api/photos/check", body).json()
    assert [item["photo_id"] for item in answer["existing"]] == [photo.pk] * 2
    assert answer["missing"] == ["0" * 64]


@pytest.mark.parametrize("checksums", [[], ["x"], ["0" * 63], [7], "0" * 64, [None]])
def test_what_is_no_checksum_is_refused(client: Client, checksums: Any) -> None:
    assert send(client, "post", "/api/photos/check", {"checksums": checksums}).status_code == 422


# Albums


def test_an_album_lives(client: Client, photo_rows: Rows) -> None:
    one, two, three = photo_rows(3)
    album = send(client, "post", "/api/albums", {"name": "Trip", "photo_ids": [one, two]})
    assert (album.status_code, album.json()["photo_count"]) == (201, 2)
    path = f"/api/albums/{album.json()['id']}"
    assert send(client, "post", f"{path}/photos", {"ids": [three, one]}).json() == {"added": 1}
    assert ids(client.get(f"{path}/photos")) == [one, two, three]
    assert send(client, "put", f"{path}/order", {"photo_ids": [three, two, one]}).status_code == 200
    assert ids(client.get(f"{path}/photos?limit=2")) == [three, two]
    assert send(client, "patch", path, {"cover": two, "name": "Sea"}).json()["cover_photo_id"] == two
    assert send(client, "patch", path, {"cover": None}).json()["cover_photo_id"] == three
    assert send(client, "post", f"{path}/remove", {"ids": [three]}).json() == {"removed": 1}
    assert client.get(path).json()["name"] == "Sea"
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    assert Photo.objects.count() == 3


def test_a_photo_of_several_albums_comes_once_in_each(client: Client, photo_rows: Rows) -> None:
    photos = photo_rows(3)
    paths = [
        f"/api/albums/{send(client, 'post', '/api/albums', {'name': n, 'photo_ids': photos}).json()['id']}"
        for n in "ab"
    ]
    send(client, "put", f"{paths[1]}/order", {"photo_ids": photos[::-1]})
    assert ids(client.get(f"{paths[0]}/photos")) == photos
    assert ids(client.get(f"{paths[1]}/photos")) == photos[::-1]


def test_an_album_is_refused_what_is_none(client: Client, photo_rows: Rows, charlie: Any) -> None:
    (pk,) = photo_rows(1)
    theirs: Library = Library.objects.home_of(charlie)
    for body in ({}, {"name": ""}, {"name": "a\0"}, {"name": "x" * 201}, {"name": 7}):
        assert send(client, "post", "/api/albums", body).status_code == 422
    elsewhere = send(client, "post", "/api/albums", {"name": "a", "library": theirs.pk})
    assert (elsewhere.status_code, elsewhere.json()["error"]) == (404, "library_not_found")
    path = f"/api/albums/{send(client, 'post', '/api/albums', {'name': 'Trip'}).json()['id']}"
    assert send(client, "patch", path, {"cover": pk}).json()["error"] == "not_in_album"
    assert send(client, "put", f"{path}/order", {"photo_ids": [pk]}).json()["error"] == "not_all_photos"
    assert client.get("/api/albums?library=0").status_code == 422


# The timeline and numbers


def test_the_timeline_comes_as_columns(client: Client, photo_rows: Rows) -> None:
    one, two, hidden = photo_rows(3)
    Photo.objects.update(taken_at="2024-05-03T12:00:00Z")
    Photo.objects.filter(pk=hidden).update(is_archived=True)
    assert client.get("/api/timeline").json() == {"buckets": [{"month": "2024-05", "count": 2}]}
    assert client.get("/api/timeline/2024-05").json()["id"] == [two, one]
    assert client.get("/api/timeline/2024-05?archived=true").json()["id"] == [hidden]
    assert client.get("/api/timeline/2024-06").json()["count"] == 0


@pytest.mark.parametrize("month", ["2024-13", "2024", "x", "0000-01", "10000-01", "2024-05-01", "-1-01"])
def test_a_month_that_is_none_is_not_found(client: Client, month: str) -> None:
    assert client.get(f"/api/timeline/{month}").status_code == 404


def test_statistics_count_what_fits(client: Client, photo_rows: Rows) -> None:
    one, _ = photo_rows(2)
    Photo.objects.filter(pk=one).update(is_favorite=True)
    assert client.get("/api/statistics").json()["photos"] == 2
    assert client.get("/api/statistics?favorite=1").json()["photos"] == 1


# Downloads


def test_a_selection_comes_as_a_zip(client: Client, add_photo: AddPhoto) -> None:
    photos = [add_photo(jpeg(seed=seed), name="same.jpg") for seed in range(2)]
    for response in (
        client.get("/api/photos/download", {"id": [photo.pk for photo in photos]}),
        send(client, "post", "/api/photos/download", {"filter": {}}),
    ):
        assert response["Content-Type"] == "application/zip"
        file = zipfile.ZipFile(io.BytesIO(b"".join(response)))
        assert sorted(file.namelist()) == ["same (2).jpg", "same.jpg"]
    assert client.head("/api/photos/download").status_code == 200


def test_a_zip_of_nothing_is_not_found(client: Client) -> None:
    assert client.get("/api/photos/download?id=4711").status_code == 404
    assert client.get("/api/photos/download?id=x").status_code == 422


# Steps


def test_the_steps_of_a_photo_and_one_done_again(client: Client, add_photo: AddPhoto) -> None:
    photo = add_photo()
    PhotoStep.objects.filter(photo=photo, step="metadata").update(status="failed", error="broken", attempt=3)
    steps = client.get(f"/api/photos/{photo.pk}/steps").json()["steps"]
    assert [step["step"] for step in steps][:2] == ["metadata", "renditions"]
    assert (steps[0]["status"], steps[0]["error"]) == ("failed", "broken")
    again = client.post(f"/api/photos/{photo.pk}/steps/metadata/retry").json()["steps"][0]
    assert (again["status"], again["attempt"], again["error"]) == ("pending", 0, "")
    assert client.post(f"/api/photos/{photo.pk}/steps/nothing/retry").status_code == 404
    PhotoStep.objects.filter(photo=photo, step="metadata").update(status="running")
    assert client.post(f"/api/photos/{photo.pk}/steps/metadata/retry").status_code == 409


# What it costs


@pytest.mark.parametrize(
    "path",
    [
        *("photos", "photos?favorite=0&tag=a&person=1&album=1&step_status=done", "photos?cursor=", "trash"),
        *("albums", "timeline", "timeline/2024-05", "statistics", "libraries", "jobs", "keys", "tags"),
        "search/by-tag?tag=a",
    ],
)
def test_the_number_of_queries_does_not_grow_with_the_rows(
    client: Client, photo_rows: Rows, library: Library, path: str, django_assert_max_num_queries: Any
) -> None:
    def grow(count: int) -> None:
        photos = photo_rows(count)
        for pk in photos:
            Tag.objects.create(photo_id=pk, name="a")
        for number in range(count):
            album = Album.objects.create(library=library, name=str(number))
            album.photos.add(*photos)
        Photo.objects.filter(pk__in=photos[::2]).update(taken_at="2024-05-01T00:00:00Z")

    client.get(f"/api/{path}")  # writes when the key was last used
    grow(2)
    with django_assert_max_num_queries(12) as few:
        assert client.get(f"/api/{path}").status_code == 200
    grow(10)
    with django_assert_max_num_queries(len(few)):
        client.get(f"/api/{path}")
