"""Photos over the API: the list and the bytes."""

from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from jobs import tasks
from photos.models import Photo
from photos.storages import originals, own_store, renditions
from photos.tests.pictures import jpeg

AddPhoto = Callable[..., Photo]
ClientOf = Callable[[Any], Client]


@pytest.fixture
def client(client_of: ClientOf, alice: Any) -> Client:
    """Alice's program."""
    return client_of(alice)


@pytest.fixture
def photo(add_photo: AddPhoto) -> Photo:
    photo = add_photo(jpeg(), name="Strand 🏖.jpg")
    tasks.drain("renditions")
    return photo


def body(response: Any) -> bytes:
    """The bytes of an answer, also of one that is streamed."""
    return b"".join(response) if response.streaming else bytes(response.content)


# The list


def test_the_list_is_newest_first_and_pages(client: Client, add_photo: AddPhoto) -> None:
    photos = [add_photo(seed=seed, name=f"{seed}.jpg") for seed in range(5)]
    page = client.get("/api/photos?limit=2&offset=1").json()
    assert [item["id"] for item in page["items"]] == [photos[3].pk, photos[2].pk]
    assert (page["limit"], page["offset"], page["total"]) == (2, 1, 5)
    last = client.get("/api/photos?limit=2&offset=4").json()
    assert (len(last["items"]), last["total"]) == (1, 5)
    beyond = client.get("/api/photos?offset=100").json()
    assert (beyond["items"], beyond["total"]) == ([], 5)
    assert client.get("/api/photos").json()["total"] == 5


def test_an_item_has_what_old_clients_read(client: Client, photo: Photo) -> None:
    photo.refresh_from_db()
    item = client.get(f"/api/photos/{photo.pk}").json()
    assert item == client.get("/api/photos").json()["items"][0]
    assert item["checksum"] == photo.sha1
    assert item["sha256"] == photo.checksum
    assert item["file_path"] == photo.original_key
    assert item["thumb_path"] == photo.rendition_key("thumbnail")
    assert item["thumbhash"] == photo.thumbhash_base64
    assert len(item["phash"]) == 16
    assert (item["width"], item["height"]) == (640, 480)
    assert item["created_at"] == photo.taken_at.strftime("%Y-%m-%dT%H:%M:%S")
    assert item["has_renditions"] is True


def test_photo_is_json_whatever_its_texts_are_and_whatever_is_missing(
    client: Client, add_photo: Callable[..., Photo]
) -> None:
    photo = add_photo(name='a "quoted" \\ name, 100 % {ñ}\t.jpg')
    missing = {"width": None, "height": None, "latitude": None, "longitude": None, "perceptual_hash": None}
    Photo.objects.filter(pk=photo.pk).update(camera_model="tab\tand\nline", **missing)
    item = client.get(f"/api/photos/{photo.pk}").json()
    assert item["name"] == Photo.objects.get().original_name
    assert item["camera"] == "tab\tand\nline"
    assert [item[name] for name in ("width", "height", "latitude", "longitude", "thumb_path")] == [None] * 5
    assert (item["phash"], item["thumbhash"]) == ("", "")
    Photo.objects.update(latitude=-0.1, longitude=1e-7, thumbhash=bytes(range(64)), has_renditions=True)
    item = client.get(f"/api/photos/{photo.pk}").json()
    assert (item["latitude"], item["longitude"]) == (-0.1, 1e-7)
    assert b64decode(item["thumbhash"]) == bytes(range(64))
    assert item["thumb_path"] == photo.rendition_key("thumbnail")


def test_the_trash_is_not_listed(client: Client, photo: Photo) -> None:
    Photo.objects.move_to_trash()
    assert client.get("/api/photos").json()["total"] == 0
    assert client.get(f"/api/photos/{photo.pk}").status_code == 404
    assert client.get(f"/api/photos/{photo.pk}/image").status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=1001",
        "limit=many",
        "limit=1.5",
        "limit=NaN",
        "limit=1e3",
        f"limit={'9' * 5000}",
        "offset=-1",
        "offset=999999999999999999999",
        "offset=%00",
    ],
)
def test_a_page_that_is_none_is_refused_with_the_field(client: Client, query: str) -> None:
    response = client.get(f"/api/photos?{query}")
    assert response.status_code == 422
    assert response.json()["error"] == "invalid"
    assert list(response.json()["fields"]) == [query.partition("=")[0]]


