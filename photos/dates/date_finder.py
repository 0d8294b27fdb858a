"""Wrong dates and how to put them right: facts of photos in, proposals out. No database.

A proposal is one correction for a group of photos with one reason. Nothing is proposed where only the fault
is known and not the right time.
"""

import hashlib
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from photos.dates.name_dates import NameDate, date_from_name
from photos.dates.zones import wall_clock_in

if TYPE_CHECKING:
    import numpy as np

    Moments = np.ndarray[Any, np.dtype[np.datetime64]]

Kind = Literal["gps", "neighbours", "name", "unset"]
"""What shows the fault: the GPS clock, a phone at the same events, the file's name, a clock never set."""

_TOLERANCE = timedelta(minutes=3)  # a GPS fix is older than the picture by up to two
_SAME_FAULT = timedelta(minutes=2)
_ROLLOVER = timedelta(weeks=1024)
"""Old receivers lose 1024 weeks; then it is the camera that is right."""
_RUN_GAP = timedelta(days=3)
_NEAR = timedelta(minutes=10)
_FEWEST_NEIGHBOURS = 6
_MOST_BEFORE, _FEWEST_AFTER = 0.1, 0.8
_CANDIDATES = [timedelta(minutes=30 * n) for n in range(-28, 29) if n] + [
    timedelta(days=n) for n in (-366, -365, -1, 1, 365, 366)
]
_NAME_TOLERANCE = timedelta(hours=26)
"""More than any two zones differ."""
_FIRST_DIGITAL_YEAR = 1990
_UNSET_DAYS = 3
_UNSET_YEARS = (1904, 1970, 1980, 2000)
_OF_CAMERA = frozenset({"exif_original", "exif_digitized", "exif_modified", "xmp", "video"})


class Shot(NamedTuple):
    """What is known of a photo. `wall` is naive, the other moments aware."""

    pk: int
    wall: datetime
    source: str
    device: str = ""
    name: str = ""
    gps_at: datetime | None = None
    offset_minutes: int | None = None
    zone: str = ""
    home_zone: str = "UTC"
    """Where it was taken for all that is known: the zone of library or server."""
    file_at: datetime | None = None
    is_trusted: bool = False
    """Whether its zone is known from the file, as with phones, which set their clocks themselves."""


@dataclass(frozen=True)
class Move:
    """One photo's wall clock, before and after."""

    pk: int
    before: datetime
    after: datetime


@dataclass(frozen=True)
class Proposal:
    kind: Kind
    reason: str
    moves: tuple[Move, ...]

    @property
    def key(self) -> str:
        """The same for the same photos and times, so that what was looked at is what is applied."""
        text = repr((self.kind, [(move.pk, move.after.isoformat()) for move in self.moves]))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def find(shots: Iterable[Shot]) -> list[Proposal]:
    """Proposals, each photo in one at most: what the GPS clock says goes first."""
    left = {shot.pk: shot for shot in shots}
    found: list[Proposal] = []
    for finder in (by_gps_clock, unset_clocks, by_names, by_neighbours):
        for proposal in finder(list(left.values())):
            found.append(proposal)
            for move in proposal.moves:
                left.pop(move.pk, None)
    return found


def by_device(shots: Iterable[Shot]) -> Iterator[tuple[str, list[Shot]]]:
    """Devices that have a name, with their photos by time."""
    groups: dict[str, list[Shot]] = defaultdict(list)
    for shot in shots:
        if shot.device:
            groups[shot.device].append(shot)
    for device, members in sorted(groups.items()):
        yield device, sorted(members, key=lambda shot: (shot.wall, shot.pk))


# ---------------------------------------------------------------- the GPS clock


