from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL.TiffImagePlugin import IFDRational

from photos.formats.exif import ExifTags, Value
from photos.formats.imaging import UndecodableImage
from photos.metadata.iptc import IptcFields
from photos.metadata.pictures import Blocks, Metadata, interpret, read_metadata
from photos.metadata.xmp import XmpProperties
from photos.tests import pictures
from photos.tests.raws import dng
from photos.tests.test_iptc import FIELDS
from photos.tests.test_xmp import PACKET

ORIGINAL, DIGITIZED, MODIFIED = 0x9003, 0x9004, 0x0132
OFFSET, OFFSET_ORIGINAL = 0x9010, 0x9011
SUBSEC_ORIGINAL = 0x9291


Make = Callable[..., bytes]
Read = Callable[[bytes], Metadata]
Tagged = Callable[..., Metadata]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(data: bytes) -> Metadata:
        path = tmp_path / "photo[1].jpg"
        path.write_bytes(data)
        return read_metadata(path)

    return read


@pytest.fixture
def tagged(read: Read) -> Tagged:
    """Metadata of a small JPEG with these tags."""

    def tagged(
        details: Mapping[int, Any] | None = None,
        *,
        tags: Mapping[int, Any] | None = None,
        gps: Mapping[int, Any] | None = None,
    ) -> Metadata:
        return read(pictures.jpeg(16, 16, exif=pictures.exif(tags=tags, details=details, gps=gps)))

    return tagged


@pytest.mark.parametrize(
    "make", [pictures.jpeg, pictures.png, pictures.webp, pictures.heic, pictures.avif, pictures.tiff]
)
def test_every_container_gives_up_its_metadata(read: Read, make: Make) -> None:
    found = read(
        make(32, 24, exif=pictures.taken("2024:05:01 12:34:56", offset="+02:00", place=(48.1, -11.5)))
    )
    assert found.taken_at == datetime(2024, 5, 1, 12, 34, 56)
    assert found.camera_make == "Chitra"
    assert (found.latitude, found.longitude) == pytest.approx((48.1, -11.5))


@pytest.mark.parametrize("make", [pictures.jpeg, pictures.png, pictures.gif, pictures.bmp, pictures.heic])
def test_a_picture_without_metadata_has_the_defaults(read: Read, make: Make) -> None:
    assert read(make(32, 24)) == Metadata()


@pytest.mark.parametrize("data", [b"", b"hello", b"\xff\xd8\xff\xe1\xff\xff"])
def test_what_is_not_a_picture_is_undecodable(read: Read, data: bytes) -> None:
    with pytest.raises(UndecodableImage):
        read(data)


# ---------------------------------------------------------------- time


def test_the_moment_of_the_shutter_goes_before_all_others(tagged: Tagged) -> None:
    found = tagged(
        {ORIGINAL: "2020:01:01 00:00:01", DIGITIZED: "2020:01:01 00:00:02"},
        tags={MODIFIED: "2020:01:01 00:00:03"},
    )
    assert (found.taken_at, found.taken_at_source) == (datetime(2020, 1, 1, 0, 0, 1), "exif_original")


def test_the_next_best_time_is_taken(tagged: Tagged) -> None:
    found = tagged({ORIGINAL: "0000:00:00 00:00:00", DIGITIZED: "2020:01:01 00:00:02"})
    assert (found.taken_at, found.taken_at_source) == (datetime(2020, 1, 1, 0, 0, 2), "exif_digitized")
    found = tagged({ORIGINAL: "    :  :     :  :  "}, tags={MODIFIED: "2020:01:01 00:00:03"})
    assert (found.taken_at, found.taken_at_source) == (datetime(2020, 1, 1, 0, 0, 3), "exif_modified")


@pytest.mark.parametrize(
    "stamp",
    ["", "0000:00:00 00:00:00", "2021:13:01 00:00:00", "1700:01:01 00:00:00", "2021:02:30 10:00:00", "soon"],
)
def test_an_impossible_time_is_none(tagged: Tagged, stamp: str) -> None:
    assert tagged({ORIGINAL: stamp}) == Metadata()