def test_the_list_costs_three_queries_however_long_it_is(
    client: Client, add_photo: AddPhoto, django_assert_max_num_queries: Any
) -> None:
    for seed in range(12):
        add_photo(seed=seed)
    client.get("/api/photos")  # writes when the key was last used
    for url in ("/api/photos", "/api/photos?limit=3", "/api/photos?limit=3&offset=3"):
        with django_assert_max_num_queries(3):
            client.get(url)


@pytest.mark.parametrize("number", ["0", "4711", "9" * 30])
def test_an_unknown_photo_is_not_found(client: Client, number: str) -> None:
    for path in ("", "/image", "/thumbnail", "/preview"):
        response = client.get(f"/api/photos/{number}{path}")
        assert response.status_code == 404
        assert response.json()["error"] == "photo_not_found"


# Who sees what


def test_charlie_finds_nothing_of_alices(client_of: ClientOf, charlie: Any, photo: Photo) -> None:
    client = client_of(charlie)
    assert client.get("/api/photos").json()["total"] == 0
    for path in ("", "/image", "/thumbnail", "/preview"):
        assert client.get(f"/api/photos/{photo.pk}{path}").status_code == 404


def test_bob_sees_what_alice_shares_and_uploads_to_his_own_library(
    client_of: ClientOf, bob: Any, photo: Photo, share_with: Any
) -> None:
    share_with(bob, "viewer")
    client = client_of(bob)
    assert client.get("/api/photos").json()["total"] == 1
    assert client.get(f"/api/photos/{photo.pk}/image").status_code == 200
    file = SimpleUploadedFile("9.jpg", jpeg(seed=9))
    saved = client.post("/api/photos/upload", {"file": file}).json()["saved"][0]
    assert Photo.objects.get(pk=saved["id"]).library_id != photo.library_id


# Bytes


def test_the_original_comes_byte_for_byte(client: Client, photo: Photo) -> None:
    response = client.get(f"/api/photos/{photo.pk}/image")
    assert (response.status_code, response["Content-Type"]) == (200, "image/jpeg")
    assert body(response) == jpeg()
    assert response["Content-Length"] == str(len(jpeg()))
    assert response["ETag"] == f'"{photo.checksum}"'
    assert response["Accept-Ranges"] == "bytes"
    assert response["Cache-Control"].startswith("private")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "Content-Disposition" not in response


def test_a_download_has_the_name_of_the_file(client: Client, photo: Photo) -> None:
    response = client.get(f"/api/photos/{photo.pk}/image?download=1")
    assert response["Content-Disposition"] == "attachment; filename*=utf-8''Strand%20%F0%9F%8F%96.jpg"


def test_a_name_cannot_break_out_of_its_header(client: Client, add_photo: AddPhoto) -> None:
    photo = add_photo(name='a"; filename="evil.exe\r\nX-Evil: 1.jpg')
    response = client.get(f"/api/photos/{photo.pk}/image?download=1")
    assert "X-Evil" not in response.headers
    assert response["Content-Disposition"] == r'attachment; filename="a\"; filename=\"evil.exeX-Evil: 1.jpg"'


@pytest.mark.parametrize("kind", ["thumbnail", "preview"])
def test_renditions_are_webp(client: Client, photo: Photo, kind: str) -> None:
    response = client.get(f"/api/photos/{photo.pk}/{kind}")
    assert (response.status_code, response["Content-Type"]) == (200, "image/webp")
    assert body(response)[8:12] == b"WEBP"


def test_caches_are_told_on_what_a_picture_depends(client: Client, photo: Photo) -> None:
    headers = client.get(f"/api/photos/{photo.pk}/thumbnail")["Vary"].split(", ")
    assert set(headers) == {"Authorization", "X-Api-Key", "Cookie", "Accept"}


def test_a_preview_that_is_not_made_yet_is_said_and_a_thumbnail_is_grey(
    client: Client, add_photo: AddPhoto
) -> None:
    photo = add_photo()
    response = client.get(f"/api/photos/{photo.pk}/preview")
    assert (response.status_code, response.json()["error"]) == (404, "thumbnail_pending")
    grey = client.get(f"/api/photos/{photo.pk}/thumbnail")
    assert (grey.status_code, grey["Content-Type"], grey["Cache-Control"]) == (200, "image/jpeg", "no-store")


