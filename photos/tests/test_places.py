import os
import subprocess
import sys

import pytest

from photos.places import Place, place_at

PARIS = Place("Paris", "Île-de-France", "France", "FR")


@pytest.mark.parametrize(
    ("coordinates", "city", "code"),
    [
        ((48.8584, 2.2945), "Paris", "FR"),
        ((40.6892, -74.0445), "New York City", "US"),
        ((-33.8568, 151.2153), "Sydney", "AU"),
        ((69.649, 18.955), "Tromsø", "NO"),
        ((43.7315, 7.42), "Monaco", "MC"),
        ((-18.14, 178.44), "Suva", "FJ"),
    ],
)
def test_coordinates_have_a_city(coordinates: tuple[float, float], city: str, code: str) -> None:
    place = place_at(*coordinates)
    assert (place.city, place.country_code) == (city, code)


def test_a_place_has_all_its_names() -> None:
    assert place_at(48.8584, 2.2945) == PARIS


@pytest.mark.parametrize("coordinates", [(0.0, -140.0), (-89.9, 0.0), (90.0, 180.0), (-90.0, -180.0)])
def test_the_open_sea_and_the_poles_are_nowhere(coordinates: tuple[float, float]) -> None:
    assert place_at(*coordinates) == Place()


def test_far_from_the_next_town_only_region_and_country_are_told() -> None:
    place = place_at(36.25, -116.82)  # Death Valley
    assert (place.region, place.country_code) != ("", "")


def test_the_pages_and_the_queue_start_without_the_data() -> None:
    code = (
        "import django, sys; django.setup(); import chitra.urls, photos.steps; "
        "import photos.places as p; assert p._gazetteer.cache_info().currsize == 0; "
        "assert 'tzfpy' not in sys.modules and 'scipy' not in sys.modules"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "chitra.settings"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=120)
