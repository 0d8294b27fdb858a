"""What is exported comes back as it was, whatever its names and sizes are."""

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from chitra.sources.records import restore_people
from chitra.sources.tests.trees import put_picture
from chitra.sources.xmp_writer import Sidecar as XmpSidecar
from chitra.sources.xmp_writer import write
from faces.models import Face, JournalEntry, Person
from faces.undo import undo
from jobs.tasks import drain
from photos.models import Album, Library, Photo, Tag
from photos.stacks.editing import stack_photos
from photos.tests.pictures import bmp, jpeg, taken

Import = Callable[..., str]


def test_an_export_packed_as_a_folder_is_known_too(
    library: Library, import_photos: Import, tmp_path: Path
) -> None:
    put_picture(tmp_path / "in" / "IMG.jpg", 1)
    import_photos(tmp_path / "in")
    Photo.objects.update(is_favorite=True)
    call_command("export", str(tmp_path / "out" / "library"))
    shutil.make_archive(str(tmp_path / "library"), "zip", tmp_path / "out")
    for source in (tmp_path / "out", tmp_path / "library.zip"):
        Photo.objects.update(is_favorite=False)
        out = import_photos(source)
        assert "an export of Chitra" in out
        assert "0 imported, 1 already there, 0 not pictures, 0 failed" in out
        assert Photo.objects.get().is_favorite