def test_bytes_that_are_gone_are_said(client: Client, photo: Photo) -> None:
    originals().delete(photo.original_key)
    renditions().delete(photo.rendition_key("thumbnail"))
    assert client.get(f"/api/photos/{photo.pk}/image").json()["error"] == "file_not_found_on_storage"
    assert client.get(f"/api/photos/{photo.pk}/thumbnail").json()["error"] == "thumbnail_not_found_on_storage"


def test_a_storage_that_cannot_be_read_is_said(
    client: Client, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any) -> None:
        raise PermissionError(13, "Permission denied", "/secret/path")

    monkeypatch.setattr(type(own_store()), "open_reader", refuse)
    response = client.get(f"/api/photos/{photo.pk}/image")
    assert (response.status_code, response.json()["error"]) == (503, "storage_unavailable")
    assert "/secret" not in response.text


def test_head_answers_like_get_without_the_bytes(client: Client, photo: Photo) -> None:
    for path in ("/image", "/thumbnail", ""):
        url = f"/api/photos/{photo.pk}{path}"
        head, get = client.head(url), client.get(url)
        assert head.status_code == 200
        assert body(head) == b""
        assert head["Content-Type"] == get["Content-Type"]
        if path:
            assert head["Content-Length"] == get["Content-Length"]
    assert client.head("/api/photos").status_code == 200


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [("bytes=0-0", 0, 1), ("bytes=5-9", 5, 10), ("bytes=100-", 100, None), ("bytes=-7", -7, None)],
)
def test_a_range_is_served(client: Client, photo: Photo, header: str, start: int, end: int | None) -> None:
    response = client.get(f"/api/photos/{photo.pk}/image", headers={"range": header})
    data = jpeg()
    assert response.status_code == 206
    assert body(response) == data[start:end]
    first = start % len(data)
    assert response["Content-Range"] == f"bytes {first}-{first + len(data[start:end]) - 1}/{len(data)}"


def test_a_range_longer_than_the_file_is_served_as_far_as_it_goes(client: Client, photo: Photo) -> None:
    for header in ("bytes=0-99999999", "bytes=-99999999"):
        response = client.get(f"/api/photos/{photo.pk}/image", headers={"range": header})
        assert (response.status_code, body(response)) == (206, jpeg())


@pytest.mark.parametrize("header", ["bytes=99999999-", "bytes=-0"])
def test_a_range_beyond_the_file_is_refused(client: Client, photo: Photo, header: str) -> None:
    response = client.get(f"/api/photos/{photo.pk}/image", headers={"range": header})
    assert (response.status_code, response.json()["error"]) == (416, "range_not_satisfiable")
    assert response["Content-Range"] == f"bytes */{len(jpeg())}"


@pytest.mark.parametrize(
    "header", ["bytes=9-5", "bytes=0-1,4-5", "bytes=-", "lines=1-2", "bytes=a-b", f"bytes={'9' * 5000}-", ""]
)
def test_a_range_that_is_none_is_ignored(client: Client, photo: Photo, header: str) -> None:
    response = client.get(f"/api/photos/{photo.pk}/image", headers={"range": header})
    assert (response.status_code, body(response)) == (200, jpeg())
    assert "Content-Range" not in response


def test_a_range_of_another_version_gives_the_whole(client: Client, photo: Photo) -> None:
    url = f"/api/photos/{photo.pk}/image"
    headers = {"range": "bytes=0-3", "if-range": '"other"'}
    assert client.get(url, headers=headers).status_code == 200
    headers["if-range"] = f'"{photo.checksum}"'
    assert client.get(url, headers=headers).status_code == 206


def test_what_the_client_has_is_not_sent_again(client: Client, photo: Photo) -> None:
    for path in ("image", "thumbnail"):
        url = f"/api/photos/{photo.pk}/{path}"
        etag = client.get(url)["ETag"]
        for known in (etag, f"W/{etag}", f'"a", {etag}'):
            response = client.get(url, headers={"if-none-match": known})
            assert (response.status_code, body(response), response["ETag"]) == (304, b"", etag)
        assert client.get(url, headers={"if-none-match": '"other"'}).status_code == 200


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators")
def test_a_large_original_is_streamed(client: Client, add_photo: AddPhoto) -> None:
    data = jpeg() + bytes(range(256)) * 8000
    photo = add_photo(data)
    response = client.get(f"/api/photos/{photo.pk}/image")
    assert response.streaming
    assert body(response) == data
    tail = client.get(f"/api/photos/{photo.pk}/image", headers={"range": "bytes=1000-"})
    assert body(tail) == data[1000:]
