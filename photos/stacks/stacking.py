"""Stacks that Chitra finds by itself: it looks only at the neighbourhood of a photo, and again when more is
known of it, so that the order in which files come changes nothing. What people decided is left alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from jobs.events import publish
from photos.formats import filetypes
from photos.models import Photo, Stack
from photos.models.stack import lock_stacks
from photos.stacks.rules import BURST_PAUSE, LONGEST_BURST, File, Planned, plan
from photos.stacks.shot_names import read_burst_name, shot_key

OF_THE_EXPOSURE = ("exif_original", "exif_digitized", "person")
"""Sources of a time that say when the shutter was open."""
REACH = LONGEST_BURST + BURST_PAUSE
"""What is nearer than this in time decides whether a photo is part of a burst or of a time-lapse."""
RAW_TYPES = {kind.mime for kind in filetypes.RAW_TYPES}
MOST_FILES = 4000
"""Of one neighbourhood. Thirty frames a second for as long as a burst lasts at most, twice."""
COLUMNS = (
    "pk",
    "original_name",
    "source_path",
    "camera_make",
    "camera_model",
    "taken_at",
    "taken_at_source",
    "mime_type",
    "size",
    "perceptual_hash",
    "width",
    "height",
    "burst_id",
    "shot_key",
    "stack_id",
    "stack_position",
)


@dataclass(frozen=True)
class Known:
    """A photo of the neighbourhood, what leads to others, and where it is stacked now."""

    file: File
    camera_model: str
    shot_key: int | None
    stack_id: int | None
    position: int


def place(photo_ids: Iterable[int]) -> None:
    """Put these photos and their neighbours into the stacks they belong in by what is known now."""
    libraries: dict[int, list[int]] = defaultdict(list)
    for pk, library_id in Photo.objects.filter(pk__in=list(photo_ids)).values_list("pk", "library_id"):
        libraries[library_id].append(pk)
    for library_id, ids in sorted(libraries.items()):
        with transaction.atomic():
            lock_stacks(library_id)
            write_keys(ids)
            near = Neighbourhood(library_id, ids)
            if changed := carry_out(library_id, near.found, plan(near.files())):
                publish(library_id, "photos", changed=changed)


def write_keys(photo_ids: Sequence[int]) -> None:
    """By which files of one shot and of one burst are found; names and paths change at times."""
    changed = []
    rows = Photo.objects.filter(pk__in=photo_ids)
    for photo in rows.only("original_name", "source_path", "shot_key", "burst_id"):
        key = shot_key(photo.original_name, photo.source_path)
        burst = photo.burst_id or read_burst_name(photo.original_name).key
        if (key, burst) != (photo.shot_key, photo.burst_id):
            photo.shot_key, photo.burst_id = key, burst
            changed.append(photo)
    Photo.objects.bulk_update(changed, ["shot_key", "burst_id"])


class Neighbourhood:
    """All photos that the rules have to see together with some, the trash included: it may be brought back.

    Each round asks once for each kind of neighbours, and mostly the second one finds no more.
    """

    def __init__(self, library_id: int, photo_ids: Sequence[int]) -> None:
        of_library = Photo.objects.filter(library=library_id, media_type="photo", still__isnull=True)
        self.rows = of_library.exclude(locked_fields__contains=[Photo.Editable.STACK])
        self.found: dict[int, Known] = {}
        self.in_time_lapse: set[int] = set()
        new = read(self.rows.filter(pk__in=photo_ids))
        while new and len(self.found) < MOST_FILES:
            self.found |= new
            near = self.linked(new) | self.in_time(new)
            new = {pk: known for pk, known in near.items() if pk not in self.found}

    def files(self) -> list[File]:
        return [
            replace(known.file, in_time_lapse=pk in self.in_time_lapse) for pk, known in self.found.items()
        ]

    def linked(self, new: Mapping[int, Known]) -> dict[int, Known]:
        """Those of the same shot by name and folder, of the same marked burst, and of the same stacks."""
        values = {
            "shot_key__in": {known.shot_key for known in new.values() if known.shot_key is not None},
            "burst_id__in": {known.file.burst for known in new.values() if known.file.burst},
            "stack__in": {known.stack_id for known in new.values() if known.stack_id is not None},
        }
        found: dict[int, Known] = {}
        for lookup, wanted in values.items():  # apart: each has an index of its own
            if wanted:
                found |= read(self.rows.filter(**{lookup: wanted}))
        return found

    def in_time(self, new: Mapping[int, Known]) -> dict[int, Known]:
        """Those of the same cameras that follow each other without a pause, before or after these."""
        moments: dict[str, set[datetime]] = defaultdict(set)
        for known in new.values():
            if known.camera_model and known.file.wall:
                moments[known.camera_model].add(known.file.wall)
        found: dict[int, Known] = {}
        for model, walls in moments.items():
            for first, last in stretches(walls, REACH):
                near = self.rows.filter(
                    camera_model=model,
                    taken_at__gte=(first - REACH).replace(tzinfo=UTC),
                    taken_at__lte=(last + REACH).replace(tzinfo=UTC),
                )
                found |= self.without_pause(new, walls, read(near))
        return found

    def without_pause(
        self, new: Mapping[int, Known], walls: Set[datetime], near: Mapping[int, Known]
    ) -> dict[int, Known]:
        """Of what is near, the stretches with one of these moments. Of a time-lapse that is only what may
        have to leave a stack, or be of one shot with a file that is new.
        """
        timed = {pk: known.file.wall for pk, known in near.items() if known.file.wall}
        bases = {known.file.base for known in new.values()}
        found: dict[int, Known] = {}
        for first, last in stretches(set(timed.values()), BURST_PAUSE):
            if not any(first <= wall <= last for wall in walls):
                continue
            inside = {pk: near[pk] for pk, wall in timed.items() if first <= wall <= last}
            if last - first > LONGEST_BURST:
                self.in_time_lapse |= inside.keys()
                inside = {
                    pk: known
                    for pk, known in inside.items()
                    if known.stack_id is not None or known.file.base in bases
                }
            found |= inside
        return found


def read(rows: Any) -> dict[int, Known]:
    """These photos by id, as the rules see them."""
    known = {}
    for row in rows.order_by("pk").values(*COLUMNS)[:MOST_FILES]:
        model, width, height = row["camera_model"], row["width"], row["height"]
        is_of_exposure = row["taken_at_source"] in OF_THE_EXPOSURE
        file = File(
            pk=row["pk"],
            name=row["original_name"],
            source_path=row["source_path"],
            camera=model and f"{row['camera_make']} {model}",
            wall=row["taken_at"].astimezone(UTC).replace(tzinfo=None) if is_of_exposure else None,
            is_raw=row["mime_type"] in RAW_TYPES,
            size=row["size"],
            look=row["perceptual_hash"],
            pixels=(width, height) if width and height else None,
            burst=row["burst_id"],
        )
        known[file.pk] = Known(file, model, row["shot_key"], row["stack_id"], row["stack_position"])
    return known


def stretches(times: Set[datetime], pause: timedelta) -> list[tuple[datetime, datetime]]:
    """First and last of those that follow each other within `pause`."""
    found: list[tuple[datetime, datetime]] = []
    for time in sorted(times):
        if found and time - found[-1][1] <= pause:
            found[-1] = (found[-1][0], time)
        else:
            found.append((time, time))
    return found


def carry_out(library_id: int, found: Mapping[int, Known], plans: Sequence[Planned]) -> int:
    """Write the stacks of a neighbourhood where they are others than now. Returns how many photos moved."""
    wanted: dict[int, tuple[int | None, int]] = dict.fromkeys(found, (None, 0))
    free = {known.stack_id for known in found.values() if known.stack_id is not None}
    free -= held_by_people(free) if free else set()
    for planned in plans:
        stack_id = stack_for(library_id, planned, found, free)
        wanted |= {pk: (stack_id, position) for position, pk in enumerate(planned.members)}
    moved = {pk: place for pk, place in wanted.items() if place != (found[pk].stack_id, found[pk].position)}
    if moved:
        move(moved)
    if free:
        Stack.objects.filter(pk__in=free).delete()
    return len(moved)


def held_by_people(stack_ids: Set[int]) -> set[int]:
    """Those of the stacks with a photo that people put there."""
    locked = Photo.objects.filter(stack__in=stack_ids, locked_fields__contains=[Photo.Editable.STACK])
    return set(locked.values_list("stack_id", flat=True))


def stack_for(library_id: int, planned: Planned, found: Mapping[int, Known], free: set[int]) -> int:
    """The oldest stack that one of the members is in, taken from those that are `free`; else a new one."""
    known = {found[pk].stack_id for pk in planned.members} & free
    if not known:
        return int(Stack.objects.create(library_id=library_id, kind=planned.kind).pk)
    stack_id = min(pk for pk in known if pk is not None)
    free.remove(stack_id)
    Stack.objects.filter(pk=stack_id).exclude(kind=planned.kind).update(kind=planned.kind)
    return stack_id


def move(places: Mapping[int, tuple[int | None, int]]) -> None:
    """Set stack and position by photo, unless a person has decided meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {connection.ops.quote_name(Photo._meta.db_table)} AS photo "
            "SET stack_id = wanted.stack_id, stack_position = wanted.position "
            "FROM unnest(%s::bigint[], %s::bigint[], %s::integer[]) AS wanted (id, stack_id, position) "
            "WHERE photo.id = wanted.id AND NOT photo.locked_fields @> ARRAY[%s]::varchar[]",
            [
                list(places),
                [stack_id for stack_id, _ in places.values()],
                [position for _, position in places.values()],
                Photo.Editable.STACK.value,
            ],
        )
