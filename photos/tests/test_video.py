"""Videos: facts, posters, and films made playable."""

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photos.formats import filetypes, playback, video
from photos.formats.filetypes import HEAD_BYTES, FileType, sniff
from photos.formats.imaging import TooManyPixels, UndecodableImage, decode_rgb
from photos.formats.rendering import make_renditions
from photos.metadata.reading import read_metadata
from photos.tests.films import film, sound_only
from photos.tests.pictures import UPRIGHT_CORNERS, truncated

APPLE = "com.apple.quicktime."
RECORDED = datetime(2024, 5, 1, 12, 34, 56)


def kind_of(data: bytes) -> FileType:
    kind = sniff(data[:HEAD_BYTES])
    assert kind is not None
    return kind


def written(folder: Path, data: bytes) -> Path:
    path = folder / "film"
    path.write_bytes(data)
    return path


CASES: list[tuple[str, dict[str, Any], FileType, bool, bool]] = [
    ("mp4", {}, filetypes.MP4, True, True),
    ("mp4", {"audio": None}, filetypes.MP4, True, True),
    ("ipod", {}, filetypes.M4V, True, True),
    ("mov", {}, filetypes.MOV, False, True),
    ("webm", {"video": "libvpx-vp9", "audio": "libopus"}, filetypes.WEBM, True, False),
    ("matroska", {"video": "libx264", "audio": "aac"}, filetypes.MKV, False, True),
    ("matroska", {"video": "libvpx-vp9", "audio": "libopus"}, filetypes.MKV, False, False),
    ("avi", {"video": "mpeg4", "audio": "libmp3lame"}, filetypes.AVI, False, False),
    ("mp4", {"video": "libx265"}, filetypes.MP4, False, False),
    ("mp4", {"pix_fmt": "yuv420p10le"}, filetypes.MP4, False, False),
    ("mov", {"video": "mjpeg", "audio": "pcm_s16le", "pix_fmt": "yuvj420p"}, filetypes.MOV, False, False),
]


@pytest.mark.parametrize(("format", "options", "kind", "plays", "is_h264"), CASES)
def test_each_video_is_known_shown_and_made_playable(
    tmp_path: Path, format: str, options: dict[str, Any], kind: FileType, plays: bool, is_h264: bool
) -> None:
    data = film(format, **options)
    assert kind_of(data) == kind
    path = written(tmp_path, data)
    made = make_renditions(path, max_pixels=10**8)
    assert made.video is not None
    assert (made.width, made.height) == (320, 240)
    assert made.video.duration_seconds == pytest.approx(1.0, abs=0.1)
    assert (made.video.plays_as_is, made.video.is_plain_h264) == (plays, is_h264)
    assert corners(decode_rgb(made.preview)) == pytest.approx(np.array(UPRIGHT_CORNERS), abs=40)
    playback.make_playable(path, tmp_path / "made.mp4", kind)
    facts = video.read_facts(tmp_path / "made.mp4", filetypes.MP4)
    assert facts.plays_as_is
    assert facts.duration_seconds == pytest.approx(1.0, abs=0.15)
    assert facts.audio_codec == ("" if options.get("audio", "aac") is None else "aac")


def corners(rgb: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    height, width = rgb.shape[:2]
    places = [(1, 1), (1, width - 10), (height - 10, 1), (height - 10, width - 10)]
    return np.array([rgb[y + 4, x + 4].astype(int) for y, x in places])


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (filetypes.MP4, film("mp4").replace(b"avc1", b"zzzz")),
        (filetypes.MKV, film("matroska").replace(b"V_MPEG4/ISO/AVC", b"V_MPEG4/ISO/XYZ")),
        (filetypes.AVI, film("avi", video="mpeg4", audio=None).replace(b"FMP4", b"zzzz")),
    ],
)
def test_a_coding_that_nobody_knows_is_said(tmp_path: Path, kind: FileType, data: bytes) -> None:
    path = written(tmp_path, data)
    facts, poster = video.read_poster(path, kind, 10**8)
    assert poster is None
    assert (facts.problem, facts.video_codec) == (video.UNKNOWN_CODING, "unknown")
    assert facts.duration_seconds == pytest.approx(1.0, abs=0.15)
    assert not facts.plays_as_is
    with pytest.raises(UndecodableImage, match="does not know"):
        playback.make_playable(path, tmp_path / "made.mp4", kind)


