"""Tags of films: which clock they show, and where and with what they were recorded."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from photos.dates.capture_time import CaptureTime, Surroundings, decide
from photos.formats.film_tags import FilmTags, place_of, recording_time, tags_of
from photos.metadata.reading import of_film, read_metadata
from photos.metadata.xmp import XmpProperties, read_xmp
from photos.tests.films import film
from photos.tests.test_xmp import PACKET

APPLE = "com.apple.quicktime."
UTC_CLOCK = {"creation_time": "2024-05-01T10:34:56.000000Z"}
INSTANT = datetime(2024, 5, 1, 10, 34, 56, tzinfo=UTC)
PARIS = (48.8566, 2.3522)


def wall(hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2024, 5, 1, hour, minute, second)


@pytest.mark.parametrize(
    ("tags", "time"),
    [
        (UTC_CLOCK, CaptureTime(wall(10, 34, 56), "video", utc=INSTANT)),
        (
            UTC_CLOCK | {APPLE + "creationdate": "2024-05-01T12:34:50+0530"},
            CaptureTime(
                wall(12, 34, 50),
                "video",
                utc=datetime(2024, 5, 1, 7, 4, 50, tzinfo=UTC),
                offset_minutes=330,
                zone_source="offset",
            ),
        ),
        (UTC_CLOCK | {"date": "2024"}, CaptureTime(wall(10, 34, 56), "video", utc=INSTANT)),
        ({"creation_time": "2024-05-01 12:34:56"}, CaptureTime(wall(12, 34, 56), "video")),
        ({"date": "2024-05-01"}, CaptureTime(wall(), "video")),
    ],
    ids=["UTC of MP4", "Apple's offset", "a year is no date", "wall clock of AVI", "day of AVI"],
)
def test_each_clock_is_taken_for_what_it_is(tags: dict[str, str], time: CaptureTime) -> None:
    assert recording_time(tags) == time


@pytest.mark.parametrize(
    "text",
    ["", "1904-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "yesterday", "20240501"],
)
def test_a_camera_without_a_clock_tells_no_time(text: str) -> None:
    assert recording_time({"creation_time": text}) is None


@pytest.mark.parametrize(
    ("around", "clock", "minutes", "source"),
    [
        (Surroundings(place=PARIS, library_zone="Asia/Tokyo"), wall(12, 34, 56), 120, "place"),
        (Surroundings(library_zone="Asia/Tokyo"), wall(19, 34, 56), 540, "library"),
        (Surroundings(), wall(10, 34, 56), None, ""),
    ],
    ids=["place", "library", "nothing"],
)
def test_an_instant_is_shown_on_the_clock_of_place_or_library(
    around: Surroundings, clock: datetime, minutes: int | None, source: str
) -> None:
    found = decide(recording_time(UTC_CLOCK), around)
    assert found is not None
    assert (found.wall, found.offset_minutes, found.zone_source) == (clock, minutes, source)
    assert (found.utc, found.source) == (INSTANT, "video")


def test_the_clock_of_a_film_is_not_that_of_a_receiver() -> None:
    assert of_film(tags_of(UTC_CLOCK), XmpProperties()).gps_at is None


@pytest.mark.parametrize("format", ["mp4", "mov", "matroska"])
def test_the_clocks_of_real_containers_are_utc(tmp_path: Path, format: str) -> None:
    path = tmp_path / "film"
    path.write_bytes(film(format, seconds=0.2, tags=(("creation_time", "2024-05-01T10:34:56Z"),)))
    found = read_metadata(path)
    assert found.time is not None
    assert (found.time.utc, found.time.source, found.time.offset_minutes) == (INSTANT, "video", None)


def test_texts_are_read_and_a_sidecar_goes_first() -> None:
    named = {"title": "Rain", "description": "In the\x00 garden", APPLE + "keywords": "wet, green"}
    found = of_film(tags_of(UTC_CLOCK | named), XmpProperties())
    assert (found.title, found.description, found.keywords) == ("Rain", "In the garden", ("wet", "green"))
    corrected = of_film(tags_of(UTC_CLOCK | named), read_xmp(PACKET.encode()))
    assert (corrected.title, corrected.taken_at) == ("The lake", datetime(2018, 1, 2, 3, 4, 5))


def test_xmp_inside_a_film_says_what_the_film_does_not() -> None:
    tags = replace(FilmTags(title="Rain"), xmp=PACKET.encode())
    found = of_film(tags, XmpProperties())
    assert (found.title, found.description) == ("Rain", "Early in the morning")
    assert found.latitude == pytest.approx(48.1375)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("+48.1372+011.5755+519.0/", (48.1372, 11.5755, 519.0)),
        ("-33.8688+151.2093/", (-33.8688, 151.2093, None)),
        ("+00.0000+000.0000/", (None, None, None)),
        ("+95.0+011.0/", (None, None, None)),
        ("at home", (None, None, None)),
    ],
)
def test_places_are_read_as_iso_6709(text: str, place: tuple[float | None, ...]) -> None:
    assert place_of({"location": text}) == place
