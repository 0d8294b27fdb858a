from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from jobs import tasks
from photos.locations import countries, place_names_in, taken_in
from photos.models import Photo
from photos.tests.pictures import jpeg, taken

Rows = Callable[[int], list[int]]
PLACES = [
    ("Paris", "Île-de-France", "France", "FR"),
    ("Paris", "Île-de-France", "France", "FR"),
    ("New York City", "New York", "United States", "US"),
    ("", "Troms", "Norway", "NO"),
    ("", "", "", ""),
]


@pytest.fixture
def placed(photo_rows: Rows) -> list[int]:
    """Photos of Paris (two), New York, the north of Norway and nowhere."""
    ids = photo_rows(len(PLACES))
    for pk, (city, region, country, code) in zip(ids, PLACES, strict=True):
        Photo.objects.filter(pk=pk).update(city=city, region=region, country=country, country_code=code)
    return ids


def test_coordinates_get_their_names_with_the_metadata(add_photo: Callable[..., Photo]) -> None:
    photo = add_photo(jpeg(exif=taken(place=(48.8584, 2.2945))))
    tasks.drain("metadata")
    photo.refresh_from_db()
    assert photo.place_name == "Paris, Île-de-France, France"
    assert photo.country_code == "FR"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a dog in PARIS", ["paris"]),
        ("new york city, united states", ["new york", "new york city", "united states"]),
        ("île-de-france", ["île-de-france"]),
        ("parisian café", []),
        ("berlin", []),
        ("", []),
    ],
)
def test_a_query_names_places_of_the_library(
    placed: list[int], alice: Any, charlie: Any, text: str, names: list[str]
) -> None:
    assert place_names_in(alice, text) == names
    assert place_names_in(charlie, text) == []


def test_photos_are_found_by_city_region_and_country(placed: list[int]) -> None:
    def found(name: str) -> set[int]:
        return set(taken_in(Photo.objects, name).values_list("pk", flat=True))

    assert found("paris") == found("France") == set(placed[:2])
    assert found("new york") == {placed[2]}
    assert found("norway") == {placed[3]}
    assert found("") == set()


def test_countries_are_counted_with_their_cities(placed: list[int], alice: Any) -> None:
    found = countries(Photo.objects.visible_to(alice))
    assert [(country.code, country.count) for country in found] == [("FR", 2), ("NO", 1), ("US", 1)]
    assert [city.city for city in found[0].cities] == ["Paris"]


def test_the_pages_of_places_show_what_one_may_see(
    client: Client, placed: list[int], alice: Any, charlie: Any
) -> None:
    client.force_login(alice)
    page = client.get(reverse("places")).content.decode()
    assert "New York City" in page
    assert "Elsewhere" in page
    for path, count in (("FR", 2), ("FR/Paris", 2), ("NO/-", 1)):
        assert client.get(f"/places/{path}").content.decode().count('class="tile"') == count
    assert client.get("/places/FR/Berlin").status_code == 404
    client.force_login(charlie)
    assert "No places yet" in client.get(reverse("places")).content.decode()
    assert client.get("/places/FR/Paris").status_code == 404
