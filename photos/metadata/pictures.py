"""What a picture file says about itself: when, where, with what.

EXIF first; XMP, which editors and some phones write beside or instead of it, fills what EXIF leaves out.
Metadata is never a reason to refuse a picture: what cannot be read or cannot be true is left out.
"""

import math
import re
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from pathlib import Path

from photos.dates.capture_time import CaptureTime, TakenAtSource, time_of_tags
from photos.dates.stamps import Stamp, gps_instant, parse_stamp
from photos.formats import filetypes
from photos.formats.exif import ExifTags
from photos.formats.imaging import open_picture
from photos.metadata import png
from photos.metadata.iptc import IptcFields, read_iptc
from photos.metadata.keywords import as_tags
from photos.metadata.packets import Packets, read_packets
from photos.metadata.xmp import XmpProperties, read_xmp

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
    rating: int | None = None
    """0 to 5 stars."""
    keywords: tuple[str, ...] = ()
    """Names of tags, hierarchies as paths with `/`."""
    city: str = ""
    region: str = ""
    country: str = ""
    """Names that somebody wrote, whatever the coordinates say."""

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


@dataclass(frozen=True)
class Blocks:
    """What a file and its sidecar say, before any of it is weighed."""

    exif: ExifTags = field(default_factory=ExifTags)
    xmp: XmpProperties = field(default_factory=XmpProperties)
    iptc: IptcFields = field(default_factory=IptcFields)
    sidecar: XmpProperties = field(default_factory=XmpProperties)


def read_metadata(path: Path, *, sidecar: bytes = b"") -> Metadata:
    """All of it; a file without any, or with nonsense, gives the defaults. `sidecar` is an XMP file's bytes.

    Raises UndecodableImage when the file is not a picture.
    """
    with open_picture(path) as (file, kind):
        blocks = replace(_blocks_of(read_packets(file, kind)), sidecar=read_xmp(sidecar))
    return interpret(blocks, turned_by_container=kind in TURNED_BY_CONTAINER)


def read_xmp_packet(path: Path) -> tuple[bytes, int]:
    """The XMP packet (b"" for none) and the orientation, 1 to 8, that turns the stored pixels upright.

    Raises UndecodableImage when the file is not a picture.
    """
    with open_picture(path) as (file, kind):
        packets = read_packets(file, kind)
    turned_by_container = kind in TURNED_BY_CONTAINER
    return packets.xmp, interpret(Blocks(packets.exif), turned_by_container=turned_by_container).orientation


def _blocks_of(packets: Packets) -> Blocks:
    xmp = read_xmp(packets.xmp).or_else(png.properties_of(packets.texts))
    return Blocks(packets.exif, xmp, read_iptc(packets.iptc))


def interpret(blocks: Blocks, *, turned_by_container: bool = False) -> Metadata:
    """Meaning of the tags; no file involved. docs/metadata.md is the table of what goes before what."""
    exif, xmp, iptc, sidecar = blocks.exif, blocks.xmp, blocks.iptc, blocks.sidecar
    latitude, longitude = _place(exif, xmp, sidecar)
    city, region, country = _names(sidecar, xmp, iptc)
    gps_at = gps_instant(exif.text("GPSDateStamp"), exif.numbers("GPSTimeStamp"))
    orientation = exif.number("Orientation")
    has_orientation = not turned_by_container and orientation in range(1, 9)
    return Metadata(
        time=time_of_tags(*_first_stamp(blocks), gps_at),
        gps_at=gps_at,
        latitude=latitude,
        longitude=longitude,
        altitude=_altitude(exif),
        camera_make=_clean(exif.text("Make") or xmp.camera_make),
        camera_model=_clean(exif.text("Model") or xmp.camera_model),
        lens_model=_clean(exif.text("LensModel") or xmp.lens_model),
        iso=_iso(exif, xmp),
        f_number=_positive(exif, "FNumber") or xmp.f_number,
        exposure_seconds=_positive(exif, "ExposureTime") or xmp.exposure_seconds,
        focal_length_mm=_positive(exif, "FocalLength") or xmp.focal_length_mm,
        orientation=int(orientation or 1) if has_orientation else 1,
        title=_clean(sidecar.title or xmp.title or iptc.title or exif.wide_text("XPTitle")),
        description=_description(blocks),
        rating=_rating(blocks),
        keywords=_keywords(blocks),
        city=city,
        region=region,
        country=country,
    )


def _clean(text: str, limit: int = _MAX_TEXT) -> str:
    """One line that a database and a page can hold: no control characters, no lone surrogates."""
    return _UNPRINTABLE.sub(" ", text).strip()[:limit].rstrip()


