"""Imports from other services: photos with what was said about them, and every file accounted for."""

import csv
import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from chitra.sources.apple import ADJUSTMENTS, moment_of
from chitra.sources.archives import Sources
from chitra.sources.import_report import read_rows
from chitra.sources.plans import TRASHED, detect
from chitra.sources.tests.trees import fingerprint, put_picture
from chitra.sources.xmp_writer import Sidecar, write
from faces import regions
from faces.models import Face
from faces.regions import Region
from jobs.tasks import drain
from photos.editing import edit_photo
from photos.models import Album, Photo, Tag
from photos.tests.pictures import jpeg, turned_jpeg

Import = Callable[..., str]
NOON = 1577880000  # 2020-01-01 12:00 UTC


def sidecar(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({"title": "x", "photoTakenTime": {"timestamp": str(NOON)}} | values))


@pytest.fixture
def takeout(tmp_path: Path) -> Path:
    """An export with an album, an edited copy, equal names, a deleted photo and a note."""
    year = tmp_path / "export" / "Takeout" / "Google Photos" / "Photos from 2020"
    album = year.parent / "Summer"
    put_picture(year / "IMG_1.jpg", 1)
    sidecar(year / "IMG_1.jpg.supplemental-metadata.json", description="On the beach", favorited=True)
    put_picture(year / "IMG_1(1).jpg", 2)
    sidecar(
        year / "IMG_1.jpg.supplemental-metadata(1).json",
        people=[{"name": "Bob"}],
        archived=True,
        geoData={"latitude": 48.5, "longitude": 11.5},
    )
    put_picture(year / "IMG_1-edited.jpg", 3)
    put_picture(year / "IMG_3.jpg", 4)
    sidecar(year / "IMG_3.jpg.json", trashed=True)
    sidecar(year / "IMG_4.jpg.json")
    (year / "metadata.json").write_text('{"title": "Photos from 2020"}')
    (year / "broken.jpg").write_bytes(b"")
    put_picture(album / "IMG_1.jpg", 1)
    (album / "metadata.json").write_text('{"title": "Summer in Rome"}')
    return tmp_path / "export"


def test_takeout_is_recognised_and_taken_whole(takeout: Path, import_photos: Import, tmp_path: Path) -> None:
    before = fingerprint(takeout)
    out = import_photos(takeout, "--report", tmp_path / "report.csv")
    assert fingerprint(takeout) == before
    assert "This looks like Google Takeout" in out
    assert "3 imported, 1 already there, 2 not pictures, 1 failed" in out
    first, second, edited = by_name()
    assert (first.description, first.is_favorite) == ("On the beach", True)
    assert first.taken_at == datetime(2020, 1, 1, 12, tzinfo=UTC)
    assert (second.latitude, second.is_archived, second.tags.get().name) == (48.5, True, "Bob")
    assert edited.description == "On the beach"
    assert [photo.pk for photo in Album.objects.get(name="Summer in Rome").photos.all()] == [first.pk]
    assert Album.objects.count() == 1
    with (tmp_path / "report.csv").open() as file:
        rows = {Path(row["path"]).name + row["status"]: row for row in csv.DictReader(file)}
    assert rows["IMG_3.jpgskipped"]["reason"] == "It was in the trash of the other service."
    assert rows["IMG_4.jpg.jsonskipped"]["reason"] == "A sidecar without its file."
    assert rows["broken.jpgfailed"]["reason"].startswith("The file is empty")
    assert len(rows) == 7


def by_name() -> list[Photo]:
    """IMG_1, IMG_1(1) and IMG_1-edited."""
    return [
        Photo.objects.get(original_name=name) for name in ("IMG_1.jpg", "IMG_1(1).jpg", "IMG_1-edited.jpg")
    ]


def test_a_second_import_finds_everything_there(takeout: Path, import_photos: Import) -> None:
    import_photos(takeout)
    assert "0 imported, 4 already there" in import_photos(takeout)
    assert Album.objects.get().photos.count() == 1
    assert Tag.objects.count() == 1


