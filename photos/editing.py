"""Corrections by people: in the journal, locked against the file, undone on request, never written to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from jobs import ledger
from jobs.events import publish
from photos.dates.capture_time import CaptureTime, with_offset
from photos.dates.stamps import is_possible
from photos.dates.zones import offset_minutes
from photos.models import EditedPhoto, Library, Photo, PhotoEdit, PhotoStep, Stack
from photos.models.stack import close_ranks, lock_stacks
from photos.places import Place

BATCH = 500
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "time": Photo.TIME_FIELDS,
    "place": ("latitude", "longitude", "altitude_metres", *Photo.PLACE_FIELDS),
    "title": ("title",),
    "description": ("description",),
    "rating": ("rating",),
    "stack": ("stack_id", "stack_position"),
}
"""The columns behind each `Photo.Editable`."""
NOTHING: Mapping[str, Mapping[str, Any]] = {
    "title": {"title": ""},
    "description": {"description": ""},
    "rating": {"rating": None},
    "place": {"latitude": None, "longitude": None, "altitude_metres": None},
}
"""What stands until the file is read again, and stays when it says nothing."""
MOMENTS = ("taken_at", "taken_at_utc")


class BadEdit(ValueError):
    """A value that cannot be; the message says why. `field` is the `Editable` it is for."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class WallClock:
    """A corrected time: naive, and its minutes ahead of UTC when somebody knows them."""

    wall: datetime
    offset_minutes: int | None = None


@dataclass(frozen=True)
class Undone:
    """How many photos are as before, and how many had been changed since and were left alone."""

    restored: int
    left: int


def edit_photo(*, photo: Photo, actor: Any, values: Mapping[str, Any]) -> PhotoEdit | None:
    """Set what a person says: `time` (WallClock), `place` (degrees or None), title, description, rating.

    Each becomes locked. None when nothing changes. Raises BadEdit.
    """
    for field, value in values.items():
        check(field, value)

    def alter(row: Photo) -> None:
        for field, value in values.items():
            SETTERS[field](row, value)

    words = " and ".join([", ".join(list(values)[:-1]), list(values)[-1]] if len(values) > 1 else values)
    return change(
        photos=Photo.objects.filter(pk=photo.pk),
        library=photo.library,
        actor=actor,
        fields=list(values),
        alter=alter,
        summary=f"{words} of {photo.original_name}"[:300],
    )


def edit_many(
    *,
    photos: QuerySet[Photo],
    library: Library,
    actor: Any,
    shift: timedelta = timedelta(),
    place: tuple[float, float] | None = None,
) -> PhotoEdit | None:
    """Move the times of a library's photos, or set one place for all, as one edit; None when nothing changes.

    Raises BadEdit.
    """
    check("place", place)
    fields = [*(["time"] if shift else []), *(["place"] if place else [])]

    def alter(row: Photo) -> None:
        if shift:
            try:
                wall = row.wall_clock + shift
            except OverflowError:
                raise BadEdit("time", "There is no such year.") from None
            check("time", WallClock(wall))
            set_time(row, WallClock(wall))
        if place:
            set_place(row, place)

    summary = f"{' and '.join(fields)} of {photos.count()} photos"
    return change(photos=photos, library=library, actor=actor, fields=fields, alter=alter, summary=summary)


def check(field: str, value: Any) -> None:
    """Raises BadEdit for what cannot be."""
    if field == "time" and not is_possible(value.wall):
        raise BadEdit("time", "There were no photographs then, or it is still to come.")
    if field == "place" and value is not None and not (abs(value[0]) <= 90 and abs(value[1]) <= 180):
        raise BadEdit("place", "Degrees north lie between -90 and 90, degrees east between -180 and 180.")
    if field == "rating" and value is not None and value not in range(6):
        raise BadEdit("rating", "A rating is 0 to 5 stars.")


def set_time(photo: Photo, clock: WallClock) -> None:
    """A person's wall clock. Without an offset that of the zone or, of the same zone, the one before."""
    time = CaptureTime(clock.wall, "person")
    zone = photo.time_zone or photo.library.time_zone
    if clock.offset_minutes is not None:
        time = with_offset(time, clock.offset_minutes, "person")
    elif zone:
        minutes = offset_minutes(zone, clock.wall)
        time = with_offset(time, minutes, "place" if photo.time_zone_of_place else "library", zone)
    elif photo.utc_offset_minutes is not None:
        time = with_offset(time, photo.utc_offset_minutes, "offset")
    photo.set_time(time)


def set_place(photo: Photo, place: tuple[float, float] | None) -> None:
    """Coordinates; the metadata step finds their names, because it has the data for it."""
    photo.latitude, photo.longitude = place or (None, None)
    photo.altitude_metres = None
    photo.set_place(Place())


