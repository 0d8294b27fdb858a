from datetime import UTC, datetime, timedelta

import pytest

from photos.dates.capture_time import CaptureTime, Surroundings, decide, time_of_tags
from photos.dates.stamps import Stamp

PARIS, TOKYO = (48.8584, 2.2945), (35.6586, 139.7454)
NOON = datetime(2024, 7, 1, 12)
CAMERA = CaptureTime(NOON, "exif_original")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type] # six numbers at most


def test_the_place_tells_the_zone_of_a_camera_without_one() -> None:
    time = decide(CAMERA, Surroundings(place=TOKYO, library_zone="Europe/Paris"))
    assert time == CaptureTime(NOON, "exif_original", utc(2024, 7, 1, 3), 540, "Asia/Tokyo", "place")


def test_the_library_tells_the_zone_when_there_is_no_place() -> None:
    time = decide(CAMERA, Surroundings(library_zone="Europe/Paris"))
    assert time == CaptureTime(NOON, "exif_original", utc(2024, 7, 1, 10), 120, "Europe/Paris", "library")


def test_summer_and_winter_have_their_own_offsets() -> None:
    winter = CaptureTime(datetime(2024, 1, 1, 12), "exif_original")
    time = decide(winter, Surroundings(place=PARIS))
    assert time is not None
    assert time.offset_minutes == 60


def test_without_place_and_library_the_zone_is_unknown() -> None:
    assert decide(CAMERA, Surroundings(name="IMG_20200131_123456.jpg")) == CAMERA


def test_an_offset_in_the_file_goes_before_the_place_and_takes_its_name_when_they_agree() -> None:
    tags = time_of_tags(Stamp(NOON, 120), "exif_original", None)
    abroad = decide(tags, Surroundings(place=TOKYO))
    assert abroad == CaptureTime(NOON, "exif_original", utc(2024, 7, 1, 10), 120, "", "offset")
    at_home = decide(tags, Surroundings(place=PARIS))
    assert at_home is not None
    assert (at_home.zone, at_home.zone_source) == ("Europe/Paris", "offset")


def test_the_gps_clock_alone_is_shown_as_local_time_of_the_place() -> None:
    tags = time_of_tags(None, None, utc(2024, 7, 1, 22))
    assert tags == CaptureTime(datetime(2024, 7, 1, 22), "gps", utc(2024, 7, 1, 22), None, "", "gps")
    time = decide(tags, Surroundings(place=TOKYO))
    assert time is not None
    assert (time.wall, time.offset_minutes) == (datetime(2024, 7, 2, 7), 540)


def test_a_camera_clock_that_the_gps_clock_contradicts_is_left_to_the_date_doctor() -> None:
    for minutes_after_7 in (0, 157):  # five hours look like a zone, but not like that of Paris
        gps = utc(2024, 7, 1, 7) + timedelta(minutes=minutes_after_7)
        time = decide(time_of_tags(Stamp(NOON), "exif_original", gps), Surroundings(place=PARIS))
        assert time == CaptureTime(NOON, "exif_original", gps, None, "Europe/Paris", "gps")


def test_the_hour_that_the_end_of_summer_repeats_is_no_contradiction() -> None:
    wall = datetime(2024, 10, 27, 2, 30)
    for hour, offset in ((0, 120), (1, 60)):
        tags = time_of_tags(Stamp(wall), "exif_original", utc(2024, 10, 27, hour, 30))
        time = decide(tags, Surroundings(place=PARIS))
        assert time is not None
        assert (time.offset_minutes, time.zone) == (offset, "Europe/Paris")


def test_the_name_goes_before_the_time_of_the_file() -> None:
    around = Surroundings(name="Screenshot_20240701-120000.png", file_at=utc(2025, 1, 1))
    assert decide(None, around) == CaptureTime(NOON, "name")


def test_a_name_in_utc_becomes_local_time() -> None:
    around = Surroundings(name="PXL_20240701_120000000.jpg", library_zone="Europe/Paris")
    time = decide(None, around)
    assert time is not None
    assert (time.wall, time.utc, time.source) == (datetime(2024, 7, 1, 14), utc(2024, 7, 1, 12), "name")


def test_a_name_that_tells_the_day_takes_the_hour_from_a_file_of_that_day() -> None:
    name = "IMG-20240701-WA0001.jpg"
    same = decide(None, Surroundings(name=name, file_at=utc(2024, 7, 1, 9, 30)))
    other = decide(None, Surroundings(name=name, file_at=utc(2024, 8, 1, 9, 30)))
    assert same == CaptureTime(datetime(2024, 7, 1, 9, 30), "name")
    assert other == CaptureTime(datetime(2024, 7, 1), "name")


def test_the_file_comes_last_on_the_clock_of_library_or_server() -> None:
    moment = utc(2024, 7, 1, 12)
    at_server = decide(None, Surroundings(file_at=moment, server_zone="Asia/Tokyo"))
    assert at_server == CaptureTime(datetime(2024, 7, 1, 21), "file")
    in_library = decide(None, Surroundings(file_at=moment, library_zone="Europe/Paris"))
    assert in_library is not None
    assert (in_library.wall, in_library.utc, in_library.zone_source) == (
        datetime(2024, 7, 1, 14),
        moment,
        "library",
    )


@pytest.mark.parametrize("file_at", [utc(1970, 1, 1), utc(1980, 1, 1), utc(2200, 1, 1), None])
def test_a_file_without_a_usable_time_is_dated_by_its_upload(file_at: datetime | None) -> None:
    time = decide(None, Surroundings(file_at=file_at, uploaded_at=utc(2024, 7, 1, 12)))
    assert time == CaptureTime(NOON, "upload")
    assert decide(None, Surroundings(file_at=file_at)) is None


def test_a_name_with_an_impossible_date_is_passed_over() -> None:
    around = Surroundings(name="IMG_22200101_120000.jpg", file_at=utc(2024, 7, 1, 12))
    assert decide(None, around) == CaptureTime(NOON, "file")
