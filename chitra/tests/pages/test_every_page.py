"""What holds of all pages: no errors, nothing wider than the screen, and the way in."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from chitra.accounts.models import User
from chitra.tests.pages.conftest import DESK, PHONE, Tab
from chitra.tests.small_world import World
from photos.tests.pictures import jpeg

TabOf = Callable[..., Tab]
PATHS = (
    *("/", "/favorites", "/places", "/places/map", "/archive", "/trash", "/albums", "/upload", "/jobs"),
    *("/people", "/people/review", "/people/unassigned", "/people/journal", "/people/recluster"),
    *("/search", "/search?q=sea", "/dates", "/duplicates", "/folders", "/imports", "/settings", "/admin/"),
    *("/photos/{photo_id}", "/people/{person_id}", "/people/{person_id}/faces", "/albums/{album_id}"),
)


def test_every_page_is_without_errors_and_fits_the_screen(alice: User, media: Path, tab_of: TabOf) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True, is_superuser=True)
    world = World(alice)
    world.grow(3)
    alice.refresh_from_db()
    for size in (DESK, PHONE):
        tab = tab_of(alice, size)
        for path in PATHS:
            page = tab.open(path.format(**world.ids))
            page.wait_for_timeout(200)  # for what is loaded after it
            assert overflow(page) <= 0, f"{path} is wider than {size[0]} pixels"


def test_the_pages_of_the_api_find_nothing_to_remark_in_its_description(tab_of: TabOf) -> None:
    tab = tab_of(None)
    said: list[str] = []
    tab.page.on("console", lambda message: said.append(message.text))
    tab.open("/docs").get_by_text("/api/photos/bulk").first.wait_for()
    tab.open("/redoc").get_by_text("/api/photos/bulk").first.wait_for(state="attached")
    assert said == []


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_the_first_account_is_made_and_a_photo_uploaded(
    transactional_db: None, tmp_path: Path, tab_of: TabOf
) -> None:
    (tmp_path / "one.jpg").write_bytes(jpeg(64, 48, seed=5))
    (tmp_path / "notes.jpg").write_text("no picture")
    tab = tab_of(None)
    tab.expected = {415}
    page = tab.open("/")
    page.get_by_label("E-mail address").fill("alice@example.org")
    for field in page.locator("input[type=password]").all():
        field.fill("long enough for anyone")
    page.get_by_role("button", name="Create account").click()
    page.get_by_role("link", name="Upload photos").click()
    page.locator("input[type=file]").first.set_input_files([tmp_path / "one.jpg", tmp_path / "notes.jpg"])
    expect(page.locator("#upload-summary")).to_contain_text("1 saved · 1 not taken")
    expect(page.locator("#upload-refused")).to_contain_text("notes.jpg")
    page.get_by_role("link", name="See them in the timeline").click()
    expect(page.locator(".tile")).to_have_count(1)
    page.get_by_label("Account").click()
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("E-mail address").fill("alice@example.org")
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("form")).to_contain_text("do not belong together")
    page.get_by_label("Password").fill("long enough for anyone")
    page.get_by_role("button", name="Log in").click()
    expect(page.locator(".tile")).to_have_count(1)
