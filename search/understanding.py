"""A query as page and API read it: people, places, times and kinds narrow, the words that are left rank."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from django.db.models.functions import ExtractDay, ExtractMonth
from django.utils import timezone

from faces.models import Face, Person
from photos.filters import PhotoFilter
from photos.locations import place_names_in, taken_in
from photos.models import Photo
from search.dates import Period, find_period
from search.query import find_kinds, trim_fillers, understand


@dataclass(frozen=True)
class Asked:
    """What a request looks for, and the photos that are in question at all."""

    query: str
    words: str
    photos: Any
    people: list[Person] = field(default_factory=list)
    places: tuple[str, ...] = ()
    period: Period | None = None
    kinds: frozenset[str] = frozenset()
    is_filtered: bool = False

    @property
    def is_narrowed(self) -> bool:
        """Whether something leaves only some photos in question."""
        return self.is_filtered or bool(self.people or self.places or self.period or self.kinds)

    def within(self, wanted: PhotoFilter) -> "Asked":
        """The same among the photos that fit a filter."""
        return replace(self, photos=wanted.apply(self.photos), is_filtered=True)


def read_query(user: Any, query: str, *, people: Any = ()) -> Asked:
    """Understand the query with the names of people and places that the user may see.

    `people` are asked for beside those whose names are in the query.
    """
    query = " ".join(query.replace("\0", " ").split())
    visible = Person.objects.visible_to(user)
    kinds, rest = find_kinds(query)
    by_name = people_by_name(visible)
    parsed = understand(rest, by_name)
    period, rest = find_period(parsed.words, today=timezone.localdate())
    located = understand(rest, place_names_in(user, rest))
    ids = {pk for name in parsed.names for pk in by_name[name]}
    named = [*visible.filter(pk__in=ids).with_cover_faces()] if ids else []
    photos = Photo.objects.visible_to(user)
    for name in parsed.names:
        photos = showing(photos, by_name[name])
    for person in people:
        photos = showing(photos, [person.pk])
    for name in located.names:
        photos = taken_in(photos, name)
    asked = Asked(
        query,
        located.words,
        of_kinds(taken_during(photos, period), kinds),
        [*named, *people],
        located.names,
        period,
        kinds,
    )
    return replace(asked, words=trim_fillers(asked.words.split())) if asked.is_narrowed else asked


def people_by_name(people: Any) -> dict[str, list[int]]:
    """Ids of people by each of their names, in any case; two people may share one."""
    found: dict[str, list[int]] = {}
    for pk, name, aliases in people.exclude(name="", aliases=[]).values_list("pk", "name", "aliases"):
        for one in {name.casefold(), *(alias.casefold() for alias in aliases)} - {""}:
            found.setdefault(one, []).append(pk)
    return found


def showing(photos: Any, person_ids: list[int]) -> Any:
    """Those with a face of one of these people."""
    faces = Face.objects.filter(person__in=person_ids, is_dismissed=False)
    return photos.filter(pk__in=faces.values("photo_id"))


def taken_during(photos: Any, period: Period | None) -> Any:
    """Those taken then, by the wall clock of the place."""
    if period is None:
        return photos
    if period.start is not None:
        photos = photos.filter(taken_at__gte=as_wall_clock(period.start))
    if period.end is not None:
        photos = photos.filter(taken_at__lt=as_wall_clock(period.end))
    if period.month is not None:
        photos = photos.alias(month=ExtractMonth("taken_at", tzinfo=UTC)).filter(month=period.month)
    if period.day is not None:
        photos = photos.alias(day=ExtractDay("taken_at", tzinfo=UTC)).filter(day=period.day)
    return photos


def as_wall_clock(day: date) -> datetime:
    """The beginning of a day as `taken_at` writes wall clocks."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def of_kinds(photos: Any, kinds: frozenset[str]) -> Any:
    if "video" in kinds:
        photos = photos.filter(media_type=Photo.MediaType.VIDEO)
    if "favorite" in kinds:
        photos = photos.filter(is_favorite=True)
    return photos