def test_a_second_import_leaves_photos_on_the_clock_of_their_place(
    takeout: Path, import_photos: Import
) -> None:
    for _ in range(2):
        import_photos(takeout)
        drain("metadata")
        placed = by_name()[1]
        assert (placed.taken_at.hour, placed.utc_offset_minutes) == (13, 60)
        assert placed.taken_at_utc == datetime(2020, 1, 1, 12, tzinfo=UTC)


def test_a_photo_that_was_there_gets_time_and_place_that_it_lacks(
    takeout: Path, import_photos: Import, tmp_path: Path
) -> None:
    put_picture(tmp_path / "before" / "x.jpg", 2, at=1_000_000_000)
    import_photos(tmp_path / "before")
    drain("metadata")
    import_photos(takeout)
    drain("metadata")
    photo = Photo.objects.get(original_name="x.jpg")
    assert (photo.latitude, photo.country_code) == (48.5, "DE")
    assert photo.taken_at_utc == datetime(2020, 1, 1, 12, tzinfo=UTC)


def test_a_place_that_somebody_took_away_does_not_come_back(takeout: Path, import_photos: Import) -> None:
    import_photos(takeout)
    drain("metadata")
    edit_photo(photo=by_name()[1], actor=None, values={"place": None})
    import_photos(takeout)
    drain("metadata")
    placed = by_name()[1]
    assert (placed.latitude, placed.country_code) == (None, "")


def test_a_takeout_split_into_archives_is_one(takeout: Path, import_photos: Import, tmp_path: Path) -> None:
    parts = [tmp_path / "takeout-001.zip", tmp_path / "takeout-002.zip"]
    files = [path for path in sorted(takeout.rglob("*")) if path.is_file()]
    for number, part in enumerate(parts):
        with zipfile.ZipFile(part, "w") as archive:
            for file in files:  # the sidecars lie in the other part
                if (file.suffix == ".json") == bool(number):
                    archive.write(file, file.relative_to(takeout))
    assert "3 imported, 1 already there" in import_photos(*parts)
    assert by_name()[0].description == "On the beach"
    assert Album.objects.get().name == "Summer in Rome"


