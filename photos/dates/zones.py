"""Time zones without a network: which one a place lies in, and how far it was from UTC at a moment."""

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones


@cache
def zone_names() -> frozenset[str]:
    """The names that are known here, such as `Europe/Paris`."""
    return frozenset(available_timezones())


def zone_at(latitude: float, longitude: float) -> str:
    """The zone of a place in degrees; at sea the nautical one, "" where there is none that is known here.

    The map takes 34 MB at the first call, so it is a worker's.
    """
    import tzfpy

    name = tzfpy.get_tz(longitude, latitude)
    return name if name in zone_names() else ""


def offset_minutes(zone: str, wall: datetime) -> int:
    """Minutes that the clocks of a zone were ahead of UTC when they showed the naive `wall`.

    An hour that a change of the clocks repeats is taken for its first pass.
    """
    ahead = wall.replace(tzinfo=ZoneInfo(zone)).utcoffset()
    assert ahead is not None
    return round(ahead.total_seconds() / 60)


def wall_clock_in(zone: str, instant: datetime) -> datetime:
    """What the clocks of a zone showed at an aware instant, naive."""
    return instant.astimezone(ZoneInfo(zone) if zone else UTC).replace(tzinfo=None)
