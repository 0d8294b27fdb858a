"""Originals and renditions out of an S3 store, and objects by their key."""

import urllib.request
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from chitra.accounts.models import User
from chitra.tests.s3 import S3Server
from chitra.tests.test_tus import use_s3
from faces.models import Face
from jobs import tasks
from photos.models import Photo
from photos.storages import originals, renditions
from photos.tests.pictures import jpeg


@pytest.fixture
def on_s3(settings: Any, s3_server: S3Server, media: Any) -> None:
    use_s3(settings, s3_server)


@pytest.fixture
def photo(add_photo: Callable[..., Photo]) -> Photo:
    return add_photo(jpeg(800, 600), name="Sömmer 1.jpg")


def body(response: Any) -> bytes:
    return b"".join(response) if response.streaming else bytes(response.content)


@pytest.mark.usefixtures("on_s3")
def test_a_client_that_asks_is_sent_to_the_store(
    media: Any,
    settings: Any,
    s3_server: S3Server,
    add_photo: Callable[..., Photo],
    alice: User,
    client_of: Callable[[User], Client],
) -> None:
    use_s3(settings, s3_server)
    photo = add_photo(jpeg(800, 600), name="Sömmer 1.jpg")
    client = client_of(alice)
    url = f"/api/photos/{photo.pk}/image"
    response = client.get(f"{url}?redirect=1&download=1")
    assert (response.status_code, response["Cache-Control"]) == (302, "private, max-age=150")
    with urllib.request.urlopen(response["Location"], timeout=10) as answer:
        assert answer.read() == jpeg(800, 600)
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert "S%C3%B6mmer%201.jpg" in answer.headers["Content-Disposition"]
    streamed = client.get(url)
    assert body(streamed) == jpeg(800, 600)
    assert streamed["Content-Length"] == str(photo.size)
    part = client.get(url, headers={"range": "bytes=10-19"})
    assert (part.status_code, body(part)) == (206, jpeg(800, 600)[10:20])
    assert client.get(url, headers={"range": f"bytes={photo.size}-"}).status_code == 416
    since = client.get(url, headers={"if-modified-since": streamed["Last-Modified"]})
    assert since.status_code == 304
    stale = {"range": "bytes=0-9", "if-range": '"other"'}
    assert client.get(url, headers=stale).status_code == 200
    originals().delete(photo.original_key)
    assert client.get(url).json()["error"] == "file_not_found_on_storage"


def test_strangers_get_no_presigned_url(
    settings: Any,
    s3_server: S3Server,
    add_photo: Callable[..., Photo],
    charlie: User,
    client_of: Callable[[User], Client],
) -> None:
    use_s3(settings, s3_server)
    photo = add_photo()
    for path in (f"/api/photos/{photo.pk}/image?redirect=1", f"/api/storage/{photo.original_key}?redirect=1"):
        assert client_of(charlie).get(path).status_code == 404
        assert Client().get(path).status_code in (401, 403)


def test_pages_are_redirected_only_where_browsers_can_get(
    settings: Any, s3_server: S3Server, add_photo: Callable[..., Photo], alice: User
) -> None:
    use_s3(settings, s3_server)
    photo = add_photo()
    page = Client()
    page.force_login(alice)
    assert page.get(f"/api/photos/{photo.pk}/image").status_code == 200
    backend = settings.STORAGES["originals"]
    public = {**backend["OPTIONS"], "public_endpoint_url": "https://store.example.com"}
    settings.STORAGES = {**settings.STORAGES, "originals": {**backend, "OPTIONS": public}}
    response = page.get(f"/api/photos/{photo.pk}/image")
    assert response.status_code == 302
    assert response["Location"].startswith("https://store.example.com/")


def test_objects_are_served_by_key_to_who_sees_the_photo(
    photo: Photo, alice: User, charlie: User, client_of: Callable[[User], Client]
) -> None:
    tasks.drain("metadata")
    tasks.drain("renditions")
    crop = f"{photo.library_id}/{photo.uuid.hex[:2]}/{photo.uuid.hex}/face-{uuid.uuid4().hex}.webp"
    from django.core.files.base import ContentFile

    renditions().save(crop, ContentFile(b"RIFF0000WEBP"))
    face = Face.objects.create(photo=photo, x1=0, y1=0, x2=1, y2=1, detection_score=1, crop_key=crop)
    keys = {
        photo.original_key: "image/jpeg",
        photo.rendition_key("thumbnail"): "image/webp",
        photo.rendition_key("preview"): "image/webp",
        f"thumbnails/photos/{photo.pk}.jpg": "image/webp",
        crop: "image/webp",
        f"thumbnails/faces/face_{face.pk}.jpg": "image/webp",
    }
    for key, mime_type in keys.items():
        response = client_of(alice).get(f"/api/storage/{key}")
        assert (response.status_code, response["Content-Type"]) == (200, mime_type), key
        assert response["X-Content-Type-Options"] == "nosniff"
        assert client_of(charlie).get(f"/api/storage/{key}").status_code == 404


def test_old_thumbnail_keys_are_jpeg_for_clients_that_refuse_webp(
    photo: Photo, alice: User, client_of: Callable[[User], Client]
) -> None:
    tasks.drain("metadata")
    tasks.drain("renditions")
    url = f"/api/storage/thumbnails/photos/{photo.pk}.jpg"
    response = client_of(alice).get(url, headers={"accept": "image/jpeg"})
    assert (response["Content-Type"], response.content[:3]) == ("image/jpeg", b"\xff\xd8\xff")
    assert "Accept" in response["Vary"]


def test_old_keys_with_odd_characters_are_found(
    photo: Photo, alice: User, client_of: Callable[[User], Client], media: Any
) -> None:
    key = "photos/2025/12/a b#%é.JPG"
    (media / "originals" / key).parent.mkdir(parents=True)
    (media / "originals" / photo.original_key).rename(media / "originals" / key)
    Photo.objects.update(original_key=key)
    response = client_of(alice).get(f"/api/storage/{quote(key)}")
    assert body(response) == jpeg(800, 600)


@pytest.mark.parametrize(
    "key",
    ["../secret", "1/../../etc/passwd", "%2e%2e/secret", "/etc/passwd", "nothing", "a%00b", ".uploads/x"],
)
def test_other_keys_are_not_found(
    alice: User, client_of: Callable[[User], Client], key: str, media: Any
) -> None:
    assert client_of(alice).get(f"/api/storage/{key}").status_code == 404


def test_a_proxy_in_front_sends_the_file(
    photo: Photo, alice: User, client_of: Callable[[User], Client], settings: Any, media: Any
) -> None:
    settings.MEDIA_DIR = media
    settings.ACCEL = "nginx"
    response = client_of(alice).get(f"/api/photos/{photo.pk}/image")
    assert response["X-Accel-Redirect"] == f"/protected-media/originals/{photo.original_key}"
    assert response.content == b""
    settings.ACCEL = "sendfile"
    response = client_of(alice).get(f"/api/photos/{photo.pk}/image")
    assert response["X-Sendfile"] == str(media / "originals" / photo.original_key)