def test_a_damaged_archive_is_told(import_photos: Import, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.jpg", jpeg(64, 48, seed=1))
        archive.writestr("b.jpg", jpeg(64, 48, seed=2))
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[100] ^= 0xFF
    (tmp_path / "a.zip").write_bytes(data)
    (tmp_path / "no.zip").write_bytes(b"PK no")
    out = import_photos(tmp_path)
    assert "1 imported, 0 already there, 0 not pictures, 2 failed" in out
    assert "The archive cannot be read" in out
    assert "the archive is damaged" in out


def test_xmp_sidecars_say_what_a_photo_is(import_photos: Import, tmp_path: Path) -> None:
    root = tmp_path / "immich"
    picture = put_picture(root / "library" / "admin" / "2024" / "a.jpg", 1)
    described = Sidecar(
        taken_at=datetime(2024, 5, 1, 12),
        title="Rome",
        description="At <the> fountain & co",
        rating=4,
        tags=("Places/Italy", "sea"),
        latitude=-41.5,
        longitude=12.25,
    )
    picture.with_name("a.jpg.xmp").write_bytes(write(described, [], width=64, height=48))
    assert "an export of Immich" in import_photos(root)
    photo = Photo.objects.get()
    assert (photo.title, photo.description, photo.rating) == ("Rome", "At <the> fountain & co", 4)
    assert (photo.latitude, photo.longitude) == pytest.approx((-41.5, 12.25))
    assert sorted(tag.name for tag in photo.tags.all()) == ["Places/Italy", "sea"]


def test_a_damaged_sidecar_is_told(import_photos: Import, tmp_path: Path) -> None:
    put_picture(tmp_path / "in" / "a.jpg", 1).with_name("a.jpg.xmp").write_text("<x:xmpmeta")
    import_photos(tmp_path / "in", "--report", tmp_path / "report.csv")
    assert "Its sidecar is damaged." in (tmp_path / "report.csv").read_text()


def test_folders_become_albums_when_that_is_wanted(import_photos: Import, tmp_path: Path) -> None:
    put_picture(tmp_path / "in" / "Italy" / "Rome" / "a.jpg", 1)
    put_picture(tmp_path / "in" / "b.jpg", 2)
    import_photos(tmp_path / "in")
    assert not Album.objects.exists()
    import_photos(tmp_path / "in", "--albums")
    assert Album.objects.get().name == "Italy / Rome"
    assert Album.objects.get().photos.count() == 1


HEADER = "imgName,fileChecksum,favorite,hidden,deleted,originalCreationDate,viewCount,importDate\n"
JUNE = '"Saturday June 4,2022 12:11 PM GMT"'


@pytest.fixture
def apple_export(tmp_path: Path) -> Path:
    """Two parts with a name in both, an edited copy, deleted files, albums and marks."""
    root = tmp_path / "export"
    one, two = (root / f"iCloud Photos Part {part} of 2" / "Photos" for part in (1, 2))
    names = [one / "IMG_1234.jpg", one / "IMG_E1234.jpg", one / "gone.jpg", two / "IMG_1234.jpg"]
    names += [two / "hidden.jpg", one.parent / "Recently Deleted" / "old.jpg"]
    for seed, path in enumerate(names):
        put_picture(path, seed)
    (one / "IMG_1234.AAE").write_text("<plist/>")
    (one / "Photo Details.csv").write_text(
        f"{HEADER}IMG_1234.jpg,x,yes,no,no,{JUNE},3,{JUNE}\ngone.jpg,x,no,no,yes,{JUNE},0,\n"
    )
    (two / "Photo Details-1.csv").write_text(
        f"{HEADER}IMG_1234.jpg,y,no,no,no,Sunday June 5,2022 1:05 AM GMT,0,\nhidden.jpg,y,no,no,no,,0,\n"
    )
    albums = one.parent / "Albums"
    albums.mkdir()
    (albums / "Rome.csv").write_text("Images\nIMG_1234.jpg\n")
    (albums / "Hidden.csv").write_text("imgName\nhidden.jpg\n")
    return root


def test_apple_tables_say_times_favourites_and_albums(
    import_photos: Import, apple_export: Path, tmp_path: Path
) -> None:
    out = import_photos(apple_export, "--report", tmp_path / "report.jsonl")
    assert "an export of Apple Photos" in out
    assert "4 imported" in out
    first, second = Photo.objects.filter(original_name="IMG_1234.jpg").order_by("taken_at")
    assert (first.is_favorite, second.is_favorite) == (True, False)
    assert first.taken_at == datetime(2022, 6, 4, 12, 11, tzinfo=UTC)
    assert second.taken_at == datetime(2022, 6, 5, 1, 5, tzinfo=UTC)
    assert first.albums.get().name == "Rome"
    assert Photo.objects.get(original_name="hidden.jpg").is_archived
    rows = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]
    ends = {Path(row["path"]).name: (row["status"], row["reason"] or row["remark"]) for row in rows}
    assert ends["IMG_E1234.jpg"] == ("imported", "An edited copy of IMG_1234.")
    assert ends["IMG_1234.AAE"] == ("skipped", ADJUSTMENTS)
    assert ends["gone.jpg"] == ends["old.jpg"] == ("skipped", TRASHED)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (JUNE, datetime(2022, 6, 4, 12, 11, tzinfo=UTC)),
        ("Monday January 2, 2023 12:05 AM GMT", datetime(2023, 1, 2, 0, 5, tzinfo=UTC)),
        ("Monday Smarch 2,2023 1:05 AM GMT", None),
        ("Monday June 31,2023 1:05 AM GMT", None),
        ("", None),
    ],
)
def test_apples_moments_are_read(text: str, moment: datetime | None) -> None:
    assert moment_of([text]) == moment


def test_what_immich_made_itself_is_left_out(import_photos: Import, tmp_path: Path) -> None:
    put_picture(tmp_path / "in" / "upload" / "user" / "ab" / "a.jpg", 1)
    put_picture(tmp_path / "in" / "thumbs" / str(uuid4()) / "ab" / "cd" / "a-preview.jpeg", 2)
    put_picture(tmp_path / "in" / "library" / "admin" / "profile" / "b.jpg", 3)
    out = import_photos(tmp_path / "in")
    assert "an export of Immich" in out
    assert sorted(Photo.objects.values_list("original_name", flat=True)) == ["a.jpg", "b.jpg"]