def by_gps_clock(shots: Sequence[Shot]) -> Iterator[Proposal]:
    """Cameras whose clock differs from the receiver's; photos in between without a fix move with them."""
    for device, members in by_device(shots):
        faults = [(shot, fault) for shot in members if (fault := gps_fault(shot)) is not None]
        walls = [shot.wall for shot in members]
        for group in same_faults(faults):
            shift = -median_of([fault for _, fault in group])
            own = {shot.pk for shot, _ in group}
            start, end = bisect_left(walls, group[0][0].wall), bisect_right(walls, group[-1][0].wall)
            moving = [
                shot
                for shot in members[start:end]
                if shot.pk in own or (shot.gps_at is None and shot.source in _OF_CAMERA)
            ]
            reason = f"The clock of {device} was {in_words(-shift)} against the GPS clock."
            yield Proposal("gps", reason, shifted(moving, shift))


def gps_fault(shot: Shot) -> timedelta | None:
    """How far the camera's clock was ahead of the receiver's; None when they agree or nothing tells."""
    if shot.gps_at is None or shot.source not in _OF_CAMERA:
        return None
    if shot.zone:
        expected = wall_clock_in(shot.zone, shot.gps_at)
    elif shot.offset_minutes is not None:
        expected = (shot.gps_at + timedelta(minutes=shot.offset_minutes)).replace(tzinfo=None)
    else:
        return None
    fault = shot.wall - expected
    rollovers = round(fault / _ROLLOVER)
    is_rollover = rollovers != 0 and abs(fault - rollovers * _ROLLOVER) < timedelta(days=2)
    return None if is_rollover or abs(fault) <= _TOLERANCE else fault


def same_faults(faults: Sequence[tuple[Shot, timedelta]]) -> list[list[tuple[Shot, timedelta]]]:
    """Neighbours in time with the same fault: a clock drifts slowly and jumps when somebody sets it."""
    groups: list[list[tuple[Shot, timedelta]]] = []
    for entry in faults:
        if groups and abs(entry[1] - groups[-1][-1][1]) <= _SAME_FAULT:
            groups[-1].append(entry)
        else:
            groups.append([entry])
    return groups


def median_of(spans: Sequence[timedelta]) -> timedelta:
    """The median to the second."""
    return timedelta(seconds=round(median(span.total_seconds() for span in spans)))


# ---------------------------------------------------------------- clocks never set, names


def unset_clocks(shots: Sequence[Shot]) -> Iterator[Proposal]:
    """Years before there were digital cameras, and the first days of a clock: name or file know better."""
    moves: dict[str, list[Move]] = defaultdict(list)
    for shot in shots:
        if shot.source in _OF_CAMERA and shot.device and looks_unset(shot.wall):
            better = time_of_name(shot) or time_of_file(shot)
            if better is not None and not looks_unset(better):
                moves[shot.device].append(Move(shot.pk, shot.wall, better))
    for device, group in sorted(moves.items()):
        yield Proposal("unset", f"The clock of {device} was not set.", tuple(group))


def looks_unset(wall: datetime) -> bool:
    """Whether no digital camera that knew the time can have written this."""
    is_start = wall.year in _UNSET_YEARS and wall.month == 1 and wall.day <= _UNSET_DAYS
    return is_start or wall.year < _FIRST_DIGITAL_YEAR


def by_names(shots: Sequence[Shot]) -> Iterator[Proposal]:
    """Files whose name tells another day than the camera.

    A name with a time was given by the camera itself; one with a day only counts when it is the older one,
    because names are also given on the day of sending.
    """
    moves: dict[str, list[Move]] = defaultdict(list)
    for shot in shots:
        named = date_from_name(shot.name) if shot.source in _OF_CAMERA else None
        if named is None:
            continue
        better = moment_of_name(shot, named)
        if abs(shot.wall - better) > _NAME_TOLERANCE and (named.has_time or better < shot.wall):
            moves[shot.device or "the camera"].append(Move(shot.pk, shot.wall, better))
    for device, group in sorted(moves.items()):
        yield Proposal("name", f"The names of the files tell another day than {device}.", tuple(group))


