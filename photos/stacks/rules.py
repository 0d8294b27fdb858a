"""Which photos are one stack: files of one shot, and bursts. Pure: facts in, a plan out.

Two files are of one **shot** when their names are (`DSC_1.NEF` and `DSC_1.JPG`, `IMG_1.HEIC` and
`IMG_E1.HEIC`) and they lie in one folder while neither time nor camera speaks against it, or when time and
camera are the same, wherever they lie. It is a stack when there is a raw file beside a picture, or an edited
copy beside what it was made of; a JPEG and a HEIC of one name are left alone.

A **burst** is what the phone marked as one, by an identifier in the file or by name. Without a mark it is
photos of one camera and size, each within BURST_PAUSE of the one before, all of which look like the first.
That is stricter than chaining each to the one before: who pans takes different pictures. What goes on
without a pause for longer than LONGEST_BURST is a time-lapse.

The numbers: clocks without fractions of a second put the frames of a slow burst a second apart, and a full
buffer adds one. Of 119 pictures of different things no two hashes of 64 bits differ in fewer than 16 bits;
the same picture moved by 3 % of its width differs in up to 14 nine times of ten.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import combinations, groupby
from typing import Literal

from photos.hashing import hamming_distance
from photos.stacks.shot_names import folder_of, read_burst_name, read_shot_name

Kind = Literal["raw", "edited", "burst"]
BURST_PAUSE = timedelta(seconds=2)
LONGEST_BURST = timedelta(seconds=60)
BURST_BITS = 14
SAME_MOMENT = timedelta(seconds=2)
"""Files of one folder and name whose times differ by more are of different shots."""
BITS_64 = (1 << 64) - 1


@dataclass(frozen=True)
class File:
    """One photo as the rules see it.

    `wall` is None unless it is the time of the exposure; `look` is the perceptual hash in 64 signed bits;
    `burst` is what marks it as part of one. `in_time_lapse` says that more shots than are here follow each
    other without a pause, for too long.
    """

    pk: int
    name: str
    source_path: str = ""
    camera: str = ""
    wall: datetime | None = None
    is_raw: bool = False
    size: int = 0
    look: int | None = None
    pixels: tuple[int, int] | None = None
    burst: str = ""
    in_time_lapse: bool = False

    @cached_property
    def folder(self) -> str:
        return folder_of(self.source_path)

    @cached_property
    def base(self) -> str:
        return read_shot_name(self.name).base

    @cached_property
    def is_edited(self) -> bool:
        return read_shot_name(self.name).is_edited

    @cached_property
    def is_marked_cover(self) -> bool:
        return read_burst_name(self.name).is_cover


@dataclass(frozen=True)
class Planned:
    """A stack to be: ids of its photos, the cover first."""

    kind: Kind
    members: tuple[int, ...]


@dataclass(frozen=True)
class Shot:
    """Files of one exposure, the one to show first."""

    files: tuple[File, ...]

    @property
    def first(self) -> File:
        return self.files[0]

    @cached_property
    def original(self) -> File:
        """What the camera made, a picture rather than a raw file: by it shots are compared."""
        return min(self.files, key=lambda file: (file.is_raw, file.is_edited, file.pk))

    @property
    def kind(self) -> Kind:
        return "raw" if any(file.is_raw for file in self.files) else "edited"

    @property
    def burst(self) -> str:
        return next((file.burst for file in self.files if file.burst), "")


def plan(files: Iterable[File]) -> list[Planned]:
    """The stacks of these files, which are all there are in their neighbourhood; in any order."""
    shots = shots_of(files)
    bursts = bursts_of(shots)
    taken = {shot for burst in bursts for shot in burst}
    alone = [shot for shot in shots if shot not in taken and len(shot.files) > 1]
    return [as_plan("burst", burst) for burst in bursts] + [as_plan(shot.kind, [shot]) for shot in alone]


def as_plan(kind: Kind, shots: Sequence[Shot]) -> Planned:
    """The shot to show first, then the others by time, each with its files."""
    cover = min(shots, key=cover_order)
    ordered = [cover, *(shot for shot in shots if shot is not cover)]
    return Planned(kind, tuple(file.pk for shot in ordered for file in shot.files))


def cover_order(shot: Shot) -> tuple[bool, int, int]:
    """First the one that the phone chose, else the largest file: blur compresses better than detail."""
    return not shot.original.is_marked_cover, -shot.original.size, shot.original.pk


def shots_of(files: Iterable[File]) -> list[Shot]:
    """Files by exposure; one alone where the rules see no stack."""
    by_base: dict[str, list[File]] = defaultdict(list)
    for file in sorted(files, key=lambda file: file.pk):
        by_base[file.base].append(file)
    shots: list[Shot] = []
    for named in by_base.values():
        for group in of_one_shot(named):
            shots += [Shot(tuple(group))] if is_stack(group) else [Shot((file,)) for file in group]
    return shots


def is_stack(group: Sequence[File]) -> bool:
    """A raw file beside a picture, or an edited copy beside what it was made of."""
    return len({file.is_raw for file in group}) > 1 or len({file.is_edited for file in group}) > 1


def of_one_shot(named: Sequence[File]) -> list[list[File]]:
    """Files of one name by exposure, each group in the order of its stack."""
    groups = {file.pk: {file.pk} for file in named}

    def join(a: File, b: File) -> None:
        joined = groups[a.pk] | groups[b.pk]
        for pk in joined:
            groups[pk] = joined

    for bucket in buckets(named, lambda file: file.folder or None):
        for a, b in combinations(bucket, 2):
            if not speak_against(a, b):
                join(a, b)
    for bucket in buckets(named, moment_of):
        for other in bucket[1:]:
            join(bucket[0], other)
    by_pk = {file.pk: file for file in named}
    distinct = {min(group): group for group in groups.values()}
    return [sorted((by_pk[pk] for pk in group), key=file_order) for group in distinct.values()]


def buckets(files: Sequence[File], key: Callable[[File], Hashable | None]) -> list[list[File]]:
    """Files with equal keys; those without one stand alone and are left out."""
    found: dict[Hashable, list[File]] = defaultdict(list)
    for file in files:
        value = key(file)
        if value is not None:
            found[value].append(file)
    return list(found.values())


def moment_of(file: File) -> Hashable | None:
    """Camera and second of the exposure."""
    return (file.camera, file.wall.replace(microsecond=0)) if file.camera and file.wall else None


def speak_against(a: File, b: File) -> bool:
    """Whether two files of one name and folder are of different shots by what both of them know."""
    if a.camera and b.camera and a.camera != b.camera:
        return True
    return a.wall is not None and b.wall is not None and abs(a.wall - b.wall) > SAME_MOMENT


def file_order(file: File) -> tuple[bool, bool, int, int]:
    """The edited copy before the original, pictures before raw files, the largest first."""
    return file.is_raw, not file.is_edited, -file.size, file.pk


def bursts_of(shots: Sequence[Shot]) -> list[list[Shot]]:
    """Bursts of two shots and more, each in the order of time."""
    marked: dict[str, list[Shot]] = defaultdict(list)
    for shot in shots:
        if shot.burst:
            marked[shot.burst].append(shot)
    found = [sorted(burst, key=time_order) for burst in marked.values() if len(burst) > 1]
    found += unmarked_bursts(shot for shot in shots if not shot.burst)
    return found


def time_order(shot: Shot) -> tuple[datetime, str, int]:
    original = shot.original
    return original.wall or datetime.min, original.base, original.pk


def unmarked_bursts(shots: Iterable[Shot]) -> list[list[Shot]]:
    """By camera, time and look."""
    timed = [shot for shot in shots if is_timed(shot.original)]
    timed.sort(key=lambda shot: (shot.original.camera, *time_order(shot)))
    found = []
    for _, of_camera in groupby(timed, key=lambda shot: shot.original.camera):
        for run in runs(list(of_camera)):
            found += [burst for burst in split_by_look(run) if len(burst) > 1]
    return found


def is_timed(file: File) -> bool:
    return file.wall is not None and bool(file.camera) and not file.in_time_lapse


def runs(shots: Sequence[Shot]) -> list[list[Shot]]:
    """Shots of one camera, in order, that follow each other without a pause; without time-lapses."""
    found: list[list[Shot]] = []
    for shot in shots:
        if found and moment(shot) - moment(found[-1][-1]) <= BURST_PAUSE:
            found[-1].append(shot)
        else:
            found.append([shot])
    return [run for run in found if moment(run[-1]) - moment(run[0]) <= LONGEST_BURST]


def moment(shot: Shot) -> datetime:
    assert shot.original.wall is not None  # `unmarked_bursts` takes no others
    return shot.original.wall


def split_by_look(run: Sequence[Shot]) -> list[list[Shot]]:
    """A new burst begins with each shot that does not look like the first of the one before."""
    found: list[list[Shot]] = []
    for shot in run:
        if found and look_alike(found[-1][0].original, shot.original):
            found[-1].append(shot)
        else:
            found.append([shot])
    return found


def look_alike(a: File, b: File) -> bool:
    if not a.look or not b.look or a.pixels != b.pixels:  # 0 is the hash of an even area
        return False
    return hamming_distance(a.look & BITS_64, b.look & BITS_64) <= BURST_BITS
