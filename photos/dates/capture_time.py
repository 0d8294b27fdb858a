"""When a photo was taken, decided from everything that tells it. No file and no database.

The wall clock comes from the first of: the file's own tags, its name, its time, the upload. Its distance from
UTC comes from the first of: an offset beside it, the GPS clock, the zone of the place, the library's zone.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from photos.dates.name_dates import NameDate, date_from_name
from photos.dates.stamps import MAX_OFFSET_MINUTES, Stamp, is_possible
from photos.dates.zones import offset_minutes, wall_clock_in, zone_at

TakenAtSource = Literal[
    "exif_original",
    "exif_digitized",
    "exif_modified",
    "xmp",
    "iptc",
    "video",
    "gps",
    "name",
    "file",
    "upload",
    "person",
]
"""Source of a wall clock. `video` is the tags of a film; `gps` is the GPS clock alone, which is UTC."""
ZoneSource = Literal["", "offset", "gps", "place", "library", "person"]
"""Source of the distance from UTC: the offset written beside the time, the GPS clock, the zone of the place,
the zone of the library, a person; "" when nothing tells it."""

_QUARTER_MINUTES = 15
# A fix is seconds to a minute older than the picture.
_GPS_LAG_SECONDS = 120


@dataclass(frozen=True)
class CaptureTime:
    """`wall` is naive and, where only an instant and no zone is known, that of UTC."""

    wall: datetime
    source: TakenAtSource
    utc: datetime | None = None
    offset_minutes: int | None = None
    zone: str = ""
    """The zone's name where the place or the library tells it."""
    zone_source: ZoneSource = ""


@dataclass(frozen=True)
class Surroundings:
    """What is known beside the tags. Moments are aware, coordinates degrees."""

    name: str = ""
    file_at: datetime | None = None
    uploaded_at: datetime | None = None
    place: tuple[float, float] | None = None
    library_zone: str = ""
    server_zone: str = "UTC"


def time_of_tags(
    stamp: Stamp | None, source: TakenAtSource | None, gps: datetime | None
) -> CaptureTime | None:
    """What the tags of a file say by themselves: `gps` is the aware instant of the GPS clock."""
    if stamp is None or source is None:
        if gps is None:
            return None
        return CaptureTime(gps.replace(tzinfo=None), "gps", utc=gps, zone_source="gps")
    if stamp.offset_minutes is not None:
        return with_offset(CaptureTime(stamp.wall, source), stamp.offset_minutes, "offset")
    if gps is None:
        return CaptureTime(stamp.wall, source)
    ahead_seconds = (stamp.wall - gps.replace(tzinfo=None)).total_seconds()
    quarters = round(ahead_seconds / 60 / _QUARTER_MINUTES) * _QUARTER_MINUTES
    if abs(quarters) > MAX_OFFSET_MINUTES:
        # So far apart, one of the clocks is wrong: receivers lose weeks, people see what they set.
        return CaptureTime(stamp.wall, source)
    if abs(ahead_seconds - quarters * 60) <= _GPS_LAG_SECONDS:
        return with_offset(CaptureTime(stamp.wall, source), quarters, "gps")
    return CaptureTime(stamp.wall, source, utc=gps, zone_source="gps")


def with_offset(time: CaptureTime, minutes: int, source: ZoneSource, zone: str = "") -> CaptureTime:
    """The same wall clock, so far ahead of UTC."""
    utc = (time.wall - timedelta(minutes=minutes)).replace(tzinfo=UTC)
    return replace(time, utc=utc, offset_minutes=minutes, zone=zone, zone_source=source)


def decide(tags: CaptureTime | None, around: Surroundings) -> CaptureTime | None:
    """When it was taken, with all that is known; None when nothing tells it."""
    time = tags or time_of_name(around)
    zone, source = known_zone(around)
    if time is None:
        return time_of_file(around, zone, source)
    if time.offset_minutes is not None:
        return compared_with_place(time, zone) if source == "place" else time
    if not zone:
        return time
    if time.utc is None:
        return with_offset(time, offset_minutes(zone, time.wall), source, zone)
    if time.source in ("gps", "name", "video"):
        wall = wall_clock_in(zone, time.utc)
        return with_offset(replace(time, wall=wall), offset_minutes(zone, wall), source, zone)
    # The clocks of camera and receiver disagree: the date doctor's business, who needs the zone.
    return replace(time, zone=zone) if source == "place" else time


def compared_with_place(time: CaptureTime, zone: str) -> CaptureTime:
    """With the zone of its place, when that has the same distance from UTC.

    Where it has another one that only the GPS clock tells, the camera's clock is wrong or shows the time of
    another place: nothing is known then but the two clocks, and where they were.
    """
    assert time.utc is not None
    if wall_clock_in(zone, time.utc) == time.wall:
        return replace(time, zone=zone)
    return replace(time, offset_minutes=None, zone=zone) if time.zone_source == "gps" else time


def known_zone(around: Surroundings) -> tuple[str, ZoneSource]:
    """The zone of the place, else that of the library, and which of them it is."""
    zone = zone_at(*around.place) if around.place else ""
    if zone:
        return zone, "place"
    return around.library_zone, "library" if around.library_zone else ""


def time_of_name(around: Surroundings) -> CaptureTime | None:
    """What the file's name says. One that tells a day takes the hour from the file, if it is of that day."""
    found: NameDate | None = date_from_name(around.name)
    if found is None or not is_possible(found.moment):
        return None
    if found.is_utc:
        return CaptureTime(found.moment, "name", utc=found.moment.replace(tzinfo=UTC))
    wall = found.moment
    if not found.has_time and around.file_at is not None:
        of_file = wall_clock_in(around.library_zone or around.server_zone, around.file_at)
        wall = of_file if of_file.date() == wall.date() else wall
    return CaptureTime(wall, "name")


def time_of_file(around: Surroundings, zone: str, source: ZoneSource) -> CaptureTime | None:
    """The time of the file, else of the upload, on the clocks of the zone or else of the server."""
    is_of_file = is_usable(around.file_at)
    instant = around.file_at if is_of_file else around.uploaded_at
    if instant is None:
        return None
    wall = wall_clock_in(zone or around.server_zone, instant)
    time = CaptureTime(wall, "file" if is_of_file else "upload")
    return with_offset(time, offset_minutes(zone, wall), source, zone) if zone else time


def is_usable(instant: datetime | None) -> bool:
    """Whether a file's time can be one of taking: archives set 1970 or 1980 where they know none."""
    if instant is None:
        return False
    wall = instant.astimezone(UTC).replace(tzinfo=None)
    return is_possible(wall) and not Stamp(wall).starts_a_clock
