"""Watched folders: a change starts a scan."""

import os
from pathlib import Path
from threading import Event, Timer

import pytest

from chitra.sources import watching
from chitra.sources.models import Folder
from chitra.sources.tests.trees import put_picture
from jobs.models import Job
from photos.models import Library


@pytest.fixture(autouse=True)
def one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's transaction is to survive the look for broken connections."""
    monkeypatch.setattr(watching, "close_old_connections", lambda: None)


@pytest.fixture
def folders(library: Library, tmp_path: Path) -> dict[str, Folder]:
    """Two watched folders by where they are."""
    made = {}
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        path = str(tmp_path / name)
        made[path] = Folder.objects.create(library=library, path=path, is_watched=True)
    return made


def follow(folders: dict[str, Folder], monkeypatch: pytest.MonkeyPatch, begin: set[str]) -> list[int]:
    """Ids of the folders that are scanned within some seconds."""
    monkeypatch.setattr(watching, "QUIET_MS", 200)
    monkeypatch.setattr(watching, "LOOK_AGAIN_MS", 500)
    stop = Event()
    timer = Timer(4, stop.set)
    timer.start()
    watching.follow(folders, stop, begin=begin)
    timer.join()
    return [job.arguments["with"]["folder_id"] for job in Job.objects.order_by("created_at")]


def test_a_change_starts_a_scan_of_its_folder(
    folders: dict[str, Folder], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, two = folders
    timer = Timer(1, put_picture, [Path(two) / "new" / "a.jpg"])
    timer.start()
    assert follow(folders, monkeypatch, set()) == [folders[two].pk]
    timer.join()


def test_a_folder_is_scanned_when_its_watching_begins(
    folders: dict[str, Folder], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = folders
    assert follow(folders, monkeypatch, {one}) == [folders[one].pk]


def test_a_change_of_a_file_whose_name_is_no_text_starts_scans_too(
    folders: dict[str, Folder], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = folders
    timer = Timer(1, put_picture, [Path(os.fsdecode(os.fsencode(two) + b"/\xff.jpg"))])
    timer.start()
    monkeypatch.setattr(watching, "QUIET_MS", 200)
    monkeypatch.setattr(watching, "LOOK_AGAIN_MS", 500)
    assert watching.follow(folders, Event(), begin=set()) == {one, two}
    timer.join()


def test_a_change_during_a_scan_is_not_lost(folders: dict[str, Folder]) -> None:
    folder = next(iter(folders.values()))
    assert watching.begin_scan(folder)
    assert not watching.begin_scan(folder)
    Job.objects.update(status="finished")
    assert watching.begin_scan(folder)
    assert Job.objects.count() == 2


def test_a_folder_that_is_not_there_says_so(library: Library, tmp_path: Path) -> None:
    folder = Folder.objects.create(library=library, path=str(tmp_path / "gone"), is_watched=True)
    assert watching.folders_to_watch() == {}
    folder.refresh_from_db()
    assert "is not there" in folder.watch_problem