@pytest.mark.parametrize("start", ["1904:01:01 00:00:00", "1970:01:01 00:00:00", "1980:01:01 00:00:00"])
def test_the_start_of_a_clock_that_was_never_set_is_none_unless_a_scan_is_dated_so(
    tagged: Tagged, start: str
) -> None:
    assert tagged({ORIGINAL: start, DIGITIZED: start}, tags={MODIFIED: start}) == Metadata()
    scan = tagged({ORIGINAL: start, DIGITIZED: "2015:06:07 08:09:10"})
    assert scan.taken_at == datetime(int(start[:4]), 1, 1)


def test_a_time_to_come_is_none_but_another_zone_is_ahead(tagged: Tagged) -> None:
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    for ahead, expected in ((timedelta(hours=13), now + timedelta(hours=13)), (timedelta(days=2), None)):
        assert tagged({ORIGINAL: f"{now + ahead:%Y:%m:%d %H:%M:%S}"}).taken_at == expected


def test_an_offset_and_fractions_give_the_instant(tagged: Tagged) -> None:
    found = tagged({ORIGINAL: "2024:05:01 12:34:56", OFFSET_ORIGINAL: "+05:45", SUBSEC_ORIGINAL: "25"})
    assert found.taken_at == datetime(2024, 5, 1, 12, 34, 56, 250_000)
    assert found.utc_offset_minutes == 345
    assert found.taken_at_utc == datetime(2024, 5, 1, 6, 49, 56, 250_000, tzinfo=UTC)


def test_offsets_west_are_negative(tagged: Tagged) -> None:
    assert tagged({ORIGINAL: "2024:05:01 12:34:56", OFFSET_ORIGINAL: "-03:30"}).utc_offset_minutes == -210


@pytest.mark.parametrize("offset", ["", "+25:00", "   :  ", "CET"])
def test_without_an_offset_there_is_no_instant(tagged: Tagged, offset: str) -> None:
    found = tagged({ORIGINAL: "2024:05:01 12:34:56", OFFSET_ORIGINAL: offset})
    assert found.taken_at is not None
    assert (found.utc_offset_minutes, found.taken_at_utc) == (None, None)


def test_an_offset_counts_for_other_stamps_of_the_same_second_only(tagged: Tagged) -> None:
    details = {ORIGINAL: "2024:05:01 12:34:56", OFFSET: "+02:00"}
    assert tagged(details, tags={MODIFIED: "2024:05:01 12:34:56"}).utc_offset_minutes == 120
    assert tagged(details, tags={MODIFIED: "2024:06:01 12:34:56"}).utc_offset_minutes is None


def _clock(date: str, hours: float, minutes: float, seconds: float) -> dict[int, Any]:
    return {0x1D: date, 7: (hours, minutes, seconds)}


def test_the_gps_clock_tells_the_offset(tagged: Tagged) -> None:
    found = tagged({ORIGINAL: "2024:05:01 00:34:56"}, gps=_clock("2024:04:30", 19.0, 4.0, 20.0))
    assert found.utc_offset_minutes == 330
    assert found.taken_at_utc == datetime(2024, 4, 30, 19, 4, 56, tzinfo=UTC)
    assert found.taken_at_source == "exif_original"


def test_a_wall_clock_set_wrong_gives_way_to_the_gps_instant(tagged: Tagged) -> None:
    found = tagged({ORIGINAL: "2024:05:01 12:41:00"}, gps=_clock("2024:05:01", 10.0, 34.0, 0.0))
    assert found.taken_at == datetime(2024, 5, 1, 12, 41)
    assert found.utc_offset_minutes is None
    assert found.taken_at_utc == datetime(2024, 5, 1, 10, 34, tzinfo=UTC)


def test_a_gps_clock_days_away_is_not_believed(tagged: Tagged) -> None:
    found = tagged({ORIGINAL: "2024:05:01 12:00:00"}, gps=_clock("2004:09:15", 10.0, 0.0, 0.0))
    assert found.taken_at == datetime(2024, 5, 1, 12)
    assert found.taken_at_utc is None


