"""The page of the map, the photos of a part of it, and the files that it brings along."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse

from photos.models import Photo
from photos.timeline import PAGE_SIZE

Rows = Callable[[int], list[int]]
VENDOR = Path(django_settings.BASE_DIR) / "static" / "vendor"
ITALY = "6,36,19,47"


@pytest.fixture
def page(client: Client, alice: Any) -> Callable[..., str]:
    """A page as Alice gets it."""
    client.force_login(alice)

    def get(url: str, **options: Any) -> str:
        answer = client.get(url, **options)
        assert answer.status_code == 200
        return answer.content.decode()

    return get


def place(ids: list[int], latitude: float, longitude: float) -> None:
    Photo.objects.filter(pk__in=ids).update(latitude=latitude, longitude=longitude)


def test_list_and_map_lead_to_each_other(page: Callable[..., str]) -> None:
    assert f'href="{reverse("map")}"' in page(reverse("places"))
    assert f'href="{reverse("places")}"' in page(reverse("map"))


def test_only_the_map_loads_what_draws_it(page: Callable[..., str]) -> None:
    assert "leaflet" in page(reverse("map"))
    assert "leaflet" not in page(reverse("places"))
    assert "leaflet" not in page(reverse("timeline"))


def test_the_map_names_no_other_host_unless_the_settings_do(page: Callable[..., str], settings: Any) -> None:
    assert 'data-tiles=""' in page(reverse("map"))
    settings.MAP_TILES = "https://tiles.example.org/{z}/{x}/{y}.png?key=1&style=2"
    settings.MAP_ATTRIBUTION = '© "somebody"'
    shown = page(reverse("map"))
    assert 'data-tiles="https://tiles.example.org/{z}/{x}/{y}.png?key=1&amp;style=2"' in shown
    assert 'data-attribution="© &quot;somebody&quot;"' in shown


def test_the_photos_of_a_part_of_the_map(page: Callable[..., str], photo_rows: Rows) -> None:
    arezzo, rome, paris, archived, trashed = photo_rows(5)
    place([arezzo, archived, trashed], 43.46, 11.88)
    place([rome], 41.9, 12.5)
    place([paris], 48.85, 2.35)
    Photo.objects.filter(pk=archived).update(is_archived=True)
    Photo.objects.filter(pk=trashed).move_to_trash()
    shown = page(f"{reverse('map-photos')}?bbox={ITALY}")
    assert shown.count('class="tile"') == 3
    assert "3 photos" in shown
    assert f'id="photo-{paris}"' not in shown


def test_further_photos_are_of_the_same_part(page: Callable[..., str], photo_rows: Rows) -> None:
    inside = photo_rows(PAGE_SIZE + 1)
    place(inside, 43.46, 11.88)
    place(photo_rows(2), 48.85, 2.35)
    url = f"{reverse('map-photos')}?bbox={ITALY.replace(',', '%2C')}"
    more = page(url).partition('class="more" hx-get="')[2].partition('"')[0].replace("&amp;", "&")
    assert more.startswith(f"{url}&before=")
    assert page(more, headers={"hx-request": "true"}).count('class="tile"') == 1


def test_somebody_elses_photos_are_not_there(
    client: Client, charlie: Any, photo_rows: Rows, share_with: Any, bob: Any
) -> None:
    place(photo_rows(2), 43.46, 11.88)
    share_with(bob, "viewer")
    for user, count in ((bob, 2), (charlie, 0)):
        client.force_login(user)
        shown = client.get(f"{reverse('map-photos')}?bbox={ITALY}").content.decode()
        assert shown.count('class="tile"') == count


@pytest.mark.parametrize("bbox", ["", "x", "1,2,3", "6,47,19,36", "0,0,0,NaN"])
def test_no_part_of_the_map_is_no_page(client: Client, alice: Any, bbox: str) -> None:
    client.force_login(alice)
    assert client.get(f"{reverse('map-photos')}?bbox={bbox}").status_code == 404
    assert 'data-bbox=""' in client.get(f"{reverse('map')}?bbox={bbox}").content.decode()


@pytest.mark.parametrize("name", ["map", "map-photos"])
def test_strangers_are_sent_to_log_in(client: Client, db: None, name: str) -> None:
    answer = client.get(reverse(name))
    assert (answer.status_code, answer.url.partition("?")[0]) == (302, reverse("login"))  # type: ignore[attr-defined]


def test_the_compressed_world_is_the_world() -> None:
    world = (VENDOR / "world-atlas" / "countries-50m.json").read_bytes()
    compressed = (VENDOR / "world-atlas" / "countries-50m.json.gz").read_bytes()
    assert gzip.decompress(compressed) == world
    assert set(json.loads(world)["objects"]) == {"land", "countries"}
    assert len(compressed) < 300_000


def test_what_comes_from_others_brings_its_licence() -> None:
    for folder in VENDOR.iterdir():
        assert list(folder.glob("LICENSE*")), folder
