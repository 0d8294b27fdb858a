"""Videos and motion photos through the ledger, the API and the pages."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from jobs import tasks
from photos.models import Photo, PhotoStep
from photos.services import ingest
from photos.storages import read_bytes, renditions
from photos.tests.films import film, sound_only
from photos.tests.pictures import animated, jpeg
from photos.tests.test_clips import LIVE_ID, apple_note, micro_video

AddPhoto = Callable[..., Photo]
APPLE_ID = (("com.apple.quicktime.content.identifier", LIVE_ID),)


@pytest.fixture
def page(client: Client, alice: Any) -> Client:
    client.force_login(alice)
    return client


def work(*photos: Photo) -> None:
    for step in ("metadata", "renditions", "playback"):
        tasks.drain(step)
    for photo in photos:
        photo.refresh_from_db()


def status_of(photo: Photo, step: str) -> tuple[str, str]:
    row = PhotoStep.objects.get(photo=photo, step=step)
    return row.status, row.error


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_a_video_that_browsers_play_is_served_as_it_came(add_photo: AddPhoto, page: Client) -> None:
    data = film()
    video = add_photo(data, name="clip.mp4")
    work(video)
    assert (video.media_type, video.playback_status, video.duration_text) == ("video", "not_needed", "0:01")
    assert (video.width, video.height, video.has_renditions) == (320, 240, True)
    assert not PhotoStep.objects.filter(photo=video, step="playback").exists()
    answer = page.get(f"/api/photos/{video.pk}/video")
    assert (answer.status_code, answer["Content-Type"], answer["Accept-Ranges"]) == (
        200,
        "video/mp4",
        "bytes",
    )
    part = page.get(f"/api/photos/{video.pk}/video", headers={"Range": "bytes=100-199"})
    assert (part.status_code, body(part)) == (206, data[100:200])


def test_another_video_is_converted_and_its_page_has_a_player(add_photo: AddPhoto, page: Client) -> None:
    video = add_photo(film("avi", video="mpeg4", audio="libmp3lame"), name="old.avi")
    tasks.drain("renditions")
    video.refresh_from_db()
    assert video.playback_status == "pending"
    assert page.get(f"/api/photos/{video.pk}/video").status_code == 409
    assert b"being converted" in page.get(f"/photos/{video.pk}").content
    work(video)
    assert (video.playback_status, status_of(video, "playback")) == ("ready", ("done", ""))
    made = read_bytes(renditions(), video.rendition_key("playback"))
    assert made[4:8] == b"ftyp"
    answer = page.get(f"/api/photos/{video.pk}/video", headers={"Range": "bytes=0-7"})
    assert (answer.status_code, body(answer), answer["Content-Type"]) == (206, made[:8], "video/mp4")
    html = page.get(f"/photos/{video.pk}").content.decode()
    assert f'<video controls playsinline preload="metadata" src="/api/photos/{video.pk}/video"' in html
    tile = page.get("/").content.decode()
    assert "tile-badge" in tile
    assert "0:01" in tile
    assert page.get(f"/api/storage/{video.rendition_key('playback')}").status_code == 200


def test_the_api_tells_what_a_video_is(add_photo: AddPhoto, page: Client) -> None:
    video, photo = add_photo(film(), name="clip.mp4"), add_photo()
    work()
    found = page.get(f"/api/photos/{video.pk}").json()
    assert (found["media_type"], found["duration_seconds"], found["playback_status"]) == (
        "video",
        1.0,
        "not_needed",
    )
    found = page.get(f"/api/photos/{photo.pk}").json()
    assert (found["media_type"], found["duration_seconds"], found["playback_status"]) == ("photo", None, None)


def test_a_photo_that_does_not_move_has_no_film(add_photo: AddPhoto, page: Client) -> None:
    photo = add_photo()
    work()
    answer = page.get(f"/api/photos/{photo.pk}/video")
    assert (answer.status_code, answer.json()["detail"]) == (400, "not_a_video")


def test_somebody_elses_film_is_not_there(add_photo: AddPhoto, client: Client, charlie: Any) -> None:
    video = add_photo(film(), name="clip.mp4")
    work()
    client.force_login(charlie)
    assert client.get(f"/api/photos/{video.pk}/video").status_code == 404


def test_a_video_without_pictures_is_kept_with_its_reason(add_photo: AddPhoto, page: Client) -> None:
    video = add_photo(sound_only(), name="voice.mp4")
    work(video)
    status, reason = status_of(video, "renditions")
    assert (status, "no video in it" in reason) == ("failed", True)
    assert b"cannot be decoded" in page.get("/").content
    assert page.get(f"/api/photos/{video.pk}/image").status_code == 200


def test_the_film_inside_a_photo_is_kept_and_played(add_photo: AddPhoto, page: Client) -> None:
    clip = film(seconds=0.4)
    photo = add_photo(micro_video(jpeg(), clip), name="MVIMG_1.jpg")
    work(photo)
    assert (photo.media_type, photo.playback_status) == ("photo", "ready")
    assert page.get(f"/api/photos/{photo.pk}/video").status_code == 200
    html = page.get(f"/photos/{photo.pk}").content.decode()
    assert "data-motion-toggle" in html
    assert "Motion photo" in page.get("/").content.decode()


@pytest.mark.parametrize("film_first", [True, False])
def test_apples_pair_is_one_photo_with_its_film(add_photo: AddPhoto, page: Client, film_first: bool) -> None:
    still_data, film_data = jpeg() + apple_note(), film("mov", seconds=0.6, tags=APPLE_ID)
    pair = [(film_data, "IMG_9.MOV"), (still_data, "IMG_1.JPG")]
    added = [add_photo(data, name=name) for data, name in (pair if film_first else pair[::-1])]
    work(*added)
    clip, still = added if film_first else added[::-1]
    assert (still.live_id, clip.live_id) == (LIVE_ID, LIVE_ID)
    assert clip.still_id == still.pk
    html = page.get("/").content.decode()
    assert f'id="photo-{still.pk}"' in html
    assert f'id="photo-{clip.pk}"' not in html
    assert "data-motion-toggle" in page.get(f"/photos/{still.pk}").content.decode()
    assert page.get(f"/api/photos/{still.pk}/video").status_code == 200
    page.post(f"/photos/{still.pk}/trash")
    clip.refresh_from_db()
    assert clip.deleted_at is not None
    page.post(f"/photos/{still.pk}/restore")
    clip.refresh_from_db()
    assert clip.deleted_at is None


@pytest.fixture
def put(library: Any, media: Any) -> Callable[..., Photo]:
    def put(data: bytes, name: str, folder: str) -> Photo:
        source_path = f"{folder}/{name}" if folder else ""
        return ingest(library=library, stream=io.BytesIO(data), name=name, source_path=source_path).photo

    return put


def test_a_pair_by_name_must_come_together_and_be_short(put: Callable[..., Photo]) -> None:
    still, clip = put(jpeg(seed=1), "IMG_1.JPG", "/a"), put(film("mov", seconds=0.6), "img_1.mov", "/a")
    other, long = put(jpeg(seed=2), "IMG_2.JPG", "/a"), put(film("mov", seconds=8.0), "IMG_2.MOV", "/a")
    elsewhere, away = put(jpeg(seed=3), "IMG_3.JPG", "/a"), put(film("mov", seconds=0.8), "IMG_3.MOV", "/b")
    work(still, clip, other, long, elsewhere, away)
    assert clip.still_id == still.pk
    assert long.still_id is None
    assert away.still_id is None


@pytest.mark.parametrize("film_first", [True, False])
@pytest.mark.parametrize(
    ("still_name", "film_name"),
    [
        ("IMG_1.HEIC", "IMG_1.MP4"),
        ("PXL_1.MP.jpg", "PXL_1.MP"),
        ("20250501_103356.jpg", "20250501_103356.MP4"),
    ],
)
def test_the_films_that_google_exports_beside_photos_belong_to_them(
    put: Callable[..., Photo], still_name: str, film_name: str, film_first: bool
) -> None:
    folder = "Takeout/Google Photos/Photos from 2025"
    pair = [
        (film(seconds=0.6), film_name, f"/takeout-002.zip/{folder}"),
        (jpeg() + apple_note(), still_name, f"/takeout-001.zip/{folder}"),
    ]
    clip, still = [put(*one) for one in pair] if film_first else [put(*one) for one in pair[::-1]][::-1]
    work(clip, still)
    assert (still.live_id, clip.live_id) == (LIVE_ID, "")
    assert clip.still_id == still.pk


def test_a_film_of_the_same_name_that_was_uploaded_stays_a_film(put: Callable[..., Photo]) -> None:
    still, clip = put(jpeg(seed=1), "1.jpg", ""), put(film(seconds=0.6), "1.mp4", "")
    work(still, clip)
    assert clip.still_id is None


def test_an_animation_moves_on_its_page(add_photo: AddPhoto, page: Client) -> None:
    moving = add_photo(animated("GIF", ((255, 0, 0), (0, 0, 255))), name="moving.gif")
    still = add_photo(jpeg())
    work(moving, still)
    assert moving.is_animated
    assert not still.is_animated
    assert f'<img src="/api/photos/{moving.pk}/image"' in page.get(f"/photos/{moving.pk}").content.decode()
