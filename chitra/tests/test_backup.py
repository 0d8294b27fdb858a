"""A backup is good when what was restored from it is what there was."""

import io
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from chitra import backup, pg_tools
from chitra.backup_files import BackupError, Vault
from chitra.sources.models import Folder
from chitra.sources.scanning import Scan
from faces.models import Face, FaceEmbedding, FaceModelVersion, Person
from photos.models import Album, AlbumPhoto, Library, Photo, Tag
from photos.services import ingest
from photos.storages import originals, renditions
from photos.tests.pictures import jpeg
from photos.trash import purge

pytestmark = pytest.mark.django_db(transaction=True)
AddPhoto = Callable[..., Photo]


@pytest.fixture
def family(add_photo: AddPhoto) -> list[Photo]:
    """Alice's three photos with an album, a tag, a person, a face and its vector, renditions and a crop."""
    photos = [add_photo(seed=seed, name=f"{seed}.jpg") for seed in range(3)]
    for photo in photos:
        for kind in ("thumbnail", "preview"):
            renditions().save(photo.rendition_key(kind), io.BytesIO(f"{kind} of {photo.pk}".encode()))
    Photo.objects.update(has_renditions=True)
    album = Album.objects.create(library=photos[0].library, name="Été à Zürich", cover=photos[1])
    AlbumPhoto.objects.create(album=album, photo=photos[0], position=1)
    Tag.objects.create(photo=photos[2], name="beach")
    person = Person.objects.create(library=photos[0].library, name="Bob")
    face = Face.objects.create(
        photo=photos[0],
        person=person,
        x1=0.1,
        y1=0.1,
        x2=0.4,
        y2=0.5,
        detection_score=0.9,
        crop_key="1/aa/face.webp",
    )
    renditions().save(face.crop_key, io.BytesIO(b"crop"))
    model = FaceModelVersion.objects.create(version="test", dimensions=3)
    FaceEmbedding.objects.create(face=face, model=model, vector=[0.5, -0.25, 1])
    return photos


@pytest.fixture
def new_database(db: None) -> Iterator[Callable[[], None]]:
    """Turn the connection to a new, empty database, and back when the test is over."""
    old = connection.settings_dict["NAME"]
    new = f"{old}_restored"

    def turn() -> None:
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{new}" TEMPLATE template0')
        connection.close()
        connection.settings_dict["NAME"] = new

    yield turn
    connection.close()
    connection.settings_dict["NAME"] = old
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{new}"')


def all_rows() -> dict[str, list[Any]]:
    """Every row of every table, as text, sorted."""
    with connection.cursor() as cursor:
        tables = sorted(connection.introspection.table_names(cursor))
        rows = {}
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t ORDER BY 1')
            rows[table] = cursor.fetchall()
    return rows


