"""A browser, a web server, and somebody who is logged in. (Read before there are settings: late imports.)"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from chitra.tests.fixtures import store_in
from chitra.tests.pages import chromium
from chitra.tests.web import WebProcess

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page
    from pytest_django import Settings

    from chitra.accounts.models import User
    from photos.models import Photo

DESK = (1280, 800)
PHONE = (390, 844)
PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[WebProcess]:
    """One for the tests of a module: it takes longer to start than they take."""
    from chitra.tests.processes import database_url

    folder = tmp_path_factory.mktemp("server")
    process = WebProcess(folder, CHITRA_DATA_DIR=str(folder), CHITRA_DATABASE_URL=database_url())
    process.start()
    yield process
    process.kill()


@pytest.fixture
def media(server: WebProcess, settings: Settings) -> Path:
    """The server's files."""
    store_in(folder := server.log.parent / "media", settings)
    return folder


@pytest.fixture
def web(server: WebProcess, transactional_db: None) -> WebProcess:
    """The server, with an empty database."""
    return server


@pytest.fixture
def add_ready(add_photo: Callable[..., Photo]) -> Callable[..., Photo]:
    """As `add_photo`, with its renditions made."""
    from photos.steps import make_renditions

    def add(*args: object, **options: object) -> Photo:
        photo = add_photo(*args, **options)
        make_renditions([photo.pk])
        photo.refresh_from_db()
        return photo

    return add


class Tab:
    """A tab of somebody's browser; what goes wrong in it is collected."""

    def __init__(self, page: Page, web: WebProcess) -> None:
        self.page = page
        self.web = web
        self.problems: list[str] = []
        self.expected: set[int] = set()  # HTTP statuses that are no surprise
        page.on("pageerror", lambda error: self.problems.append(f"{page.url}: {error}"))
        page.on("console", lambda said: self.note(said.type, said.text))
        page.on("response", lambda answer: self.note_answer(answer.status, answer.url))

    def note(self, kind: str, text: str) -> None:
        """An error of a script, something that the security policy forbids."""
        if kind == "error" and not text.startswith("Failed to load resource"):  # `note_answer` says which
            self.problems.append(f"{self.page.url}: {text}")

    def note_answer(self, status: int, url: str) -> None:
        """A request that failed."""
        if status >= 400 and status not in self.expected:
            self.problems.append(f"{self.page.url}: {status} {url}")

    def open(self, path: str) -> Page:
        """The page at a path of the server."""
        self.page.goto(f"{self.web.url}{path}")
        return self.page


@pytest.fixture
def tab_of(web: WebProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Tab]]:
    """Opens a tab: `tab_of(user)`, or `tab_of(None)` for who is not logged in. None may report an error.

    Set up the database before: while a browser is open, this thread counts as that of an event loop.
    """
    from django.db import connections
    from playwright.sync_api import expect

    tabs: list[Tab] = []
    expect.set_options(timeout=PATIENCE_MS)
    with running_chromium() as browser:
        monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

        def open_tab(user: User | None, size: tuple[int, int] = DESK) -> Tab:
            width, height = size
            context = browser.new_context(viewport={"width": width, "height": height})
            context.set_default_timeout(PATIENCE_MS)
            if user is not None:
                log_in(context, user, web)
            tab = Tab(context.new_page(), web)
            tabs.append(tab)
            return tab

        yield open_tab
        connections.close_all()  # those of the event loop are others than this thread's
    problems = "\n".join(sorted({problem for tab in tabs for problem in tab.problems}))
    assert not problems, problems


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """The test is skipped where there is none, but not in CI."""
    from playwright.sync_api import sync_playwright

    try:
        program = chromium.find_chromium()
    except chromium.NoBrowser as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no browser: {error}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program.path,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
            env={**program.environment, "HOME": "/tmp"},
        )
        yield browser
        browser.close()


def log_in(context: BrowserContext, user: User, web: WebProcess) -> None:
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": web.url}])
