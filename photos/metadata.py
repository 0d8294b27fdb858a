"""What a picture file says about itself: when, where, with what.

EXIF first; XMP, which editors and some phones write beside or instead of it, fills what EXIF leaves out.
Metadata is never a reason to refuse a picture: what cannot be read or cannot be true is left out.
"""

import io
import math
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from photos import filetypes, jxl, raw
from photos.capture_time import CaptureTime, TakenAtSource, time_of_tags
from photos.exif import ExifTags, read_exif
from photos.filetypes import FileType
from photos.imaging import open_picture, read_header
from photos.stamps import Stamp, gps_instant, parse_stamp
from photos.xmp import XmpProperties, read_xmp


TURNED_BY_CONTAINER = frozenset({filetypes.HEIC, filetypes.HEIF, filetypes.AVIF, filetypes.JXL})
_MAX_TEXT = 200
_MAX_DESCRIPTION = 2000
# What cameras write into the description of every picture.
_CAMERA_CHATTER = re.compile(r"[A-Z ]*DIGITAL CAMERA|SONY DSC|DCIM\\.*|[Dd]efault")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


@dataclass(frozen=True)
class Metadata:
    time: CaptureTime | None = None
    """When it was taken, as far as the file alone tells it."""
    gps_at: datetime | None = None
    """The aware instant of the GPS clock."""
    latitude: float | None = None
    """Degrees, north positive."""
    longitude: float | None = None
    """Degrees, east positive."""
    altitude: float | None = None
    """Metres above sea level."""
    camera_make: str = ""
    camera_model: str = ""
    lens_model: str = ""
    iso: int | None = None
    f_number: float | None = None
    exposure_seconds: float | None = None
    focal_length_mm: float | None = None
    orientation: int = 1
    """1 to 8, how the stored pixels are to be turned; 1 where the container says so itself (HEIC, AVIF)."""
    title: str = ""
    description: str = ""

    @property
    def taken_at(self) -> datetime | None:
        """Wall clock where it was taken, naive, to the microsecond."""
        return self.time.wall if self.time else None

    @property
    def taken_at_source(self) -> TakenAtSource | None:
        return self.time.source if self.time else None

    @property
    def taken_at_utc(self) -> datetime | None:
        """The instant, aware, when the offset or the GPS clock tells it."""
        return self.time.utc if self.time else None

    @property
    def utc_offset_minutes(self) -> int | None:
        """Of the wall clock, east positive."""
        return self.time.offset_minutes if self.time else None


def read_metadata(path: Path) -> Metadata:
    """All of it; a file without any, or with nonsense, gives the defaults.

    Raises UndecodableImage when the file is not a picture.
    """
    with open_picture(path) as (file, kind):
        exif, xmp = _read_blocks(file, kind)
    return interpret(exif, xmp, turned_by_container=kind in TURNED_BY_CONTAINER)


def read_xmp_packet(path: Path) -> tuple[bytes, int]:
    """The XMP packet (b"" for none) and the orientation, 1 to 8, that turns the stored pixels upright.

    Raises UndecodableImage when the file is not a picture.
    """
    with open_picture(path) as (file, kind):
        exif, _ = _read_blocks(file, kind)
        packet = b""
        if kind not in (filetypes.BMP, filetypes.JXL) and kind.family == "image":
            header = read_header(file)
            packet = bytes(header.get("xmp-data")) if header.get_typeof("xmp-data") else b""
    turned_by_container = kind in TURNED_BY_CONTAINER
    return packet, interpret(exif, XmpProperties(), turned_by_container=turned_by_container).orientation


def _read_blocks(file: io.FileIO, kind: FileType) -> tuple[ExifTags, XmpProperties]:
    if kind == filetypes.BMP:
        return ExifTags(), XmpProperties()
    if kind.family == "raw":
        return read_exif(raw.exif_block(file, kind)), XmpProperties()
    if kind == filetypes.JXL:
        exif_block, xmp_block = jxl.metadata_blocks(file.read())
        return read_exif(io.BytesIO(exif_block)), read_xmp(xmp_block)
    header = read_header(file)
    blocks = {name: bytes(header.get(name)) for name in ("exif-data", "xmp-data") if header.get_typeof(name)}
    if kind == filetypes.TIFF:
        exif = read_exif(file)
    else:
        exif = read_exif(io.BytesIO(blocks.get("exif-data", b"").removeprefix(b"Exif\0\0")))
    return exif, read_xmp(blocks.get("xmp-data", b""))


def interpret(exif: ExifTags, xmp: XmpProperties, *, turned_by_container: bool = False) -> Metadata:
    """Meaning of the tags; no file involved."""
    latitude, longitude = _place(exif, xmp)
    gps_at = gps_instant(exif.text("GPSDateStamp"), exif.numbers("GPSTimeStamp"))
    orientation = exif.number("Orientation")
    has_orientation = not turned_by_container and orientation in range(1, 9)
    return Metadata(
        time=time_of_tags(*_first_stamp(exif, xmp), gps_at),
        gps_at=gps_at,
        latitude=latitude,
        longitude=longitude,
        altitude=_altitude(exif),
        camera_make=_clean(exif.text("Make")),
        camera_model=_clean(exif.text("Model")),
        lens_model=_clean(exif.text("LensModel")),
        iso=_iso(exif),
        f_number=_positive(exif, "FNumber"),
        exposure_seconds=_positive(exif, "ExposureTime"),
        focal_length_mm=_positive(exif, "FocalLength"),
        orientation=int(orientation or 1) if has_orientation else 1,
        title=_clean(xmp.title),
        description=_description(exif, xmp),
    )


