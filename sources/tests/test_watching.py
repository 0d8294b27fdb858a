"""Watched folders: a change starts a scan."""

from pathlib import Path
from threading import Event, Timer
from typing import Any

from photos.models import Library
from sources.models import Folder
from sources.tests.trees import put_picture
from sources.watching import can_be_watched, touched


def test_a_change_names_its_folder(library: Library, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one = Folder.objects.create(library=library, path=str(tmp_path / "one"), is_watched=True)
    two = Folder.objects.create(library=library, path=str(tmp_path / "two"), is_watched=True)
    timer = Timer(0.5, put_picture, [tmp_path / "two" / "new" / "a.jpg"])
    timer.start()
    assert touched({str(folder.root): folder for folder in (one, two)}, Event()) == [two]
    timer.join()


def test_a_folder_that_is_not_there_says_so(library: Library, tmp_path: Path, settings: Any) -> None:
    folder = Folder.objects.create(library=library, path=str(tmp_path / "gone"), is_watched=True)
    assert not can_be_watched(folder)
    folder.refresh_from_db()
    assert "is not there" in folder.watch_problem