def test_an_export_comes_back_as_it_was(
    library: Library,
    alice: Any,
    bob: Any,
    import_photos: Import,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for seed in range(3):
        folder = tmp_path / "in" / f"IMG_{seed % 2}" if seed else tmp_path / "in"
        put_picture(folder / "IMG.jpg", seed, at=1_000_000_000 + seed)
    import_photos(tmp_path / "in", "--user", "alice@example.org")
    one, two, three = Photo.objects.order_by("pk")
    Photo.objects.filter(pk=one.pk).update(
        title="Rome", rating=5, is_favorite=True, latitude=1.5, longitude=2.5
    )
    Photo.objects.filter(pk=two.pk).update(description="A <b> & c", is_archived=True, utc_offset_minutes=-90)
    Tag.objects.create(photo=one, name="places/Italy")
    album = Album.objects.create(library=library, name="Summer", description="In Rome", cover=two)
    for position, photo in enumerate((three, one)):
        album.entries.create(photo=photo, position=position)
    Album.objects.create(library=library, name="Summer").entries.create(photo=two, position=1)
    person = Person.objects.create(
        library=library, name="Charlie", birth_date="2001-02-03", aliases=["Charles"], is_favorite=True
    )
    person.cover = Face.objects.create(
        photo=one, x1=0.1, y1=0.2, x2=0.5, y2=0.6, detection_score=1, person=person
    )
    person.save()
    Person.objects.create(library=library, name="Dora", is_hidden=True)
    stack_photos(library=library, photo_ids=[three.pk, two.pk], actor=alice)
    call_command("export", str(tmp_path / "first"), "--user", "alice@example.org")
    assert "3 written, 0 there already, 0 failed." in capsys.readouterr().out
    xmp = [path.read_text() for path in (tmp_path / "first").rglob("*.xmp")]
    assert any('mwg-rs:Name="Charlie"' in text and "places/Italy" in text for text in xmp)

    assert "an export of Chitra" in import_photos(tmp_path / "first", "--user", "bob@example.org")
    call_command("export", str(tmp_path / "second"), "--user", "bob@example.org")
    call_command("export", str(tmp_path / "second"), "--user", "bob@example.org")
    assert "0 written, 3 there already, 0 failed." in capsys.readouterr().out
    assert contents(tmp_path / "first") == contents(tmp_path / "second")
    assert contents(tmp_path / "first")["stacks"] == [
        {"kind": "manual", "photos": [three.checksum, two.checksum]}
    ]


def test_times_of_files_outlive_an_export(
    library: Library, bob: Any, import_photos: Import, tmp_path: Path
) -> None:
    put_picture(tmp_path / "in" / "scan.jpg", at=1_000_000_000)
    import_photos(tmp_path / "in")
    drain("metadata")
    call_command("export", str(tmp_path / "out"))
    [exported] = (tmp_path / "out").rglob("scan.jpg")
    assert exported.stat().st_mtime == 1_000_000_000
    os.utime(exported)  # a copy that forgets
    import_photos(tmp_path / "out", "--user", "bob@example.org")
    drain("metadata")
    assert {photo.taken_at.isoformat() for photo in Photo.objects.all()} == {"2001-09-09T01:46:40+00:00"}
    assert Photo.objects.count() == 2


def test_what_a_sidecar_says_outlives_an_export(
    library: Library, bob: Any, import_photos: Import, tmp_path: Path
) -> None:
    picture = tmp_path / "in" / "a.jpg"
    picture.parent.mkdir()
    picture.write_bytes(jpeg(exif=taken("2020:01:01 10:00:00")))
    said = XmpSidecar(datetime(2019, 5, 1, 12, tzinfo=UTC), latitude=41.5, longitude=12.25)
    picture.with_name("a.jpg.xmp").write_bytes(write(said, [], width=64, height=48))
    import_photos(tmp_path / "in")
    drain("metadata")
    call_command("export", str(tmp_path / "first"))
    import_photos(tmp_path / "first", "--user", "bob@example.org")
    drain("metadata")
    assert {photo.taken_at.year for photo in Photo.objects.all()} == {2019}
    call_command("export", str(tmp_path / "second"), "--user", "bob@example.org")
    assert contents(tmp_path / "first") == contents(tmp_path / "second")


def test_the_film_of_a_live_photo_is_exported_beside_it(
    library: Library, import_photos: Import, tmp_path: Path
) -> None:
    for seed, name in enumerate(("IMG_1.HEIC", "IMG_1.MOV")):
        put_picture(tmp_path / "in" / name, seed, at=1_000_000_000 + seed * 3_000_000)
    import_photos(tmp_path / "in")
    still, film = Photo.objects.order_by("original_name")
    Photo.objects.filter(pk=film.pk).update(still=still)
    call_command("export", str(tmp_path / "out"))
    assert len({path.parent for path in (tmp_path / "out").rglob("IMG_1.*")}) == 1


def test_an_export_over_an_earlier_one_has_the_bytes_of_each_photo(
    library: Library, import_photos: Import, tmp_path: Path
) -> None:
    for folder in "ab":
        (tmp_path / "in" / folder).mkdir(parents=True)
        (tmp_path / "in" / folder / "same.bmp").write_bytes(bmp(64, 48, seed=ord(folder)))
    import_photos(tmp_path / "in")
    call_command("export", str(tmp_path / "out"))
    first, second = Photo.objects.order_by("pk")
    assert first.size == second.size
    Photo.objects.filter(pk=first.pk).move_to_trash()
    call_command("export", str(tmp_path / "out"))
    [listed] = map(json.loads, (tmp_path / "out" / "photos.jsonl").read_text().splitlines())
    written = hashlib.sha256((tmp_path / "out" / listed["file"]).read_bytes()).hexdigest()
    assert written == listed["sha256"] == second.checksum


def test_an_export_adds_to_people_and_overwrites_nothing(library: Library) -> None:
    person = Person.objects.create(
        library=library, name="Asha", birth_date="1990-05-01", aliases=["Ash"], is_favorite=True
    )
    record = {"birth_date": None, "aliases": ["Aisha"], "is_favorite": False, "is_hidden": True}
    restore_people(library, [{"name": "Asha", **record}, {"name": "Bela", **record}, {"name": "x" * 500}])
    person.refresh_from_db()
    assert (str(person.birth_date), person.aliases) == ("1990-05-01", ["Ash", "Aisha"])
    assert (person.is_favorite, person.is_hidden) == (True, True)
    undo(JournalEntry.objects.get(), actor=None)
    person.refresh_from_db()
    assert (person.aliases, person.is_hidden) == (["Ash"], False)
    assert list(Person.objects.values_list("name", flat=True)) == ["Asha"]


def test_names_that_are_long_or_collide_are_exported_each_on_its_own(
    library: Library, import_photos: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in range(4):
        put_picture(tmp_path / "in" / str(seed) / "IMG.jpg", seed)
    import_photos(tmp_path / "in")
    one, _, three, four = Photo.objects.order_by("pk")
    Photo.objects.filter(pk=one.pk).update(original_name=f"IMG-{three.pk}.jpg")
    Photo.objects.filter(pk=four.pk).update(original_name="é" * 250 + ".jpg")
    call_command("export", str(tmp_path / "out"))
    assert "4 written, 0 there already, 0 failed." in capsys.readouterr().out
    written = contents(tmp_path / "out")
    assert len(set(written["originals"])) == 4


def test_lists_larger_than_a_sidecar_and_odd_line_breaks_are_read_back(
    library: Library, import_photos: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_picture(tmp_path / "in" / "a.jpg", 1)
    import_photos(tmp_path / "in")
    photo = Photo.objects.get()
    text = "one\u2028two\x85three\x0bfour"
    Photo.objects.update(description=text)
    Album.objects.create(library=library, name="Summer", description="x" * (5 << 20)).entries.create(
        photo=photo, position=1
    )
    call_command("export", str(tmp_path / "out"))
    Album.objects.all().delete()
    Photo.objects.update(description="")
    assert "0 failed" in import_photos(tmp_path / "out")
    assert Photo.objects.get().description == text
    assert Album.objects.get().photos.get() == photo


def test_an_export_in_an_archive_comes_back(library: Library, import_photos: Import, tmp_path: Path) -> None:
    put_picture(tmp_path / "in" / "a.jpg", 1)
    import_photos(tmp_path / "in")
    Photo.objects.update(is_favorite=True)
    call_command("export", str(tmp_path / "out"))
    Photo.objects.update(is_favorite=False)
    (tmp_path / "zipped").mkdir()
    with zipfile.ZipFile(tmp_path / "zipped" / "export.zip", "w") as archive:
        for path in (tmp_path / "out").rglob("*"):
            archive.write(path, path.relative_to(tmp_path / "out"))
    assert "an export of Chitra" in import_photos(tmp_path / "zipped")
    assert Photo.objects.get().is_favorite


def export_of_two(import_photos: Import, tmp_path: Path) -> list[str]:
    """Two favourites, exported; the lines about them."""
    put_picture(tmp_path / "in" / "a.jpg", 1)
    put_picture(tmp_path / "in" / "b.jpg", 2)
    import_photos(tmp_path / "in")
    Photo.objects.update(is_favorite=True)
    call_command("export", str(tmp_path / "out"))
    return (tmp_path / "out" / "photos.jsonl").read_text().splitlines()


def test_damaged_lists_are_named_and_the_rest_is_taken(
    library: Library, import_photos: Import, tmp_path: Path
) -> None:
    first, second = export_of_two(import_photos, tmp_path)
    (tmp_path / "out" / "photos.jsonl").write_text(f"{first}\n{second[:40]}")
    (tmp_path / "out" / "albums.json").write_text('[{"name": "Summer"}]')
    Photo.objects.update(is_favorite=False)
    out = import_photos(tmp_path / "out")
    assert "photos.jsonl, line 2: It is damaged." in out
    assert "albums.json: It is damaged, and nothing of it was taken." in out
    assert sorted(Photo.objects.values_list("is_favorite", flat=True)) == [False, True]
    assert not Album.objects.exists()


@pytest.mark.parametrize(
    "damage",
    [
        {"sidecar": "x"},
        {"tags": 7},
        {"faces": [{}]},
        {"description": "a\0b"},
        {"rating": 10**9},
        {"taken_at": 1},
    ],
    ids=str,
)
def test_a_record_with_a_damaged_value_costs_no_photo(
    library: Library, import_photos: Import, tmp_path: Path, damage: dict[str, Any]
) -> None:
    first, second = map(json.loads, export_of_two(import_photos, tmp_path))
    lines = [json.dumps(record) for record in (first | damage, second)]
    (tmp_path / "out" / "photos.jsonl").write_text("\n".join(lines))
    Photo.objects.all().delete()
    import_photos(tmp_path / "out", "--report", tmp_path / "report.csv")
    assert Photo.objects.count() == 2
    assert Photo.objects.get(is_favorite=True).checksum == second["sha256"]
    assert "What the export says about it is damaged" in (tmp_path / "report.csv").read_text()


def contents(root: Path) -> dict[str, Any]:
    """Originals by checksum of their bytes, records without the names of files, albums and people."""
    records = [json.loads(line) for line in (root / "photos.jsonl").read_text().splitlines()]
    return {
        "originals": sorted((root / record["file"]).read_bytes() for record in records),
        "photos": sorted((record | {"file": ""} for record in records), key=lambda record: record["sha256"]),
        "albums": json.loads((root / "albums.json").read_text()),
        "people": json.loads((root / "people.json").read_text()),
        "stacks": json.loads((root / "stacks.json").read_text()),
    }
