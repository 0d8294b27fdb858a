"""Where the photos of somebody were taken, by names: what search understands and the page of places shows."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Q, Value
from django.db.models.functions import Lower

from photos.models import Photo

NAME_COLUMNS = ("city", "region", "country")
MOST_WORDS = 4  # of a name that is looked for in a query


@dataclass(frozen=True)
class CityCount:
    """A city, or what is outside of any ("" then), with how many photos and one of them to show."""

    city: str
    region: str
    count: int
    cover_id: int | None


@dataclass(frozen=True)
class Country:
    code: str
    name: str
    cities: list[CityCount]

    @property
    def count(self) -> int:
        return sum(city.count for city in self.cities)


def place_names_in(user: Any, text: str) -> list[str]:
    """Names in `text` of cities, regions and countries of which `user` has photos, in lower case.

    One query that looks up the words of the text and not the places of the library, of which there are more.
    """
    words = text.replace(",", " ").casefold().split()
    runs = {
        " ".join(words[start : start + length])
        for length in range(1, MOST_WORDS + 1)
        for start in range(len(words) - length + 1)
    }
    if not runs:
        return []
    photos = Photo.objects.visible_to(user).order_by()
    found = [
        photos.exclude(**{column: ""})
        .annotate(folded=Lower(column))
        .filter(folded__in=runs)
        .values_list("folded", flat=True)
        for column in NAME_COLUMNS
    ]
    return sorted(found[0].union(*found[1:]))


def taken_in(photos: Any, name: str) -> Any:
    """Of these photos those taken in a city, region or country of this name, in any case."""
    fits = Q()
    for column in NAME_COLUMNS:
        fits |= Q(**{f"folded_{column}": Lower(Value(name))}) & ~Q(**{column: ""})
    return photos.alias(**{f"folded_{column}": Lower(column) for column in NAME_COLUMNS}).filter(fits)


def countries(photos: Any) -> list[Country]:
    """The countries of these photos with their cities, most photos first."""
    rows = (
        photos.exclude(country_code="")
        .order_by()
        .values("country_code", "country", "region", "city")
        .annotate(count=Count("pk"), cover=Max("pk", filter=Q(has_renditions=True)))
    )
    by_code: dict[str, list[CityCount]] = {}
    names: dict[str, str] = {}
    for row in rows.order_by("-count", "city"):
        code = row["country_code"]
        names.setdefault(code, row["country"] or code)
        by_code.setdefault(code, []).append(CityCount(row["city"], row["region"], row["count"], row["cover"]))
    found = [Country(code, names[code], cities) for code, cities in by_code.items()]
    return sorted(found, key=lambda country: (-country.count, country.name))