def _description(blocks: Blocks) -> str:
    """EXIF, IPTC, XMP, as the Metadata Working Group says; IPTC last when a program left it outdated."""
    exif, xmp, iptc = blocks.exif, blocks.xmp, blocks.iptc
    text = _clean(exif.text("ImageDescription"), _MAX_DESCRIPTION)
    is_camera_name = text in (_clean(exif.text("Make")), _clean(exif.text("Model")))
    said = "" if is_camera_name or _CAMERA_CHATTER.fullmatch(text) else text
    others = (xmp.description, iptc.caption) if iptc.is_outdated else (iptc.caption, xmp.description)
    found = (blocks.sidecar.description, said, *others, exif.wide_text("XPComment"))
    return next((clean for text in found if (clean := _clean(text, _MAX_DESCRIPTION))), "")


def _rating(blocks: Blocks) -> int | None:
    """Stars; what was rejected (-1) has none."""
    percent = blocks.exif.number("RatingPercent")
    from_percent = round(percent / 25) + 1 if percent else percent  # 1, 25, 50, 75, 99
    found = (blocks.sidecar.rating, blocks.xmp.rating, blocks.exif.number("Rating"), from_percent)
    stars = next((stars for stars in found if stars is not None), None)
    return int(stars) if stars is not None and 0 <= stars <= 5 else None


def _keywords(blocks: Blocks) -> tuple[str, ...]:
    """All of them: programs write some here and some there."""
    packets = (blocks.sidecar, blocks.xmp)
    flat = [word for packet in packets for word in packet.keywords]
    paths = [path for packet in packets for path in packet.hierarchical_keywords]
    of_windows = blocks.exif.wide_text("XPKeywords").split(";")
    return tuple(as_tags([*flat, *blocks.iptc.keywords, *of_windows], paths))


def _names(*sources: XmpProperties | IptcFields) -> tuple[str, str, str]:
    """City, region and country of the first that names any; never mixed."""
    for source in sources:
        names = (_clean(source.city), _clean(source.region), _clean(source.country, 100))
        if any(names):
            return names
    return "", "", ""


def _positive(exif: ExifTags, name: str) -> float | None:
    value = exif.number(name)
    return value if value is not None and value > 0 else None


def _iso(exif: ExifTags, xmp: XmpProperties) -> int | None:
    """The 16-bit tag says 65535 when the number does not fit; then one of the newer, wider tags has it."""
    wider = ("ISOSpeed", "RecommendedExposureIndex", "StandardOutputSensitivity")
    found = [(name, exif.number(name)) for name in ("PhotographicSensitivity", *wider, "PanasonicISO")]
    for name, value in [*found, ("XMP", xmp.iso)]:
        if value is not None and 0 < value < 10_000_000 and (value != 65535 or name in wider):
            return int(value)
    return None


# ---------------------------------------------------------------- place


def _place(exif: ExifTags, xmp: XmpProperties, sidecar: XmpProperties) -> tuple[float | None, float | None]:
    if sidecar.latitude is not None and sidecar.longitude is not None:
        return sidecar.latitude, sidecar.longitude
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


def _first_stamp(blocks: Blocks) -> tuple[Stamp | None, TakenAtSource | None]:
    exif = blocks.exif
    # Programs that may not change the picture write what somebody corrected beside it.
    for text in blocks.sidecar.dates:
        if stamp := parse_stamp(text):
            return stamp, "xmp"
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
            # Adobe's programs wrote the zone of their computer; a place tells a better one.
            of_xmp = [] if exif.numbers("GPSLatitude") else map(parse_stamp, blocks.xmp.dates)
            return _with_offset_of_same_moment(stamp, [*stamps.values(), *of_xmp]), source
    # Editors change EXIF's DateTime when they save; the dates of XMP that are read do not change.
    dates: tuple[tuple[TakenAtSource, tuple[str, ...]], ...] = (
        ("xmp", blocks.xmp.dates),
        ("iptc", (blocks.iptc.created,)),
    )
    found = [(stamp, source) for source, texts in dates for text in texts if (stamp := parse_stamp(text))]
    if found:
        return _with_time_of_day(found)
    return (stamps["exif_modified"], "exif_modified") if stamps["exif_modified"] else (None, None)


def _with_time_of_day(found: list[tuple[Stamp, TakenAtSource]]) -> tuple[Stamp, TakenAtSource]:
    """The first, unless it tells only a day whose hour another one knows."""
    stamp, source = found[0]
    if stamp.wall == datetime.combine(stamp.wall, time.min):
        same_day = (each for each in found if each[0].wall.date() == stamp.wall.date())
        return max(same_day, key=lambda each: each[0].wall > stamp.wall)
    return stamp, source


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
