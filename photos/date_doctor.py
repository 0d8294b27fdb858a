"""Wrong dates of a library: found, previewed, corrected as one undoable edit."""

from collections.abc import Collection
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.conf import settings
from django.db.models import FloatField
from django.db.models.functions import Cast, Extract

from photos.dates.date_finder import Proposal, Shot, find
from photos.editing import WallClock, change, set_time
from photos.facts import device_name
from photos.models import Library, Photo, PhotoEdit

BY_ITSELF = ("offset", "gps")
"""Sources of a zone that only a device has which sets its clock by itself."""

COLUMNS = (
    "library__time_zone",
    "pk",
    "taken_at_source",
    "camera_make",
    "camera_model",
    "original_name",
    "utc_offset_minutes",
    "time_zone",
    "zone_source",
)
SECONDS = {
    name: Cast(Extract(column, "epoch", tzinfo=UTC), FloatField())
    for name, column in (("wall", "taken_at"), ("gps", "gps_at"), ("file", "file_modified_at"))
}
"""Moments as seconds since 1970: half of all time went into making them of texts."""


class NoSuchProposal(LookupError):
    """The photos or their dates are others than when the proposal was made, or it was made of others."""


def proposals(library: Library) -> list[Proposal]:
    """What is wrong in a library; dates that a person set are left alone. One query."""
    return proposals_by_library([library.pk]).get(library.pk, [])


def proposals_by_library(library_ids: Collection[int]) -> dict[int, list[Proposal]]:
    """What is wrong in each of these libraries, by id. One query."""
    photos = Photo.objects.filter(library__in=library_ids, deleted_at__isnull=True)
    loose = photos.annotate(**SECONDS).exclude(locked_fields__contains=[Photo.Editable.TIME])
    rows = (
        loose.order_by("library_id", "pk")
        .values_list("library_id", *COLUMNS, *SECONDS)
        .iterator(chunk_size=5000)
    )
    return {library_id: find(map(as_shot, group)) for library_id, group in groupby(rows, itemgetter(0))}


def as_shot(row: tuple[Any, ...]) -> Shot:
    """A row of a library's id, COLUMNS and SECONDS as the finder wants it."""
    _, library_zone, pk, source, make, model, name, offset, zone, zone_source, wall, gps, file = row
    return Shot(
        pk=pk,
        wall=moment(wall).replace(tzinfo=None),
        source=source,
        device=device_name(make, model),
        name=name,
        gps_at=None if gps is None else moment(gps),
        offset_minutes=offset,
        zone=zone,
        home_zone=library_zone or settings.TIME_ZONE,
        file_at=None if file is None else moment(file),
        is_trusted=zone_source in BY_ITSELF and offset is not None,
    )


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def apply(*, library: Library, key: str, actor: Any) -> PhotoEdit:
    """Carry out the proposal with this key as one edit, to be undone by `editing.undo`.

    Raises NoSuchProposal when it does not hold any more.
    """
    for proposal in proposals(library):
        if proposal.key == key:
            return carry_out(library=library, proposal=proposal, actor=actor)
    raise NoSuchProposal(key)


def carry_out(*, library: Library, proposal: Proposal, actor: Any) -> PhotoEdit:
    """Set the times of a proposal and lock them."""
    moves = {move.pk: move for move in proposal.moves}

    def alter(photo: Photo) -> None:
        move = moves[photo.pk]
        if photo.wall_clock == move.before:  # not corrected meanwhile
            set_time(photo, WallClock(move.after))

    edit = change(
        photos=Photo.objects.filter(pk__in=moves),
        library=library,
        actor=actor,
        fields=["time"],
        alter=alter,
        summary=f"{len(moves)} dates: {proposal.reason}"[:300],
    )
    if edit is None:
        raise NoSuchProposal(proposal.key)
    return edit