def test_the_gps_clock_alone_is_a_time(tagged: Tagged) -> None:
    found = tagged(gps=_clock("2024:05:01", 10.0, 34.0, 5.5))
    assert found.taken_at == datetime(2024, 5, 1, 10, 34, 5, 500_000)
    assert found.taken_at_utc == datetime(2024, 5, 1, 10, 34, 5, 500_000, tzinfo=UTC)
    assert found.taken_at_source == "gps"
    assert found.utc_offset_minutes is None


@pytest.mark.parametrize("clock", [(25.0, 0.0, 0.0), (1.0, 75.0, 0.0), (1.0, 2.0)])
def test_an_impossible_gps_clock_is_none(tagged: Tagged, clock: tuple[float, ...]) -> None:
    assert tagged(gps={0x1D: "2024:05:01", 7: clock}).taken_at is None


def test_xmp_fills_what_exif_leaves_out(read: Read) -> None:
    found = read(pictures.encode(pictures.picture(32, 24), "JPEG", xmp=PACKET.encode()))
    assert (found.taken_at, found.taken_at_source) == (datetime(2018, 1, 2, 3, 4, 5), "xmp")
    assert (found.latitude, found.longitude) == pytest.approx((48.1375, -11.575))
    assert (found.title, found.description) == ("The lake", "Early in the morning")


def test_a_day_without_its_hour_gives_way_to_the_same_day_with_it() -> None:
    blocks = Blocks(
        xmp=XmpProperties(dates=("2006-10-29",)), iptc=IptcFields(created="2006-10-29T06:27:51-0500")
    )
    found = interpret(blocks)
    assert (found.taken_at, found.taken_at_source) == (datetime(2006, 10, 29, 6, 27, 51), "iptc")
    other_day = replace(blocks, iptc=IptcFields(created="2006-10-30T06:27:51-0500"))
    assert interpret(other_day).taken_at == datetime(2006, 10, 29)


@pytest.mark.parametrize(
    ("second", "gps", "minutes"), [(56, {}, 120), (57, {}, None), (56, {"GPSLatitude": (48.0,)}, None)]
)
def test_the_offset_of_the_same_moment_in_xmp_counts_unless_a_place_tells_a_better_one(
    second: int, gps: dict[str, tuple[float, ...]], minutes: int | None
) -> None:
    values: dict[str, Value] = {"DateTimeOriginal": "2024:05:01 12:34:56", **gps}
    exif = ExifTags(values)
    found = interpret(Blocks(exif, XmpProperties(dates=(f"2024-05-01T12:34:{second}+02:00",))))
    assert (found.utc_offset_minutes, found.taken_at_source) == (minutes, "exif_original")


def test_texts_of_windows_come_last() -> None:
    texts = {"XPTitle": "XPTitle", "XPComment": "XPComment", "XPKeywords": "sea;Rome"}
    exif = ExifTags({name: f"{text}\0".encode("utf-16-le") for name, text in texts.items()})
    found = interpret(Blocks(exif))
    assert (found.title, found.description) == ("XPTitle", "XPComment")
    assert found.keywords == ("sea", "Rome")
    named = interpret(Blocks(exif, iptc=IptcFields(title="The lake")))
    assert named.title == "The lake"


def test_exif_goes_before_xmp(read: Read) -> None:
    exif = pictures.taken("2024:05:01 12:34:56", place=(1, 2))
    found = read(pictures.encode(pictures.picture(32, 24), "JPEG", exif=exif, xmp=PACKET.encode()))
    assert found.taken_at_source == "exif_original"
    assert (found.latitude, found.longitude) == (1, 2)


# ---------------------------------------------------------------- place


@pytest.mark.parametrize(
    "place", [(48.137, 11.575, 519.0), (-33.86, 151.2, 3.5), (-54.8, -68.3, -2.0), (89.9, 179.9, 0.0)]
)
def test_all_hemispheres_have_their_sign(tagged: Tagged, place: tuple[float, float, float]) -> None:
    found = tagged(gps=pictures.gps_tags(*place))
    assert (found.latitude, found.longitude, found.altitude) == pytest.approx(place, abs=1e-6)