def test_an_archive_that_is_not_read_has_failed(import_photos: Import, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "takeout-001.TGZ").write_bytes(b"\x1f\x8b" + bytes(50))
    out = import_photos(tmp_path / "in")
    assert "0 imported, 0 already there, 0 not pictures, 1 failed" in out
    assert "Unpack it into a folder" in out
    with pytest.raises(CommandError, match="Unpack it into a folder"):
        import_photos(tmp_path / "in" / "takeout-001.TGZ")


def test_what_systems_keep_beside_photos_is_passed_over(import_photos: Import, tmp_path: Path) -> None:
    put_picture(tmp_path / "in" / "a.jpg", 1)
    put_picture(tmp_path / "in" / "@eaDir" / "a.jpg" / "SYNOPHOTO_THUMB_XL.jpg", 2)
    put_picture(tmp_path / "in" / "#Recycle" / "b.jpg", 3)
    (tmp_path / "in" / "Thumbs.db").write_bytes(b"x")
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for path in (tmp_path / "in").rglob("*"):
            archive.write(path, path.relative_to(tmp_path))
    assert "1 imported, 0 already there, 0 not pictures, 0 failed" in import_photos(tmp_path / "in")
    assert "0 imported, 1 already there, 0 not pictures, 0 failed" in import_photos(tmp_path / "in.zip")


@pytest.mark.parametrize("names", [["a.jpg"], ["a.jpg", "a.json"], ["library/x/a.jpg"], ["a.jpg", "a.xmp"]])
def test_plain_folders_are_taken_for_what_they_are(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    with Sources([tmp_path]) as sources:
        assert detect(sources.files(), sources.read) == "folders"


@pytest.mark.parametrize(
    ("stored", "box", "upright"),
    [((480, 640), (0.1, 0.2, 0.3, 0.3), (0.7, 0.1, 0.8, 0.3)), ((640, 480), (0.7, 0.1, 0.8, 0.3), None)],
)
def test_faces_of_a_sidecar_lie_as_its_program_saw_the_picture(
    stored: tuple[int, int],
    box: regions.Box,
    upright: regions.Box | None,
    import_photos: Import,
    tmp_path: Path,
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(turned_jpeg(6))
    width, height = stored
    packet = regions.write([Region("Charlie", box)], width=width, height=height)
    (tmp_path / "in" / "a.jpg.xmp").write_bytes(packet)
    import_photos(tmp_path / "in")
    face = Face.objects.get()
    assert face.person is not None
    assert face.person.name == "Charlie"
    assert face.box == pytest.approx(upright or box)


@pytest.mark.parametrize("name", ["report.csv", "report.jsonl"])
def test_a_report_is_completed_when_the_photos_are_processed(
    name: str, import_photos: Import, tmp_path: Path
) -> None:
    root = tmp_path / "photos"
    put_picture(root / "a.jpg", 1)
    put_picture(root / "b.jpg", 1)
    (root / "small.jpg").write_bytes(jpeg(64, 48, seed=1, quality=60))
    out = import_photos(root, "--report", tmp_path / name)
    assert f"{root / 'b.jpg'}: the same as {root / 'a.jpg'}" in out
    assert "complete_report writes them into the report" in out
    assert "itself, imported before" in import_photos(root)
    assert complete(tmp_path / name) == "0 photos look like others; 2 are still being compared.\n"
    for step in ("metadata", "renditions", "neighbours"):
        drain(step)
    assert complete(tmp_path / name) == "2 photos look like others; 0 are still being compared.\n"
    found = {Path(row.path).name: Path(row.looks_like).name for row in read_rows(tmp_path / name)}
    assert found == {"a.jpg": "small.jpg", "b.jpg": "", "small.jpg": "a.jpg"}


def test_what_is_no_report_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("hello\nworld\n")
    with pytest.raises(CommandError, match="is no report"):
        complete(tmp_path / "notes.csv")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["hello\nworld\n"]


def complete(path: Path) -> str:
    out = io.StringIO()
    call_command("complete_report", str(path), stdout=out)
    return out.getvalue()
