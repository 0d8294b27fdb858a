"""What tags say about time, before anything is known about zones: stamps, their offsets, the GPS clock."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EARLIEST_YEAR = 1826  # the first photograph
MAX_OFFSET_MINUTES = 14 * 60
# Where clocks begin that lost their battery, to the second.
_CLOCK_STARTS = frozenset(datetime(year, 1, 1) for year in (1904, 1970, 1980))
_STAMP = re.compile(
    r"(\d{4})[:/.-](\d\d?)[:/.-](\d\d?)"
    r"(?:[T ]+(\d\d?):(\d\d)(?::(\d\d))?(?:[.,](\d+))?\s*(Z|[+-]\d\d?:?\d\d)?)?$"
)
_OFFSET = re.compile(r"([+-])(\d\d?):?(\d\d)$")


@dataclass(frozen=True)
class Stamp:
    """A wall clock, naive, and how many minutes it was ahead of UTC if that was written with it."""

    wall: datetime
    offset_minutes: int | None = None

    @property
    def starts_a_clock(self) -> bool:
        """Whether it is the moment at which clocks begin that were never set."""
        return self.wall.replace(microsecond=0) in _CLOCK_STARTS


def is_possible(wall: datetime) -> bool:
    """Whether a photo can be of this naive moment: since there are photographs, and a day ahead at most."""
    return wall.year >= EARLIEST_YEAR and wall <= datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)


def parse_stamp(text: str, *, fraction: str = "", offset: str = "") -> Stamp | None:
    """EXIF's `2024:05:01 12:00:00` and its cousins, ISO 8601 included; a date alone means midnight."""
    match = _STAMP.match(text.strip())
    if match is None:
        return None
    year, month, day = (int(part) for part in match.group(1, 2, 3))
    hour, minute, second = (int(part or 0) for part in match.group(4, 5, 6))
    digits = match[7] or (fraction if fraction.isascii() and fraction.isdigit() else "")
    try:
        wall = datetime(year, month, day, hour, minute, second, int(digits[:6].ljust(6, "0")))
    except ValueError:
        return None
    return Stamp(wall, parse_offset(match[8] or offset)) if is_possible(wall) else None


def parse_offset(text: str) -> int | None:
    """Minutes east of Greenwich."""
    if text == "Z":
        return 0
    match = _OFFSET.match(text.replace(" ", ""))
    if match is None:
        return None
    minutes = int(match[2]) * 60 + int(match[3])
    if minutes > MAX_OFFSET_MINUTES:
        return None
    return -minutes if match[1] == "-" else minutes


def gps_instant(date_text: str, clock: tuple[float, ...]) -> datetime | None:
    """The aware instant of a GPS date (`2024:05:01`) and its hours, minutes and seconds."""
    date = parse_stamp(date_text[:10])
    if date is None or len(clock) != 3:
        return None
    hours, minutes, seconds = clock
    if not (0 <= hours < 24 and 0 <= minutes < 60 and 0 <= seconds <= 60):
        return None
    return date.wall.replace(tzinfo=UTC) + timedelta(hours=hours, minutes=minutes, seconds=round(seconds, 6))