@pytest.mark.parametrize(
    "change",
    [
        {2: (91.0, 0.0, 0.0)},
        {4: (180.0, 1.0, 0.0)},
        {2: (IFDRational(0, 0), 0.0, 0.0)},
        {1: ""},
        {1: "E"},
        {3: "N"},
        {2: ()},
    ],
)
def test_an_impossible_place_is_none(tagged: Tagged, change: dict[int, Any]) -> None:
    found = tagged(gps=pictures.gps_tags(48.1, 11.5) | change)
    assert found.latitude is found.longitude is None


def test_zeros_without_a_fix_are_no_place(tagged: Tagged) -> None:
    assert tagged(gps=pictures.gps_tags(0, 0)).latitude is None
    found = tagged(gps=pictures.gps_tags(0, 0) | _clock("2024:05:01", 10.0, 0.0, 0.0))
    assert (found.latitude, found.longitude) == (0, 0)


# ---------------------------------------------------------------- camera


def test_camera_and_exposure_are_told(tagged: Tagged) -> None:
    found = tagged(
        {0x829A: 0.004, 0x829D: 2.8, 0x8827: 400, 0x920A: 35.0, 0xA434: "35mm F2"},
        tags={0x010F: " Chitra \0\0", 0x0110: "Pinhole 1", 0x0112: 8},
    )
    assert (found.camera_make, found.camera_model, found.lens_model) == ("Chitra", "Pinhole 1", "35mm F2")
    assert (found.iso, found.orientation) == (400, 8)
    assert (found.f_number, found.exposure_seconds, found.focal_length_mm) == pytest.approx((2.8, 0.004, 35))


def test_names_are_one_short_line_without_control_characters(tagged: Tagged) -> None:
    found = tagged(tags={0x010F: "A\nB\x1b[2J" + "x" * 500, 0x0110: "\x01\x02"})
    assert found.camera_make.startswith("A B [2Jx")
    assert len(found.camera_make) == 200
    assert found.camera_model == ""


def test_an_iso_too_large_for_its_tag_is_found_in_the_wider_one(tagged: Tagged) -> None:
    assert tagged({0x8827: 65535, 0x8833: 102_400}).iso == 102_400


def test_numbers_that_mean_unknown_are_none(tagged: Tagged) -> None:
    found = tagged({0x829A: 0.0, 0x829D: 0.0, 0x8827: 0, 0x920A: 0.0}, tags={0x0112: 9})
    assert found == Metadata()


def test_what_a_camera_writes_into_every_description_is_left_out(tagged: Tagged) -> None:
    for text in ("OLYMPUS DIGITAL CAMERA", "SONY DSC", "DCIM\\100MEDIA\\DJI_0001.JPG", "Pinhole 1"):
        assert tagged(tags={0x010E: text, 0x0110: "Pinhole 1"}).description == ""
    assert tagged(tags={0x010E: "My first digital camera"}).description == "My first digital camera"


@pytest.mark.parametrize("kind", ["DNG", "TIFF"])
def test_xmp_and_iptc_are_tags_of_raw_and_tiff_files(read: Read, kind: str) -> None:
    tags = ((700, 1, PACKET.encode()), (33723, 7, FIELDS))
    if kind == "DNG":
        found = read(dng(preview=pictures.jpeg(64, 48), packets=tags))
    else:
        picture = pictures.picture(64, 48)
        found = read(pictures.encode(picture, "TIFF", tiffinfo={tag: value for tag, _, value in tags}))
    assert (found.title, found.city) == ("The lake", "Lucerne")


def test_avif_that_moves_has_metadata_too(read: Read) -> None:
    first, second = pictures.picture(64, 48), pictures.picture(64, 48, seed=1)
    exif = pictures.exif(tags={0x010F: "Chitra"})
    found = read(
        pictures.encode(first, "AVIF", save_all=True, append_images=[second], exif=exif, xmp=PACKET.encode())
    )
    assert (found.camera_make, found.title) == ("Chitra", "The lake")
