"""The page that uploads: what is told of each file, and large ones that take several tries."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, Route, expect

from chitra.accounts.models import User
from chitra.tests.pages.conftest import Tab
from chitra.tests.web import WebProcess
from photos.models import Photo
from photos.storages import originals
from photos.tests.pictures import jpeg

TabOf = Callable[..., Tab]
LARGE_BYTES = 16_000_000
SLOW_BYTES = 4_000_000  # a second


def test_each_file_is_told_what_became_of_it(alice: User, media: Path, tmp_path: Path, tab_of: TabOf) -> None:
    (tmp_path / "one.jpg").write_bytes(jpeg(64, 48, seed=1))
    (tmp_path / "copy of one.jpg").write_bytes(jpeg(64, 48, seed=1))
    (tmp_path / "two.jpg").write_bytes(jpeg(64, 48, seed=2))
    (tmp_path / "notes.jpg").write_text("no picture")
    (tmp_path / "Thumbs.db").write_bytes(b"of a system")
    tab = tab_of(alice)
    tab.expected = {415}
    page = tab.open("/upload")
    page.locator("input[type=file]").first.set_input_files([tmp_path / "one.jpg"])
    expect(page.locator("#upload-summary")).to_have_text("1 saved")
    page.locator("input[type=file]").last.set_input_files(tmp_path)
    summary = "2 saved · 2 already there · 1 not taken · 1 hidden file left out"
    expect(page.locator("#upload-summary")).to_have_text(summary)
    expect(page.locator("#upload-refused li")).to_contain_text("notes.jpg")
    expect(page.locator("#upload-duplicates li")).to_have_count(2)
    assert Photo.objects.count() == 2


def test_files_chosen_before_the_script_is_there_go_up_too(
    alice: User, media: Path, tmp_path: Path, web: WebProcess, tab_of: TabOf
) -> None:
    (tmp_path / "one.jpg").write_bytes(jpeg(64, 48, seed=1))
    page = tab_of(alice).page
    held: list[Route] = []
    page.route("**/upload*.js", lambda route: held.append(route))
    page.goto(f"{web.url}/upload", wait_until="commit")
    page.locator("input[type=file]").first.set_input_files(tmp_path / "one.jpg")
    assert held
    held[0].continue_()
    expect(page.locator("#upload-summary")).to_have_text("1 saved")


def test_a_large_file_goes_on_where_it_was_when_the_server_died(
    alice: User, media: Path, tmp_path: Path, web: WebProcess, tab_of: TabOf
) -> None:
    data = jpeg(64, 48) + bytes(range(256)) * (LARGE_BYTES // 256)
    (tmp_path / "large.jpg").write_bytes(data)
    tab = tab_of(alice)
    page = tab.open("/upload")
    methods: list[str] = []
    page.on("request", lambda request: methods.append(request.method))
    connect(page, SLOW_BYTES)
    page.locator("input[type=file]").first.set_input_files(tmp_path / "large.jpg")
    expect(page.locator(".upload-state")).to_contain_text("%")
    page.wait_for_timeout(1500)
    web.kill()
    web.start()
    connect(page, -1)
    expect(page.locator("#upload-summary")).to_have_text("1 saved", timeout=60_000)
    assert "HEAD" in methods  # it asked how much had come
    photo = Photo.objects.get()
    with originals().open(photo.original_key) as file:
        assert file.read() == data
    tab.problems.clear()  # the page says that live updates are off


def connect(page: Page, upload_bytes: int) -> None:
    """A connection that sends so many bytes a second; -1 for all it can."""
    throughput = {"downloadThroughput": -1, "uploadThroughput": upload_bytes, "latency": 0, "offline": False}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", throughput)
