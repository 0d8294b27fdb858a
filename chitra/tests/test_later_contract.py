"""What the newest clients of the old server know besides: videos, and files that are not there."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from chitra.accounts.models import User
from faces.models import Face
from photos.models import Library, Photo
from photos.steps import make_renditions
from photos.storages import originals, renditions
from photos.tests.films import film
from search import services


@pytest.fixture
def client(client_of: Callable[[User], Client], alice: User, library: Library, media: Any) -> Client:
    return client_of(alice)


@pytest.fixture
def photo(add_photo: Callable[..., Photo]) -> Photo:
    return add_photo()


def code_of(answer: Any) -> tuple[int, str]:
    assert answer.json()["detail"] == answer.json()["error"]
    return answer.status_code, answer.json()["error"]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("", (404, "poster_pending")),
        ("pending", (409, "transcode_in_progress")),
        ("failed", (422, "transcode_failed")),
        ("ready", (404, "file_not_found_on_storage")),
        ("not_needed", (404, "file_not_found_on_storage")),
    ],
)
def test_a_video_that_cannot_be_played_says_why(
    client: Client, photo: Photo, state: str, expected: tuple[int, str]
) -> None:
    Photo.objects.filter(pk=photo.pk).update(media_type="video", playback_status=state)
    originals().delete(photo.original_key)
    assert code_of(client.get(f"/api/photos/{photo.pk}/video")) == expected


def test_an_uploaded_video_is_said_to_be_one(client: Client) -> None:
    answer = client.post("/api/photos/upload", {"file": SimpleUploadedFile("one.mp4", film())})
    (saved,) = answer.json()["saved"]
    assert (saved["media_type"], saved["transcode_status"]) == ("video", "pending")
    assert (saved["thumbnail"], saved["thumbnail_url"]) == (None, None)


def test_renditions_that_are_gone_are_404_with_their_codes(client: Client, photo: Photo) -> None:
    make_renditions([photo.pk])
    renditions().delete(photo.rendition_key("thumbnail"))
    thumbnail = client.get(f"/api/photos/{photo.pk}/thumbnail")
    assert code_of(thumbnail) == (404, "thumbnail_not_found_on_storage")
    face = Face.objects.create(
        photo=photo, x1=0, y1=0, x2=1, y2=1, detection_score=1, crop_key="crops/gone.webp"
    )
    crop = client.get(f"/api/faces/{face.pk}/thumbnail")
    assert code_of(crop) == (404, "thumb_not_found_on_storage")


def test_a_rendition_that_is_damaged_is_422(client: Client, photo: Photo) -> None:
    make_renditions([photo.pk])
    with open(renditions().path(photo.rendition_key("thumbnail")), "wb") as file:  # noqa: PTH123
        file.write(b"RIFF")
    thumbnail = client.get(f"/api/photos/{photo.pk}/thumbnail", headers={"accept": "image/jpeg"})
    assert code_of(thumbnail) == (422, "decode_failed")


def test_a_search_without_a_model_is_503(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(text: str) -> None:
        raise services.SearchUnavailable("The model is away.")

    monkeypatch.setattr(services, "embed_query", away)
    unavailable = client.get("/api/search/photos?query=never asked")
    assert (code_of(unavailable), unavailable["Retry-After"]) == ((503, "search_unavailable"), "30")
