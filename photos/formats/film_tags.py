"""What the tags of a film say: when, where, with what. FFmpeg's names in, values out; no file.

Phones of Apple write the wall clock with its offset. The clock of MP4, MOV and Matroska is UTC by their
standards, so it tells an instant. AVI has the wall clock of a camera, without an offset.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from photos.dates.capture_time import CaptureTime, with_offset
from photos.dates.stamps import is_possible

_APPLE = "com.apple.quicktime."
_TIMES = (_APPLE + "creationdate", "date", "creation_time")
_EARLIEST_YEAR = 1972  # cameras without a clock say 1904 or 1970
_ISO_6709 = re.compile(r"([+-]\d{1,2}(?:\.\d+)?)([+-]\d{1,3}(?:\.\d+)?)([+-]\d+(?:\.\d+)?)?")
_FULL_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MAX_TEXT = 2000


@dataclass(frozen=True)
class FilmTags:
    time: CaptureTime | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None
    camera_make: str = ""
    camera_model: str = ""
    title: str = ""
    description: str = ""
    keywords: tuple[str, ...] = ()
    content_id: str = ""
    """What a live photo and its film have in common."""
    xmp: bytes = b""


def tags_of(named: Mapping[str, str]) -> FilmTags:
    """The values of a container's tags, whose names may be in any case."""
    tags = {name.lower(): value for name, value in named.items()}
    latitude, longitude, altitude = place_of(tags)
    return FilmTags(
        time=recording_time(tags),
        latitude=latitude,
        longitude=longitude,
        altitude=altitude,
        camera_make=_text(tags, _APPLE + "make", "com.android.manufacturer", "make"),
        camera_model=_text(tags, _APPLE + "model", "com.android.model", "model"),
        title=_text(tags, _APPLE + "title", _APPLE + "displayname", "title"),
        description=_text(tags, _APPLE + "description", "description"),
        keywords=tuple(filter(None, re.split(r"[,;]\s*", _text(tags, _APPLE + "keywords", "keywords")))),
        content_id=_text(tags, _APPLE + "content.identifier"),
        xmp=tags.get("xmp", "").encode(errors="replace"),
    )


def _text(tags: Mapping[str, str], *names: str) -> str:
    text = next((tags[name] for name in names if tags.get(name)), "")
    return "".join(character for character in text if character.isprintable()).strip()[:_MAX_TEXT]


def recording_time(tags: Mapping[str, str]) -> CaptureTime | None:
    """When it was recorded; None where nothing tells it or it cannot be true."""
    for name in _TIMES:
        text = tags.get(name, "")
        try:
            moment = datetime.fromisoformat(text) if _FULL_DATE.match(text) else None
        except ValueError:
            continue
        if moment is None or moment.year < _EARLIEST_YEAR or not is_possible(moment.replace(tzinfo=None)):
            continue
        wall, offset = moment.replace(tzinfo=None), moment.utcoffset()
        if offset is None:
            return CaptureTime(wall, "video")
        if name == "creation_time":
            return CaptureTime((wall - offset), "video", utc=moment.astimezone(UTC))
        return with_offset(CaptureTime(wall, "video"), round(offset.total_seconds() / 60), "offset")
    return None


def place_of(tags: Mapping[str, str]) -> tuple[float | None, float | None, float | None]:
    """Latitude, longitude and metres of altitude from ISO 6709, such as `+48.1372+011.5755+519.0/`."""
    text = tags.get(_APPLE + "location.iso6709") or tags.get("location") or ""
    match = _ISO_6709.match(text)
    if match is None:
        return None, None, None
    latitude, longitude = float(match[1]), float(match[2])
    if abs(latitude) > 90 or abs(longitude) > 180 or latitude == longitude == 0:
        return None, None, None
    return latitude, longitude, float(match[3]) if match[3] else None