def _clean(text: str, limit: int = _MAX_TEXT) -> str:
    """One line that a database and a page can hold: no control characters, no lone surrogates."""
    return _UNPRINTABLE.sub(" ", text).strip()[:limit].rstrip()


def _description(exif: ExifTags, xmp: XmpProperties) -> str:
    if xmp.description:
        return _clean(xmp.description, _MAX_DESCRIPTION)
    text = _clean(exif.text("ImageDescription"), _MAX_DESCRIPTION)
    is_camera_name = text in (_clean(exif.text("Make")), _clean(exif.text("Model")))
    return "" if is_camera_name or _CAMERA_CHATTER.fullmatch(text) else text


def _positive(exif: ExifTags, name: str) -> float | None:
    value = exif.number(name)
    return value if value is not None and value > 0 else None


def _iso(exif: ExifTags) -> int | None:
    """The 16-bit tag says 65535 when the number does not fit; then one of the newer, wider tags has it."""
    wider = ("ISOSpeed", "RecommendedExposureIndex", "StandardOutputSensitivity")
    for name in ("PhotographicSensitivity", *wider):
        value = exif.number(name)
        if value is not None and 0 < value < 10_000_000 and (value != 65535 or name in wider):
            return int(value)
    return None


# ---------------------------------------------------------------- place


def _place(exif: ExifTags, xmp: XmpProperties) -> tuple[float | None, float | None]:
    latitude = _degrees(exif, "GPSLatitude", "NS", 90)
    longitude = _degrees(exif, "GPSLongitude", "EW", 180)
    if latitude == longitude == 0 and not any(exif.numbers(name) for name in ("GPSAltitude", "GPSTimeStamp")):
        # Zeros alone are what a receiver without a fix leaves behind, not a picture from the Gulf of Guinea.
        latitude = longitude = None
    if latitude is None or longitude is None:
        latitude, longitude = xmp.latitude, xmp.longitude
    if latitude is None or longitude is None:
        return None, None
    return latitude, longitude


def _degrees(exif: ExifTags, name: str, directions: str, limit: int) -> float | None:
    """Signed degrees, or None: without its direction a coordinate is a guess between two places."""
    direction = exif.text(name + "Ref")[:1].upper()
    parts = exif.numbers(name)[:3]
    if not parts or not direction or direction not in directions:
        return None
    value = sum(part / divisor for part, divisor in zip(parts, (1, 60, 3600), strict=False))
    if not (math.isfinite(value) and all(part >= 0 for part in parts) and value <= limit):
        return None
    return -value if direction == directions[1] and value else value


def _altitude(exif: ExifTags) -> float | None:
    value = exif.number("GPSAltitude")
    if value is None or abs(value) > 100_000:
        return None
    is_below_sea_level = exif.number("GPSAltitudeRef") in (1, 3)
    return -value if is_below_sea_level and value else value


# ---------------------------------------------------------------- time


def _first_stamp(exif: ExifTags, xmp: XmpProperties) -> tuple[Stamp | None, TakenAtSource | None]:
    fields: tuple[tuple[TakenAtSource, str, str, str], ...] = (
        ("exif_original", "DateTimeOriginal", "SubSecTimeOriginal", "OffsetTimeOriginal"),
        ("exif_digitized", "DateTimeDigitized", "SubSecTimeDigitized", "OffsetTimeDigitized"),
        ("exif_modified", "DateTime", "SubSecTime", "OffsetTime"),
    )
    stamps = _without_clock_starts(
        {
            source: parse_stamp(exif.text(name), fraction=exif.text(fraction), offset=exif.text(offset))
            for source, name, fraction, offset in fields
        }
    )
    for source in ("exif_original", "exif_digitized"):
        if stamp := stamps[source]:
            return _with_offset_of_same_moment(stamp, list(stamps.values())), source
    # Editors change EXIF's DateTime when they save; the dates of XMP that are read do not change.
    for text in xmp.dates:
        if stamp := parse_stamp(text):
            return stamp, "xmp"
    return (stamps["exif_modified"], "exif_modified") if stamps["exif_modified"] else (None, None)


def _without_clock_starts(stamps: dict[TakenAtSource, Stamp | None]) -> dict[TakenAtSource, Stamp | None]:
    """Without the first moment of a clock that was never set.

    A scan that somebody dated so stays: it has another, later time of digitisation beside it.
    """
    digitized = stamps["exif_digitized"]
    is_scan = digitized is not None and not digitized.starts_a_clock
    return {
        source: None
        if stamp is not None and stamp.starts_a_clock and not (source == "exif_original" and is_scan)
        else stamp
        for source, stamp in stamps.items()
    }


def _with_offset_of_same_moment(stamp: Stamp, others: list[Stamp | None]) -> Stamp:
    """Some phones write one offset only; it counts for every stamp that shows the same second."""
    if stamp.offset_minutes is None:
        for other in others:
            if (
                other is not None
                and other.offset_minutes is not None
                and other.wall.replace(microsecond=0) == stamp.wall.replace(microsecond=0)
            ):
                return Stamp(stamp.wall, other.offset_minutes)
    return stamp
