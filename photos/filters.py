"""Which photos: one description for lists, search, bulk actions and downloads alike."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce

from photos.models import AlbumPhoto, Photo, PhotoStep, Tag

# PostgreSQL makes a join of each EXISTS, and plans forty of them for seconds. Those behind the first few are
# hidden from it: they are looked up for each photo that is left.
MOST_JOINS = 4


@dataclass(frozen=True)
class Box:
    """A part of the map in degrees; one with `west` beyond `east` lies across the date line."""

    south: float
    west: float
    north: float
    east: float

    def condition(self) -> Q:
        inside = Q(latitude__gte=self.south, latitude__lte=self.north)
        if self.west <= self.east:
            return inside & Q(longitude__gte=self.west, longitude__lte=self.east)
        return inside & (Q(longitude__gte=self.west) | Q(longitude__lte=self.east))

    def parts(self) -> list["Box"]:
        """Itself, or what it has on each side of the date line."""
        return [self] if self.west <= self.east else [replace(self, east=180), replace(self, west=-180)]


@dataclass(frozen=True)
class PhotoFilter:
    """What a photo must be. None and () ask for nothing; all that is asked for must hold.

    `taken_from` is inclusive, `taken_before` exclusive, both by the wall clock of the place. A photo must
    show all of `people` and carry all of `tags`. `mime_type` is a whole type or its first part ("image"),
    `country` a name or a code of two letters. It lies
    in all of `boxes`. With `is_stacked`, of each stack only the photo that stands for it.
    """

    taken_from: datetime | None = None
    taken_before: datetime | None = None
    people: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    album: int | None = None
    library: int | None = None
    boxes: tuple[Box, ...] = ()
    city: str = ""
    country: str = ""
    camera: str = ""
    mime_type: str = ""
    min_rating: int | None = None
    is_favorite: bool | None = None
    is_archived: bool | None = None
    has_place: bool | None = None
    step: str = ""
    step_status: str = ""
    is_stacked: bool = False

    def apply(self, photos: Any) -> Any:
        """Those of `photos` that fit. Who may see them is the business of `photos`."""
        conditions = [
            *self.facts(),
            *self.marks(),
            *self.relations(),
            *(box.condition() for box in self.boxes),
        ]
        chosen = photos.filter(*conditions) if conditions else photos
        return chosen.one_of_each_stack() if self.is_stacked else chosen

    def facts(self) -> list[Q]:
        """Conditions on what was read from the file."""
        found = []
        if self.taken_from is not None:
            found.append(Q(taken_at__gte=self.taken_from))
        if self.taken_before is not None:
            found.append(Q(taken_at__lt=self.taken_before))
        if self.city:
            found.append(Q(city__iexact=self.city))
        if self.country:
            found.append(Q(country__iexact=self.country) | Q(country_code=self.country.upper()))
        if self.camera:
            found.append(Q(camera_model__iexact=self.camera) | Q(camera_make__iexact=self.camera))
        if "/" in self.mime_type:
            found.append(Q(mime_type=self.mime_type))
        elif self.mime_type:
            found.append(Q(mime_type__startswith=f"{self.mime_type}/"))
        if self.has_place is not None:
            located = Q(latitude__isnull=False, longitude__isnull=False)
            found.append(located if self.has_place else ~located)
        return found

    def marks(self) -> list[Q]:
        """Conditions on what people said about the photo, and on where it belongs."""
        found = []
        if self.library is not None:
            found.append(Q(library_id=self.library))
        if self.min_rating is not None:
            found.append(Q(rating__gte=self.min_rating))
        if self.is_favorite is not None:
            found.append(Q(is_favorite=self.is_favorite))
        if self.is_archived is not None:
            found.append(Q(is_archived=self.is_archived))
        return found

    def relations(self) -> list[Any]:
        """Conditions on rows of other tables, each as EXISTS, so that no photo comes twice."""
        of_photo = {"photo": OuterRef("pk")}
        found: list[Any] = [Exists(faces_of(person)) for person in dict.fromkeys(self.people)]
        found += [
            Exists(Tag.objects.filter(name__iexact=name, **of_photo)) for name in dict.fromkeys(self.tags)
        ]
        if self.album is not None:
            found.append(Exists(AlbumPhoto.objects.filter(album_id=self.album, **of_photo)))
        if self.step or self.step_status:
            rows = PhotoStep.objects.filter(**of_photo)
            rows = rows.filter(step=self.step) if self.step else rows
            found.append(Exists(rows.filter(status=self.step_status) if self.step_status else rows))
        return [*found[:MOST_JOINS], *(Coalesce(row, False) for row in found[MOST_JOINS:])]


def faces_of(person_id: int) -> Any:
    """The photo of the outer query, if a face on it is this person's; faces live above this app."""
    same = Photo.objects.filter(pk=OuterRef("pk"))
    return same.filter(faces__person_id=person_id, faces__is_dismissed=False)