def time_of_name(shot: Shot) -> datetime | None:
    """The wall clock in the file's name; an instant is put on the clock of the photo's zone."""
    named = date_from_name(shot.name)
    return moment_of_name(shot, named) if named else None


def moment_of_name(shot: Shot, named: NameDate) -> datetime:
    return on_the_wall(shot, named.moment.replace(tzinfo=UTC)) if named.is_utc else named.moment


def time_of_file(shot: Shot) -> datetime | None:
    return on_the_wall(shot, shot.file_at) if shot.file_at else None


def on_the_wall(shot: Shot, instant: datetime) -> datetime:
    if not shot.zone and shot.offset_minutes is not None:
        return (instant.astimezone(UTC) + timedelta(minutes=shot.offset_minutes)).replace(tzinfo=None)
    return wall_clock_in(shot.zone or shot.home_zone, instant)


# ---------------------------------------------------------------- another camera at the same events


def by_neighbours(shots: Sequence[Shot]) -> Iterator[Proposal]:
    """Cameras whose photos fall between those of a phone only when their clock is moved.

    Each run of a camera, parted by days without photos, is tried with the usual mistakes: half hours up to
    14 hours, a day, a year.
    """
    trusted = moments(sorted(shot.wall for shot in shots if shot.is_trusted))
    if not trusted.size:
        return
    for device, members in by_device(shot for shot in shots if not shot.is_trusted):
        own = [shot for shot in members if shot.source in _OF_CAMERA and shot.gps_at is None]
        for run in runs(own):
            shift = best_shift(moments([shot.wall for shot in run]), trusted)
            if shift is not None:
                reason = f"The clock of {device} was {in_words(-shift)} against phones at the same events."
                yield Proposal("neighbours", reason, shifted(run, shift))


def runs(shots: Sequence[Shot]) -> list[list[Shot]]:
    """Photos by time, parted where days are without any."""
    parts: list[list[Shot]] = [list(shots[:1])] if shots else []
    for before, shot in pairwise(shots):
        if shot.wall - before.wall > _RUN_GAP:
            parts.append([])
        parts[-1].append(shot)
    return parts


def moments(walls: Sequence[datetime]) -> "Moments":
    import numpy as np

    return np.array(walls, dtype="datetime64[us]")


def best_shift(walls: "Moments", trusted: "Moments") -> timedelta | None:
    """The shift that brings nearly all of them near trusted ones, when hardly any are without it."""
    import numpy as np

    if walls.size < _FEWEST_NEIGHBOURS or share_near(walls, trusted) > _MOST_BEFORE:
        return None
    scores = {shift: share_near(walls + np.timedelta64(shift), trusted) for shift in _CANDIDATES}
    best = max(scores, key=lambda shift: (scores[shift], -abs(shift)))
    return best if scores[best] >= _FEWEST_AFTER else None


def share_near(walls: "Moments", trusted: "Moments") -> float:
    """Which part of `walls` has a trusted moment within minutes, 0 to 1; `trusted` is sorted."""
    import numpy as np

    near = np.timedelta64(_NEAR)
    first = np.searchsorted(trusted, walls - near)
    return float(np.mean(first < np.searchsorted(trusted, walls + near, side="right")))


# ---------------------------------------------------------------- words


def shifted(shots: Iterable[Shot], shift: timedelta) -> tuple[Move, ...]:
    return tuple(Move(shot.pk, shot.wall, shot.wall + shift) for shot in shots)


def in_words(ahead: timedelta) -> str:
    """“1 day 2 h fast”, “3 min slow”."""
    seconds = round(abs(ahead).total_seconds())
    sizes = (("day", 86400), ("h", 3600), ("min", 60), ("s", 1))
    parts = []
    for unit, size in sizes:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''}")
    return f"{' '.join(parts[:2]) or '0 s'} {'fast' if ahead > timedelta() else 'slow'}"
