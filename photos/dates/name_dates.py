"""The moment that the name of a file tells: phones, messengers and screenshots write it there."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePath

_EARLIEST_DIGITS = 1990  # eight digits in a row that say an older year are a number, not a date

# What all the others have; it is looked for first, because most names have none of it.
_DIGITS = re.compile(r"\d{4}[-_.]?\d\d[-_.]?\d\d|\d\d-\d\d-\d{4}")
# 2021-01-02, then perhaps a time: Screenshot 2021-01-02 at 3.04.05 PM, 2021_01_02T03_04_05_678Z
_WRITTEN = re.compile(
    r"(?<!\d)(?P<year>\d{4})[-_.](?P<month>\d\d)[-_.](?P<day>\d\d)(?!\d)"
    r"(?:(?: (?:at|um|à|a las|om|alle|kl\.?) |[ T_,-]+)"
    r"(?P<hour>\d\d|\d(?=[.:h]))(?:[-_.:h]?)(?P<minute>\d\d)(?:[-_.:m]?)(?P<second>\d\d)"
    r"(?:[-_.](?P<fraction>\d{3})(?!\d))?(?P<utc>Z)?"
    r"(?:[ \u202f](?P<half>[AP])M)?(?!\d))?",
    re.IGNORECASE,
)
# 20210102_030405, PXL_20210102_030405678, IMG-20210102-WA0001
_COMPACT = re.compile(
    r"(?<!\d)(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)"
    r"(?:[-_ T]?(?P<hour>\d\d)[-_]?(?P<minute>\d\d)[-_]?(?P<second>\d\d)"
    r"(?:[-_.]?(?P<fraction>\d{3})(?!\d))?(?P<utc>Z)?)?(?!\d)"
)
# photo_5@31-01-2020_12-34-56 of Telegram's export
_DAY_FIRST = re.compile(
    r"@(?P<day>\d\d)-(?P<month>\d\d)-(?P<year>\d{4})_(?P<hour>\d\d)-(?P<minute>\d\d)-(?P<second>\d\d)(?!\d)"
)
_MILLISECONDS = re.compile(
    r"(?:FB_IMG_|mmexport|wx_camera_|IMG_|image-|photo-|Snapchat-)?(1\d{12})(?!\d)", re.I
)


@dataclass(frozen=True)
class NameDate:
    """What a name says. `is_utc`: an instant and no wall clock; `has_time`: more than a day."""

    moment: datetime
    has_time: bool = True
    is_utc: bool = False


def date_from_name(name: str) -> NameDate | None:
    """The date in a file's name; naive, at midnight when the name tells only a day. None without one.

    Only what is a date beyond doubt counts: DSC_0123 and a phone number are none.
    """
    if not _DIGITS.search(name):
        return None
    stem = PurePath(name).stem
    if match := _MILLISECONDS.match(stem):
        moment = datetime.fromtimestamp(int(match[1]) / 1000, UTC).replace(tzinfo=None)
        return NameDate(moment, is_utc=True)
    for pattern in (_DAY_FIRST, _WRITTEN, _COMPACT):
        for match in pattern.finditer(stem):
            found = _read(match, is_pixel=stem.upper().startswith("PXL_"))
            if found and (pattern is not _COMPACT or found.moment.year >= _EARLIEST_DIGITS):
                return found
    return None


def _read(match: re.Match[str], *, is_pixel: bool) -> NameDate | None:
    parts = match.groupdict()
    has_time = parts["hour"] is not None
    hour = int(parts["hour"] or 0)
    if half := parts.get("half"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half.upper() == "P" else 0)
    fraction = timedelta(milliseconds=int(parts.get("fraction") or 0))
    try:
        day = datetime(int(parts["year"]), int(parts["month"]), int(parts["day"]))
        moment = day.replace(hour=hour, minute=int(parts["minute"] or 0), second=int(parts["second"] or 0))
    except ValueError:
        return None
    # The camera of Pixel phones names its files by UTC.
    return NameDate(moment + fraction, has_time, is_utc=has_time and (is_pixel or bool(parts.get("utc"))))