def schema() -> list[Any]:
    """Indexes, constraints and sequences with where they stand."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' UNION ALL "
            "SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint WHERE contype <> 'n' UNION ALL "
            "SELECT sequencename || coalesce(last_value, 0) FROM pg_sequences ORDER BY 1"
        )
        return list(cursor.fetchall())


def all_bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_restored_backup_equals_what_was_backed_up(
    family: list[Photo], media: Path, tmp_path: Path, new_database: Callable[[], None]
) -> None:
    rows, structure, files = all_rows(), schema(), all_bytes(media)
    report = backup.create(tmp_path / "backups", with_objects=True)
    assert (report.objects, report.copied, report.problems) == (10, 10, [])
    assert backup.verify(tmp_path / "backups").problems == []

    new_database()
    shutil.rmtree(media)
    report = backup.restore(tmp_path / "backups")

    assert (report.copied, report.problems, report.notes) == (10, [], [])
    assert all_rows() == rows
    assert schema() == structure
    assert all_bytes(media) == files
    added = ingest(
        library=Photo.objects.get(pk=family[0].pk).library, stream=io.BytesIO(jpeg(8, 8)), name="new.jpg"
    )
    assert added.photo.pk > max(photo.pk for photo in family)


def test_a_backup_restored_over_a_later_state_takes_its_place(
    family: list[Photo], add_photo: AddPhoto, media: Path, tmp_path: Path
) -> None:
    backup.create(tmp_path / "backups", with_objects=True)
    rows = all_rows()
    add_photo(seed=77, name="later.jpg")
    purge(family[0])
    with pytest.raises(BackupError, match=r"in use \(1 accounts, 1 libraries, 3 photos\)"):
        backup.restore(tmp_path / "backups")
    report = backup.restore(tmp_path / "backups", force=True)
    assert all_rows() == rows
    assert (report.copied, report.present) == (3, 7)
    assert originals().size(family[0].original_key) == family[0].size


def test_objects_are_copied_once_for_all_backups(
    family: list[Photo], add_photo: AddPhoto, tmp_path: Path
) -> None:
    backup.create(tmp_path, with_objects=True, with_renditions=False)
    add_photo(seed=50)
    report = backup.create(tmp_path, with_objects=True, with_renditions=False)
    assert (report.copied, report.present) == (1, 3)
    assert len(list((tmp_path / "objects").glob("*/*"))) == 4
    assert len(Vault(tmp_path).snapshots()) == 2


def test_a_manifest_without_objects_lists_every_original(family: list[Photo], tmp_path: Path) -> None:
    backup.create(tmp_path)
    entries = list(Vault(tmp_path).snapshot(None).entries())
    assert [(entry.key, entry.size, entry.sha256) for entry in entries] == [
        (photo.original_key, photo.size, photo.checksum) for photo in family
    ]
    assert "without --with-objects" in backup.verify(tmp_path).notes[0]


def test_old_snapshots_go_with_the_objects_only_they_name(family: list[Photo], tmp_path: Path) -> None:
    backup.create(tmp_path, with_objects=True, with_renditions=False)
    purge(family[0])
    call_command("backup", str(tmp_path), "--with-objects", "--without-renditions", "--keep=1")
    assert len(Vault(tmp_path).snapshots()) == 1
    assert len(list((tmp_path / "objects").glob("*/*"))) == 2
    assert backup.verify(tmp_path).problems == []


def test_an_original_in_a_folder_is_backed_up_and_never_written_back(
    library: Library, media: Path, tmp_path: Path, settings: Any, new_database: Callable[[], None]
) -> None:
    settings.SCAN_ROOTS = [tmp_path / "nas"]
    (tmp_path / "nas").mkdir()
    (tmp_path / "nas" / "a.jpg").write_bytes(jpeg(64, 48))
    Scan(Folder.objects.create(library=library, path=str(tmp_path / "nas"))).run()
    assert backup.create(tmp_path / "backups", with_objects=True).problems == []
    assert backup.verify(tmp_path / "backups").problems == []
    (tmp_path / "nas" / "a.jpg").unlink()
    new_database()
    (problem,) = backup.restore(tmp_path / "backups").problems
    assert "is not in its folder, which Chitra only reads; put it there from" in problem
    assert Path(problem.rpartition(" ")[2]).read_bytes() == jpeg(64, 48)
    assert not (tmp_path / "nas" / "a.jpg").exists()


def test_a_missing_or_changed_original_is_reported_with_its_own_exit_status(
    family: list[Photo], media: Path, tmp_path: Path
) -> None:
    (media / "originals" / family[0].original_key).unlink()
    (media / "originals" / family[1].original_key).write_bytes(b"rot")
    with pytest.raises(CommandError) as caught:
        call_command("backup", str(tmp_path), "--with-objects")
    assert caught.value.returncode == 3
    assert f"originals/{family[0].original_key}: is missing from the storage" in str(caught.value)
    assert f"originals/{family[1].original_key}: its bytes are not those" in str(caught.value)
    with pytest.raises(CommandError) as caught:
        call_command("verify_backup", str(tmp_path))
    assert caught.value.returncode == 3


def test_a_truncated_dump_is_told_before_anything_is_touched(family: list[Photo], tmp_path: Path) -> None:
    backup.create(tmp_path)
    dump = Vault(tmp_path).snapshot(None).dump
    os.truncate(dump, dump.stat().st_size // 2)
    rows = all_rows()
    with pytest.raises(BackupError, match="truncated"):
        backup.verify(tmp_path)
    with pytest.raises(BackupError, match="truncated"):
        backup.restore(tmp_path, force=True)
    assert all_rows() == rows


def test_a_dump_that_breaks_off_while_it_is_loaded_changes_nothing(
    family: list[Photo], tmp_path: Path
) -> None:
    backup.create(tmp_path)
    dump = Vault(tmp_path).snapshot(None).dump
    os.truncate(dump, dump.stat().st_size - 2000)
    rows = all_rows()
    target = pg_tools.target_of(connection.get_connection_params(), backup.server_version())
    connection.close()
    with pytest.raises(BackupError, match="nothing was changed"):
        pg_tools.load(target, dump, dumped_from=target.server_major)
    assert all_rows() == rows


def test_a_damaged_manifest_is_told(family: list[Photo], tmp_path: Path) -> None:
    backup.create(tmp_path)
    manifest = Vault(tmp_path).snapshot(None).manifest
    manifest.write_text(manifest.read_text().replace("originals", "elsewhere", 1))
    with pytest.raises(BackupError, match=r"objects\.jsonl is damaged"):
        backup.verify(tmp_path)
    with pytest.raises(BackupError, match="line 1 is damaged"):
        list(Vault(tmp_path).snapshot(None).entries())


def test_a_damaged_object_of_the_backup_is_not_restored(
    family: list[Photo], media: Path, tmp_path: Path
) -> None:
    backup.create(tmp_path / "backups", with_objects=True)
    Vault(tmp_path / "backups").object_path(family[0].checksum).write_bytes(b"rot")
    (media / "originals" / family[0].original_key).unlink()
    assert backup.verify(tmp_path / "backups").problems == [
        f"originals/{family[0].original_key}: is damaged in the backup"
    ]
    report = backup.restore(tmp_path / "backups", force=True)
    assert report.problems == [
        f"originals/{family[0].original_key}: is missing in the storage and is damaged in the backup"
    ]
    assert not originals().exists(family[0].original_key)


def test_a_backup_of_a_newer_version_is_refused(family: list[Photo], tmp_path: Path) -> None:
    backup.create(tmp_path)
    path = Vault(tmp_path).snapshot(None).directory / "backup.json"
    description = json.loads(path.read_text())
    description["migrations"].append("photos.9999_from_the_future")
    path.write_text(json.dumps(description))
    with pytest.raises(BackupError, match="newer than this one"):
        backup.restore(tmp_path, force=True)


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CommandError, match="Not a directory"):
        call_command("backup", str(tmp_path / "file" / "backups"))


def test_a_full_disk_is_told_and_leaves_no_snapshot(family: list[Photo], tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root can make a small disk")
    try:
        with pytest.raises(CommandError, match=r"No space left|is full"):
            call_command("backup", str(small))
        assert [path for path in small.iterdir() if path.name != ".lock"] == []
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_store_on_s3_is_backed_up_and_restored(
    s3_server: Any, settings: Any, library: Any, tmp_path: Path
) -> None:
    options = {
        "access_key": s3_server.access_key,
        "secret_key": s3_server.secret_key,
        "endpoint_url": s3_server.endpoint,
        "region_name": s3_server.region,
        "bucket_name": "backup-test",
        "addressing_style": "path",
    }
    backend = "photos.storages.s3.ObjectStorage"
    settings.STORAGES = {
        **settings.STORAGES,
        "originals": {"BACKEND": backend, "OPTIONS": {**options, "location": "originals"}},
        "renditions": {"BACKEND": backend, "OPTIONS": {**options, "location": "renditions"}},
    }
    data = jpeg(64, 48)
    photo = ingest(library=library, stream=io.BytesIO(data), name="photo.jpg").photo
    assert backup.create(tmp_path, with_objects=True).copied == 1
    originals().delete(photo.original_key)
    assert backup.restore(tmp_path, force=True).copied == 1
    with originals().open(photo.original_key) as file:
        assert file.read() == data
