"""Scans that hold back: disks that are not there, dry runs, and photos that somebody deleted."""

import os
from pathlib import Path

import pytest

from chitra.sources.models import Folder
from chitra.sources.scanning import Scan, ScanRefused
from chitra.sources.tests.scans import photo_at, scan
from chitra.sources.tests.trees import put_picture
from photos.models import Photo
from photos.trash import purge


def test_an_empty_folder_changes_nothing(folder: Folder, root: Path) -> None:
    put_picture(root / "a.jpg")
    scan(folder)
    (root / "a.jpg").unlink()
    with pytest.raises(ScanRefused, match="is empty, but 1 files were in it"):
        scan(folder)
    assert not Photo.objects.filter(missing_since__isnull=False).exists()


def test_a_missing_marker_stops_the_scan(folder: Folder, root: Path) -> None:
    Folder.objects.update(marker=".mounted")
    put_picture(root / "a.jpg")
    with pytest.raises(ScanRefused, match=r"\.mounted is not in the folder"):
        scan(folder)
    (root / ".mounted").touch()
    assert scan(folder) == {"added": 1}


def test_another_disk_without_the_files_needs_a_word(folder: Folder, root: Path) -> None:
    put_picture(root / "a.jpg", 1)
    put_picture(root / "b.jpg", 2)
    scan(folder)
    Folder.objects.update(device=1)
    (root / "a.jpg").unlink()
    with pytest.raises(ScanRefused, match="another disk"):
        scan(folder)
    assert scan(folder, is_right_disk=True) == {"missing": 1, "unchanged": 1}


def test_a_dry_run_changes_nothing(folder: Folder, root: Path) -> None:
    put_picture(root / "a.jpg")
    report = Scan(folder).run(dry_run=True)
    assert report.counts["found"] == 1
    assert not Photo.objects.exists()


def test_a_photo_deleted_for_good_stays_away_and_its_file_stays(folder: Folder, root: Path) -> None:
    put_picture(root / "a.jpg")
    scan(folder)
    purge(photo_at(root, "a.jpg"))
    assert (root / "a.jpg").exists()
    os.utime(root / "a.jpg", (1, 1))
    assert scan(folder) == {"touched": 1}
    (root / "a.jpg").rename(root / "b.jpg")
    scan(folder)
    assert not Photo.objects.exists()


def test_a_photo_in_the_trash_stays_there(folder: Folder, root: Path) -> None:
    put_picture(root / "a.jpg")
    scan(folder)
    Photo.objects.all().move_to_trash()
    os.utime(root / "a.jpg", (1, 1))
    put_picture(root / "copy.jpg")
    scan(folder)
    assert Photo.objects.get().deleted_at is not None
