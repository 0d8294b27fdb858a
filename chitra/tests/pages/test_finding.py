"""Search with its filters, and the pages that propose something."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import expect

from chitra.accounts.models import User
from chitra.tests.pages.conftest import Tab
from chitra.tests.small_world import World
from photos.models import Photo

TabOf = Callable[..., Tab]


def test_a_search_is_narrowed_and_widened_again(alice: User, media: Path, tab_of: TabOf) -> None:
    world = World(alice)
    world.grow(4)
    Photo.objects.filter(pk=world.ids["photo_id"]).update(is_favorite=True)
    page = tab_of(alice).open("/")
    page.keyboard.press("/")
    page.keyboard.type("sea")
    page.keyboard.press("Enter")
    expect(page.locator(".tile")).to_have_count(5)
    page.locator(".filter-panel summary").click()
    page.get_by_label("Favourites").check()
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".tile")).to_have_count(1)
    page.locator("a.chip.chosen", has_text="take this filter away").first.click()
    expect(page.locator(".tile")).to_have_count(5)


def test_a_wrong_date_is_corrected_and_the_correction_undone(
    alice: User, add_ready: Callable[..., Photo], tab_of: TabOf
) -> None:
    photo = add_ready()
    noon = datetime(2024, 7, 1, 12, tzinfo=UTC)
    Photo.objects.filter(pk=photo.pk).update(
        taken_at=noon,
        taken_at_source="exif_original",
        camera_model="Pinhole 1",
        time_zone="Europe/Paris",
        zone_source="gps",
        gps_at=noon - timedelta(hours=3),
    )
    page = tab_of(alice).open("/dates")
    expect(page.locator(".date-moves")).to_contain_text("1 Jul 2024, 11:00")
    page.get_by_role("button", name="Correct").click()
    expect(page.get_by_role("heading", name="Corrected")).to_be_visible()
    assert Photo.objects.get(pk=photo.pk).taken_at == noon - timedelta(hours=1)
    page.locator(".list").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Correct")).to_be_visible()
    assert Photo.objects.get(pk=photo.pk).taken_at == noon


def test_the_map_comes_apart_and_leads_to_photos_and_back(
    alice: User, add_ready: Callable[..., Photo], tab_of: TabOf
) -> None:
    florence, arezzo = ((43.77, 11.25), (43.46, 11.88))
    for seed, (latitude, longitude) in enumerate((florence, arezzo, arezzo)):
        photo = add_ready(seed=seed)
        Photo.objects.filter(pk=photo.pk).update(latitude=latitude, longitude=longitude)
    page = tab_of(alice).open("/places/map#3/43.00000/11.00000")
    expect(page.locator(".map-count")).to_have_text("3")
    page.locator(".map-cluster").click()
    expect(page.locator(".map-cluster")).to_have_count(2)
    view = page.url
    page.locator(".map-cluster", has_text="2").click()
    expect(page.locator(".tile")).to_have_count(2)
    page.go_back()
    expect(page.locator(".map-cluster")).to_have_count(2)
    assert page.url == view


def test_the_theme_is_kept(alice: User, media: Path, tab_of: TabOf) -> None:
    page = tab_of(alice).open("/settings")
    page.get_by_label("Account").click()
    theme = page.locator("[data-theme-toggle]")
    theme.click()
    theme.click()
    expect(theme).to_have_text("Theme: dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