@pytest.mark.parametrize(("turn", "index"), [(90, 0), (180, 0), (270, 0)])
def test_a_turned_video_is_shown_and_converted_upright(tmp_path: Path, turn: int, index: int) -> None:
    path = written(tmp_path, film("mp4", video="mpeg4", turn=turn))
    made = make_renditions(path, max_pixels=10**8)
    sideways = turn in (90, 270)
    assert (made.width, made.height) == ((240, 320) if sideways else (320, 240))
    playback.make_playable(path, tmp_path / "made.mp4", filetypes.MP4)
    again = make_renditions(tmp_path / "made.mp4", max_pixels=10**8)
    assert (again.width, again.height) == (made.width, made.height)
    first, second = (corners(decode_rgb(one.preview)) for one in (made, again))
    assert first == pytest.approx(second, abs=40)


def test_a_copied_film_keeps_its_turn(tmp_path: Path) -> None:
    path = written(tmp_path, film("mov", turn=90))
    playback.make_playable(path, tmp_path / "made.mp4", filetypes.MOV)
    again = make_renditions(tmp_path / "made.mp4", max_pixels=10**8)
    assert (again.width, again.height) == (240, 320)


def test_large_films_are_made_smaller(tmp_path: Path) -> None:
    path = written(tmp_path, film("avi", video="mpeg4", audio=None, width=2560, height=1440, seconds=0.2))
    playback.make_playable(path, tmp_path / "made.mp4", filetypes.AVI)
    facts = video.read_facts(tmp_path / "made.mp4", filetypes.MP4)
    assert (facts.width, facts.height) == (1920, 1080)


def test_the_poster_is_not_black_when_the_film_begins_so(tmp_path: Path) -> None:
    made = make_renditions(written(tmp_path, film(seconds=2.0, black_seconds=0.5)), max_pixels=10**8)
    assert decode_rgb(made.preview).mean() > 40


def test_time_place_and_camera_of_a_phones_film_are_read(tmp_path: Path) -> None:
    tags = (
        (APPLE + "creationdate", "2024-05-01T12:34:56+0200"),
        (APPLE + "location.ISO6709", "+48.1372+011.5755+519.0/"),
        (APPLE + "make", "Chitra"),
        (APPLE + "model", "Pinhole 1"),
        (APPLE + "content.identifier", "0A1B2C3D-0000-1111-2222-333344445555"),
    )
    path = written(tmp_path, film("mov", tags=tags))
    facts = video.read_facts(path, filetypes.MOV)
    assert facts.tags.content_id == "0A1B2C3D-0000-1111-2222-333344445555"
    found = read_metadata(path)
    assert found.time is not None
    assert (found.time.source, found.time.wall, found.time.offset_minutes) == ("video", RECORDED, 120)
    assert [found.latitude, found.longitude, found.altitude] == pytest.approx([48.1372, 11.5755, 519.0])
    assert (found.camera_make, found.camera_model) == ("Chitra", "Pinhole 1")


def test_sound_alone_has_no_poster_but_a_reason(tmp_path: Path) -> None:
    path = written(tmp_path, sound_only())
    with pytest.raises(UndecodableImage, match="no video in it"):
        make_renditions(path, max_pixels=10**8)
    with pytest.raises(UndecodableImage, match="no video in it"):
        playback.make_playable(path, tmp_path / "made.mp4", filetypes.MP4)


def test_the_limit_of_pixels_holds_for_videos(tmp_path: Path) -> None:
    with pytest.raises(TooManyPixels):
        make_renditions(written(tmp_path, film()), max_pixels=1000)


@pytest.mark.parametrize("format", ["mp4", "matroska", "avi"])
@pytest.mark.parametrize("keep", [number / 10 for number in range(1, 10)])
def test_a_film_cut_short_shows_what_is_there_or_says_why(tmp_path: Path, format: str, keep: float) -> None:
    options = {"video": "mpeg4", "audio": "libmp3lame"} if format == "avi" else {}
    path = written(tmp_path, truncated(film(format, **options), keep))
    for attempt in (
        lambda: make_renditions(path, max_pixels=10**8),
        lambda: playback.make_playable(path, tmp_path / "made.mp4", kind_of(path.read_bytes())),
    ):
        try:
            attempt()
        except UndecodableImage as error:
            reason = str(error)
        else:
            reason = "it is shown"
        assert len(reason) > 8


def test_a_playlist_that_poses_as_a_film_opens_nothing(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(film())
    for text in (f"#EXTM3U\n#EXTINF:1\nfile://{secret}\n", f"ffconcat version 1.0\nfile {secret}\n"):
        with pytest.raises(UndecodableImage):
            video.read_facts(written(tmp_path, text.encode()), filetypes.MP4)
