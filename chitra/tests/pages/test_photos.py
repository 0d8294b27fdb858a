"""The grid of photos, and a photo over it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from chitra.accounts.models import ApiKey, User
from chitra.client.transport import Transport
from chitra.tests.pages.conftest import Tab
from chitra.tests.web import WebProcess
from photos.models import Album, Photo
from photos.tests.pictures import jpeg

TabOf = Callable[..., Tab]


@pytest.fixture
def photos(add_ready: Callable[..., Photo]) -> list[Photo]:
    """Four, the newest first."""
    return [add_ready(seed=seed, name=f"{seed}.jpg") for seed in range(4)][::-1]


def is_open(page: Page, photo: Photo) -> None:
    expect(page.locator(".photo-view")).to_have_attribute("data-photo", str(photo.pk))
    expect(page).to_have_url(f"{origin(page)}/photos/{photo.pk}")


def origin(page: Page) -> str:
    return str(page.evaluate("location.origin"))


def test_a_photo_opens_over_the_grid_and_keys_lead_on_and_back(
    alice: User, photos: list[Photo], tab_of: TabOf
) -> None:
    page = tab_of(alice).open("/")
    page.locator(".tile").first.click()
    is_open(page, photos[0])
    page.keyboard.press("ArrowRight")
    is_open(page, photos[1])
    page.keyboard.press("f")
    expect(page.locator("[data-favorite][aria-pressed=true]")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    is_open(page, photos[0])
    page.keyboard.press("Escape")
    expect(page.locator(".viewer")).to_have_count(0)
    expect(page).to_have_url(f"{origin(page)}/")
    expect(page.locator(f"#photo-{photos[0].pk} a")).to_be_focused()
    assert Photo.objects.get(pk=photos[1].pk).is_favorite


def test_the_back_button_closes_a_photo_and_a_reload_shows_it(
    alice: User, photos: list[Photo], tab_of: TabOf
) -> None:
    page = tab_of(alice).open("/")
    page.locator(".tile").first.click()
    is_open(page, photos[0])
    page.reload()
    is_open(page, photos[0])
    expect(page.locator(".viewer")).to_have_count(0)
    page.go_back()
    expect(page.locator(".tile")).to_have_count(4)


def test_what_is_thrown_away_can_be_brought_back_at_once(
    alice: User, photos: list[Photo], tab_of: TabOf
) -> None:
    page = tab_of(alice).open("/")
    page.locator(".tile").first.click()
    is_open(page, photos[0])
    page.keyboard.press("Delete")
    is_open(page, photos[1])
    assert Photo.objects.get(pk=photos[0].pk).deleted_at
    page.locator(".toast button", has_text="Undo").click()
    expect(page.locator(".toast", has_text="brought back")).to_be_visible()
    assert Photo.objects.get(pk=photos[0].pk).deleted_at is None
    page.keyboard.press("Escape")
    expect(page.locator(".tile:visible")).to_have_count(4)


def test_a_row_is_ticked_with_shift_and_put_into_a_new_album(
    alice: User, photos: list[Photo], tab_of: TabOf
) -> None:
    page = tab_of(alice).open("/")
    tick(page, photos[0])
    page.locator(f"#photo-{photos[2].pk} .choose").click(modifiers=["Shift"])
    expect(page.locator("#chosen [data-count]")).to_have_text("3 photos")
    page.locator("#chosen button[title='Add to an album']").click()
    page.get_by_label("Name of a new album").fill("Summer")
    page.keyboard.press("Enter")
    expect(page.locator("#chosen")).to_be_hidden()
    album = Album.objects.get(name="Summer")
    assert set(album.photos.values_list("pk", flat=True)) == {photo.pk for photo in photos[:3]}


def test_escape_gives_up_what_is_ticked(alice: User, photos: list[Photo], tab_of: TabOf) -> None:
    page = tab_of(alice).open("/")
    tick(page, photos[0])
    page.keyboard.press("Control+a")
    expect(page.locator("#chosen [data-count]")).to_have_text("4 photos")
    page.keyboard.press("Escape")
    expect(page.locator("#chosen")).to_be_hidden()
    expect(page.locator(".choose:checked")).to_have_count(0)


def tick(page: Page, photo: Photo) -> None:
    page.locator(f"#photo-{photo.pk}").hover()
    page.locator(f"#photo-{photo.pk} .choose").click()


def test_a_photo_that_arrives_shows_itself(
    alice: User, photos: list[Photo], web: WebProcess, tab_of: TabOf
) -> None:
    key = ApiKey.issue(alice, "phone")[1]
    page = tab_of(alice).open("/")
    expect(page.locator(".tile")).to_have_count(4)
    boundary = "frontier"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="new.jpg"\r\n\r\n'
    body = head.encode() + jpeg(64, 48, seed=77) + f"\r\n--{boundary}--\r\n".encode()
    headers = {"x-api-key": key, "Content-Type": f"multipart/form-data; boundary={boundary}"}
    assert Transport(web.url).send("POST", "/api/photos/upload", body, headers).status in (200, 201)
    expect(page.locator(".tile")).to_have_count(5)
    expect(page.locator(".tile").first).to_contain_text("new.jpg")


def test_scrolling_brings_older_photos_and_a_month_is_jumped_to(
    alice: User, photo_rows: Callable[[int], list[int]], media: Path, tab_of: TabOf
) -> None:
    ids = photo_rows(600)
    start = datetime(2024, 12, 31, tzinfo=UTC)
    rows = [Photo(pk=pk, taken_at=start - timedelta(days=day)) for day, pk in enumerate(ids)]
    Photo.objects.bulk_update(rows, ["taken_at"])
    page = tab_of(alice).open("/")
    first = page.locator(".tile").count()
    assert first < 600
    page.locator(".tile").last.scroll_into_view_if_needed()
    expect(page.locator(f"#photo-{ids[first]}")).to_be_attached()
    page.get_by_label("Jump to a month").select_option(label="June 2023 (30)")
    expect(page.locator("[data-day='2023-06-30']")).to_be_in_viewport()
    expect(page.get_by_role("link", name="Newest photos")).to_be_visible()