SETTERS: Mapping[str, Callable[[Photo, Any], None]] = {
    "time": set_time,
    "place": set_place,
    "title": lambda photo, text: setattr(photo, "title", text),
    "description": lambda photo, text: setattr(photo, "description", text),
    "rating": lambda photo, stars: setattr(photo, "rating", stars),
}


@transaction.atomic
def change(
    *,
    photos: QuerySet[Photo],
    library: Library,
    actor: Any,
    fields: Sequence[str],
    alter: Callable[[Photo], None],
    summary: str,
) -> PhotoEdit | None:
    """Alter and lock `fields` of a library's photos as an entry of the journal; None when nothing changes."""
    edit = PhotoEdit(library=library, actor=actor, summary=summary)
    columns = [column for field in fields for column in COLUMNS[field]]
    entries = []
    rows = photos.filter(library=library).select_related("library").select_for_update(of=("self",))
    for photo in rows.order_by("pk"):
        before = snapshot(photo, columns)
        alter(photo)
        after = snapshot(photo, columns)
        newly_locked = [field for field in fields if not photo.is_locked(field)]
        if before != after or newly_locked:
            photo.locked_fields = [*photo.locked_fields, *newly_locked]
            different = [column for column in columns if before[column] != after[column]]
            entries.append(
                EditedPhoto(
                    edit=edit,
                    photo=photo,
                    before={column: before[column] for column in different},
                    after={column: after[column] for column in different},
                    newly_locked=newly_locked,
                )
            )
    if not any(entry.after for entry in entries):
        return None
    edit.save()
    Photo.objects.bulk_update(
        [entry.photo for entry in entries], [*columns, "locked_fields"], batch_size=BATCH
    )
    EditedPhoto.objects.bulk_create(entries, batch_size=BATCH)
    after_change([entry.photo for entry in entries], fields)
    return edit


def after_change(photos: Sequence[Photo], fields: Sequence[str]) -> None:
    """What follows from other values: names of places, and pages that show them."""
    pks = [photo.pk for photo in photos]
    if "place" in fields:
        ledger.reset(PhotoStep.objects.filter(step="metadata", photo__in=pks))
    for photo in photos[:BATCH]:
        publish(photo.library_id, "photo", id=photo.pk)


def snapshot(photo: Photo, columns: Sequence[str]) -> dict[str, Any]:
    """The values as JSON has them."""
    return {column: as_json(getattr(photo, column)) for column in columns}


def as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value


def from_json(column: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if column in MOMENTS and value else value


@transaction.atomic
def undo(edit: PhotoEdit) -> Undone:
    """Bring back what was before an edit where it still stands; doing it twice changes nothing."""
    row = PhotoEdit.objects.select_for_update().get(pk=edit.pk)
    if row.undone_at is not None:
        return Undone(0, 0)
    lock_stacks(row.library_id)
    entries = {entry.photo_id: entry for entry in EditedPhoto.objects.filter(edit=row)}
    photos = Photo.objects.filter(pk__in=entries).select_for_update().order_by("pk")
    stacks = {entry.before.get("stack_id") for entry in entries.values()} - {None}
    gone = stacks - set(Stack.objects.filter(pk__in=stacks).values_list("pk", flat=True))
    standing = [
        photo
        for photo in photos
        if still_stands(photo, entries[photo.pk]) and entries[photo.pk].before.get("stack_id") not in gone
    ]
    columns: set[str] = {"locked_fields"}
    for photo in standing:
        entry = entries[photo.pk]
        columns |= set(entry.before)
        for column, value in entry.before.items():
            setattr(photo, column, from_json(column, value))
        photo.locked_fields = [name for name in photo.locked_fields if name not in entry.newly_locked]
    Photo.objects.bulk_update(standing, sorted(columns), batch_size=BATCH)
    close_ranks(stacks - gone)
    row.undone_at = timezone.now()
    row.save(update_fields=["undone_at"])
    after_change(standing, ["place"] if "latitude" in columns else [])
    return Undone(len(standing), len(entries) - len(standing))


def still_stands(photo: Photo, entry: EditedPhoto) -> bool:
    """Whether the photo is as the edit left it; names of its place may have been found since."""
    columns = [column for column in entry.after if column not in Photo.PLACE_FIELDS]
    return snapshot(photo, columns) == {column: entry.after[column] for column in columns}


def unlock(*, photo: Photo, field: str) -> None:
    """Let the file speak again: the field is read anew."""
    with transaction.atomic():
        row = Photo.objects.select_for_update().get(pk=photo.pk)
        row.locked_fields = [name for name in row.locked_fields if name != field]
        for column, nothing in NOTHING.get(field, {}).items():
            setattr(row, column, nothing)
        row.save(update_fields=["locked_fields", *NOTHING.get(field, {})])
        ledger.reset(PhotoStep.objects.filter(step="metadata", photo=row))
    transaction.on_commit(partial(publish, photo.library_id, "photo", id=photo.pk))
