"""Scans: what is new, changed, moved, missing and back; photos keep their people, tags and albums."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from chitra.sources.models import Folder, FolderFile
from chitra.sources.scanning import LOCK_CLASS, Scan, ScanReport, only_one
from chitra.sources.tests.scans import photo_at, scan
from chitra.sources.tests.trees import fingerprint, put_picture
from faces.journal import PEOPLE_LOCK
from jobs.models import Job
from photos import taking
from photos.file_check import Check, Cursor
from photos.models import Album, AlbumPhoto, Library, Photo, PhotoStep, Tag
from photos.moving import originals_of_all
from photos.steps import make_renditions, read_metadata
from photos.storages import originals, read_bytes
from photos.storages.errors import StorageUnavailable

AddFolder = Callable[..., Folder]


def test_new_files_become_photos_that_are_read_in_their_folder(
    folder: Folder, root: Path, media: Path
) -> None:
    put_picture(root / "2024" / "a.jpg", 1)
    put_picture(root / "b.jpg", 2)
    (root / "notes.txt").write_text("hello")
    before = fingerprint(root)
    assert scan(folder) == {"added": 2, "refused": 1}
    photo = photo_at(root, "2024/a.jpg")
    assert photo.original_name == "a.jpg"
    assert read_bytes(originals(), photo.original_key) == (root / "2024" / "a.jpg").read_bytes()
    assert read_metadata([photo.pk])[photo.pk].status == "done"
    assert make_renditions([photo.pk])[photo.pk].status == "done"
    assert not (media / "originals").exists()
    assert fingerprint(root) == before


def test_a_second_scan_reads_no_file(folder: Folder, root: Path) -> None:
    put_picture(root / "a.jpg")
    (root / "notes.txt").write_text("hello")
    scan(folder)
    accessed = (root / "a.jpg").stat().st_atime_ns
    assert scan(folder) == {"unchanged": 2}
    assert (root / "a.jpg").stat().st_atime_ns == accessed


def test_the_original_is_served(folder: Folder, root: Path, alice: Any, client: Client) -> None:
    put_picture(root / "a.jpg")
    scan(folder)
    client.force_login(alice)
    photo = photo_at(root, "a.jpg")
    response = client.get(f"/api/photos/{photo.pk}/image")
    assert response.content == (root / "a.jpg").read_bytes()
    assert client.get(f"/api/storage/{photo.original_key}").status_code == 200
    part = client.get(f"/api/photos/{photo.pk}/image", headers={"Range": "bytes=0-9"})
    assert (part.status_code, len(part.content)) == (206, 10)


def test_a_moved_file_keeps_tags_albums_and_its_photo(folder: Folder, root: Path, library: Library) -> None:
    put_picture(root / "a.jpg")
    scan(folder)
    photo = photo_at(root, "a.jpg")
    Tag.objects.create(photo=photo, name="sea")
    AlbumPhoto.objects.create(album=Album.objects.create(library=library, name="Summer"), photo=photo)
    (root / "new").mkdir()
    (root / "a.jpg").rename(root / "new" / "b.jpg")
    assert scan(folder) == {"moved": 1}
    moved = photo_at(root, "new/b.jpg")
    assert (moved.pk, moved.original_name, moved.missing_since) == (photo.pk, "b.jpg", None)
    assert moved.tags.get().name == "sea"
    assert moved.albums.get().name == "Summer"
    assert scan(folder) == {"unchanged": 1}


def test_a_missing_file_is_marked_and_its_photo_comes_back_with_it(folder: Folder, root: Path) -> None:
    put_picture(root / "a.jpg", 1)
    put_picture(root / "b.jpg", 2)
    scan(folder)
    (root / "a.jpg").rename(root.parent / "a.jpg")
    assert scan(folder) == {"missing": 1, "unchanged": 1}
    assert photo_at(root, "a.jpg").missing_since is not None
    assert scan(folder) == {"unchanged": 1}
    assert Photo.objects.count() == 2
    (root.parent / "a.jpg").rename(root / "a.jpg")
    assert scan(folder) == {"back": 1, "unchanged": 1}
    assert photo_at(root, "a.jpg").missing_since is None


def test_an_edited_file_stays_the_same_photo_and_is_read_again(folder: Folder, root: Path) -> None:
    put_picture(root / "a.jpg", 1)
    scan(folder)
    photo = photo_at(root, "a.jpg")
    PhotoStep.objects.filter(photo=photo).update(status="done")
    put_picture(root / "a.jpg", 2)
    assert scan(folder) == {"changed": 1}
    edited = photo_at(root, "a.jpg")
    assert edited.pk == photo.pk
    assert edited.checksum != photo.checksum
    assert PhotoStep.objects.filter(photo=photo, step="metadata", status="pending").exists()


def test_a_touched_file_is_the_same(folder: Folder, root: Path) -> None:
    put_picture(root / "a.jpg", at=1_000_000_000)
    scan(folder)
    os.utime(root / "a.jpg", (1_100_000_000, 1_100_000_000))
    assert scan(folder) == {"touched": 1}
    assert scan(folder) == {"unchanged": 1}


def test_two_files_that_change_places_keep_their_photos(folder: Folder, root: Path) -> None:
    put_picture(root / "a.jpg", 1, at=1_000_000_000)
    put_picture(root / "b.jpg", 2, at=1_000_000_001)
    scan(folder)
    first, second = photo_at(root, "a.jpg").pk, photo_at(root, "b.jpg").pk
    put_picture(root / "a.jpg", 2, at=1_100_000_000)
    put_picture(root / "b.jpg", 1, at=1_100_000_001)
    scan(folder)
    assert (photo_at(root, "a.jpg").pk, photo_at(root, "b.jpg").pk) == (second, first)
    assert not Photo.objects.filter(missing_since__isnull=False).exists()
    assert Photo.objects.count() == 2


def test_the_same_bytes_twice_are_one_photo_that_is_there_while_one_file_is(
    folder: Folder, root: Path
) -> None:
    put_picture(root / "a.jpg", 1)
    put_picture(root / "b.jpg", 1)
    put_picture(root / "c.jpg", 2)
    assert scan(folder) == {"added": 2, "duplicate": 1}
    (root / "a.jpg").unlink()
    scan(folder)
    photo = photo_at(root, "b.jpg")
    assert photo.missing_since is None
    (root / "b.jpg").unlink()
    scan(folder)
    photo.refresh_from_db()
    assert photo.missing_since is not None


def test_a_file_that_moved_to_another_folder_of_the_library_keeps_its_photo(
    folder: Folder, root: Path, library: Library, settings: Any
) -> None:
    (root / "x").mkdir()
    (root / "y").mkdir()
    one = Folder.objects.create(library=library, path=str(root / "x"))
    two = Folder.objects.create(library=library, path=str(root / "y"))
    put_picture(root / "x" / "a.jpg", 1)
    put_picture(root / "x" / "b.jpg", 2)
    scan(one)
    photo = photo_at(root, "x/a.jpg")
    (root / "x" / "a.jpg").rename(root / "y" / "a.jpg")
    assert scan(two) == {"duplicate": 1}
    assert scan(one) == {"missing": 1, "unchanged": 1}
    assert photo_at(root, "y/a.jpg").pk == photo.pk
    assert photo_at(root, "y/a.jpg").missing_since is None


def test_two_libraries_may_have_one_folder(folder: Folder, root: Path, bob: Any) -> None:
    put_picture(root / "a.jpg")
    other = Folder.objects.create(library=Library.objects.home_of(bob), path=str(root))
    assert scan(folder) == {"added": 1}
    assert scan(other) == {"added": 1}
    assert Photo.objects.count() == 2


def test_people_may_be_changed_while_a_folder_is_scanned(folder: Folder, root: Path) -> None:
    """Locks of both are numbers, and those of folders and libraries are often equal."""
    put_picture(root / "a.jpg")
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [PEOPLE_LOCK, folder.pk])
        assert scan(folder) == {"added": 1}
        with only_one(folder):
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_CLASS, folder.pk])
            assert cursor.fetchone() == (False,)
    other.close()


def test_copied_originals_survive_their_files(folder: Folder, root: Path, media: Path) -> None:
    Folder.objects.update(mode="copied")
    put_picture(root / "a.jpg", 1)
    put_picture(root / "b.jpg", 2)
    before = fingerprint(root)
    assert scan(folder) == {"added": 2}
    assert fingerprint(root) == before
    (root / "a.jpg").unlink()
    assert scan(folder) == {"missing": 1, "unchanged": 1}
    assert not Photo.objects.filter(missing_since__isnull=False).exists()
    for photo in Photo.objects.all():
        assert read_bytes(originals(), photo.original_key)


def test_copies_are_made_once_whatever_else_is_in_the_folder(
    folder: Folder, root: Path, media: Path, settings: Any
) -> None:
    Folder.objects.update(mode="copied")
    settings.MAX_UPLOAD_BYTES = 1024 * 1024
    put_picture(root / "a.jpg", 1)
    put_picture(root / "twin.jpg", 1)
    put_picture(root / "large.jpg", 2)
    with (root / "large.jpg").open("ab") as file:
        file.truncate(2 * 1024 * 1024)
    (root / "note.txt").write_text("not a picture")
    assert scan(folder) == {"added": 1, "duplicate": 1, "failed": 1, "refused": 1}
    photo = Photo.objects.get()
    kept = [path for path in (media / "originals").rglob("*") if path.is_file()]
    assert [path.name for path in kept] == [Path(photo.original_key).name]
    assert photo.folder_files.count() == 2


def test_a_scan_that_is_stopped_goes_on_where_it_stopped(
    folder: Folder, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "GROUP_FILES", 2)
    for seed in range(5):
        put_picture(root / f"{seed}.jpg", seed)

    class Stop(Exception):
        pass

    def stop(report: ScanReport) -> None:
        if report.worked == 2:
            raise Stop

    with pytest.raises(Stop):
        scan(folder, on_progress=stop)
    assert Photo.objects.count() == 2
    assert scan(folder) == {"added": 3, "unchanged": 2}


def test_a_file_outside_the_scan_roots_is_not_read_any_more(
    folder: Folder, root: Path, settings: Any
) -> None:
    put_picture(root / "a.jpg")
    scan(folder)
    key = photo_at(root, "a.jpg").original_key
    secret = root.parent / "secret.jpg"
    put_picture(secret, 9)
    (root / "a.jpg").unlink()
    (root / "a.jpg").symlink_to(secret)
    with pytest.raises(StorageUnavailable, match="CHITRA_SCAN_ROOTS"):
        read_bytes(originals(), key)
    settings.SCAN_ROOTS = []
    with pytest.raises(StorageUnavailable):
        read_bytes(originals(), key)


def test_a_file_is_named_by_its_bytes_when_its_name_is_no_text(folder: Folder, root: Path) -> None:
    put_picture(Path(os.fsdecode(os.fsencode(root) + b"/\xff%.jpg")))
    assert scan(folder) == {"added": 1}
    photo = Photo.objects.get()
    assert read_bytes(originals(), photo.original_key)


def test_check_files_compares_the_file_in_the_folder_and_never_moves_it(folder: Folder, root: Path) -> None:
    put_picture(root / "a.jpg", 1)
    put_picture(root / "b.jpg", 2)
    scan(folder)
    found: list[Any] = []
    Check(repair=True, with_digests=True, seconds=0, report=found.append, cursor=Cursor()).run()
    assert found == []
    put_picture(root / "a.jpg", 3)
    (root / "b.jpg").unlink()
    Check(repair=True, with_digests=True, seconds=0, report=found.append, cursor=Cursor()).run()
    assert {finding.kind for finding in found} <= {"size_differs", "digest_differs", "missing_original"}
    assert len(found) == 2
    assert not any(finding.action for finding in found)
    assert (root / "a.jpg").exists()
    scan(folder)
    found.clear()
    Check(repair=False, with_digests=True, seconds=0, report=found.append, cursor=Cursor()).run()
    assert found == []


def test_migrate_storage_leaves_what_lies_in_folders(folder: Folder, root: Path) -> None:
    put_picture(root / "a.jpg")
    scan(folder)
    assert list(originals_of_all()) == []


def test_problems_are_listed(folder: Folder, root: Path) -> None:
    put_picture(root / "a.jpg")
    (root / "empty.jpg").touch()
    (root / "loop").symlink_to(root)
    report = Scan(folder).run()
    assert dict(report.problems) == {
        "loop": "Links are not followed.",
        "empty.jpg": "The file is empty. Send it again from the original.",
    }
    assert FolderFile.objects.get(path="empty.jpg").problem


def test_a_refused_file_is_read_again_when_that_is_asked_for(folder: Folder, root: Path) -> None:
    (root / "notes.txt").write_text("hello")
    assert scan(folder) == {"refused": 1}
    assert scan(folder) == {"unchanged": 1}
    assert scan(folder, retry_refused=True) == {"refused": 1}


def test_no_job_is_left_by_a_plain_scan(folder: Folder, root: Path) -> None:
    put_picture(root / "a.jpg")
    scan(folder)
    assert not Job.objects.exists()


def test_the_command_scans_all_folders_or_one(
    folder: Folder, root: Path, library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    put_picture(root / "a.jpg", 1)
    (root / "loop").symlink_to(root)
    call_command("scan_folders", "--dry-run")
    assert "1 files to look into" in capsys.readouterr().out
    assert not Photo.objects.exists()
    call_command("scan_folders", "--folder", str(folder.pk))
    assert "1 new, 1 problems" in (out := capsys.readouterr().out)
    assert "loop: Links are not followed." in out
    with pytest.raises(CommandError, match="no such folder"):
        call_command("scan_folders", "--folder", str(folder.pk + 1))
    Folder.objects.create(library=library, path=str(root / "gone"))
    with pytest.raises(SystemExit):
        call_command("scan_folders")
    captured = capsys.readouterr()
    assert f"{root}: 1 unchanged" in captured.out
    assert "does not exist" in captured.err
