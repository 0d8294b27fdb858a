"""What Picasa keeps in a folder: read with its pictures, by imports and by scans."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from chitra.sources.models import Folder
from chitra.sources.picasa import TURNED, parse, read_contacts
from chitra.sources.tests.scans import scan
from chitra.sources.tests.trees import put_picture
from chitra.sources.xmp_writer import Sidecar, write
from faces.models import Face
from faces.regions import Box
from photos.models import Album, Library, Photo
from photos.steps import read_metadata
from photos.tests.pictures import turned_jpeg
from photos.tests.raws import dng

LIST = rb"""[Picasa]
name=Holidays
[.album:5f3a]
name=Best of &#82;ome
token=5f3a
[Contacts2]
8e62398ebda8c1a5=Charlie;;
d736528ba71f2254=;;
[A.jpg]
star=yes
caption=At the fountain\nat night
keywords=sea, Italy
rotate=rotate(1)
faces=rect64(1999333380009999),8e62398ebda8c1a5;rect64(3f845bcb59418507),ffffffffffffffff
albums=5f3a,unknown
geotag=41.9,12.5
backuphash=4711
[b.jpg]
faces=rect64(33338000cccc),8E62398EBDA8C1A5
hidden=yes
"""
"""Edges at 0.1, 0.2, 0.5 and 0.6; and at 0, 0.2, 0.5 and 0.8, whose first digits are missing."""


def test_a_list_says_what_people_see_in_picasa() -> None:
    entries = parse(LIST)
    a, b = entries["a.jpg"], entries["b.jpg"]
    assert a.albums == ("Best of Rome",)
    assert a.remark == TURNED
    assert a.details.is_favorite
    assert (a.details.description, a.details.tags) == ("At the fountain\nat night", ("sea", "Italy"))
    assert (a.details.latitude, a.details.longitude) == (41.9, 12.5)
    (face,) = a.details.faces
    assert face.name == "Charlie"
    assert face.box == pytest.approx((0.1, 0.2, 0.5, 0.6), abs=1e-4)
    assert b.details.faces[0].box == pytest.approx((0, 0.2, 0.5, 0.8), abs=1e-4)
    assert b.details.is_archived
    assert (b.albums, b.remark) == ((), "")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\0x",
        b"star=yes\n[a.jpg",
        b"[a.jpg]\nfaces=rect64(),1;rect64(zz),2;rect64(11112222333344445),3\ngeotag=1\n=\n[]\n",
        b"[a.jpg]\ngeotag=nan,nan\nfaces=rect64(9999999900000000),1\nkeywords=,,\nalbums=,",
    ],
)
def test_what_is_broken_says_nothing(data: bytes) -> None:
    entry = parse(b"[Contacts2]\n1=Charlie;;\n" + data).get("a.jpg")
    assert entry is None or entry == type(entry)(type(entry.details)())


def test_null_characters_which_no_text_may_have_are_left_out() -> None:
    entries = parse(b"[a.jpg]\ncaption=x\0y\nkeywords=s\0ea\n")
    assert (entries["a.jpg"].details.description, entries["a.jpg"].details.tags) == ("xy", ("sea",))


def test_old_lists_are_in_the_letters_of_windows() -> None:
    assert parse("[a.jpg]\r\ncaption=Zürich\r\n".encode("cp1252"))["a.jpg"].details.description == "Zürich"


def test_one_endless_line_costs_no_time() -> None:
    parse(b"[a.jpg]\ncaption" + b" " * 3_000_000 + b"x\nfaces=" + b"rect64(1),1;" * 80_000)


def test_names_come_from_picasas_contacts_too() -> None:
    contacts = read_contacts(b'<contacts><contact id="D736528BA71F2254" name="Bob" email=""/></contacts>')
    faces = b"[a.jpg]\nfaces=rect64(1999333380009999),d736528ba71f2254"
    assert parse(LIST + faces, contacts)["a.jpg"].details.faces[0].name == "Bob"
    assert read_contacts(b"<addresses/>") == read_contacts(b"<") == {}


@pytest.mark.parametrize("name", [".picasa.ini", "Picasa.ini"])
def test_an_import_takes_what_picasa_says(
    name: str, import_photos: Callable[..., str], tmp_path: Path
) -> None:
    root = tmp_path / "in"
    put_picture(root / "Rome" / "a.jpg", 1)
    put_picture(root / "b.jpg", 2)
    (root / "Rome" / name).write_bytes(LIST)
    out = import_photos(root, "--report", tmp_path / "report.csv")
    assert "2 imported, 0 already there, 0 not pictures, 0 failed" in out
    photo = Photo.objects.get(original_name="a.jpg")
    assert (photo.description, photo.is_favorite) == ("At the fountain\nat night", True)
    assert photo.albums.get().name == "Best of Rome"
    assert sorted(tag.name for tag in photo.tags.all()) == ["Italy", "sea"]
    assert Face.objects.get(photo=photo).person.name == "Charlie"  # type: ignore[union-attr]
    assert TURNED in (tmp_path / "report.csv").read_text()
    assert not Photo.objects.get(original_name="b.jpg").is_archived  # another folder's b.jpg was meant
    assert Album.objects.count() == 1


def test_a_sidecar_goes_before_picasa(import_photos: Callable[..., str], tmp_path: Path) -> None:
    put_picture(tmp_path / "in" / "a.jpg", 1)
    (tmp_path / "in" / ".picasa.ini").write_bytes(LIST)
    packet = write(Sidecar(datetime(2024, 5, 1, 12), title="Rome"), [], width=64, height=48)
    (tmp_path / "in" / "a.jpg.xmp").write_bytes(packet)
    import_photos(tmp_path / "in")
    read_metadata([Photo.objects.get().pk])
    photo = Photo.objects.get()
    assert (photo.title, photo.description) == ("Rome", "At the fountain\nat night")


@pytest.mark.parametrize(
    ("data", "box"),
    [(turned_jpeg(6), (0.4, 0.1, 0.8, 0.5)), (dng(width=64, height=48, orientation=6), (0.1, 0.2, 0.5, 0.6))],
    ids=["JPEG", "raw"],
)
def test_faces_lie_as_a_picture_is_stored_but_as_a_raw_file_is_shown(
    data: bytes, box: Box, import_photos: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(data)
    (tmp_path / "in" / ".picasa.ini").write_bytes(LIST)
    import_photos(tmp_path / "in")
    assert Face.objects.get().box == pytest.approx(box, abs=1e-4)


@pytest.mark.parametrize("mode", Folder.Mode.values)
def test_a_scan_reads_it_with_the_pictures_and_when_it_changes(
    mode: str, root: Path, library: Library, media: Path
) -> None:
    folder = Folder.objects.create(library=library, path=str(root), mode=mode)
    put_picture(root / "in" / "a.jpg", 1)
    put_picture(root / "in" / "deeper" / "a.jpg", 2)
    (root / "in" / ".picasa.ini").write_bytes(LIST)
    assert scan(folder) == {"added": 2, "refused": 1}
    photo, other = (Photo.objects.get(source_path=f"{root}/in/{name}a.jpg") for name in ("", "deeper/"))
    assert photo.is_favorite
    assert not other.is_favorite
    assert photo.albums.get().name == "Best of Rome"
    assert Face.objects.get(photo=photo).person.name == "Charlie"  # type: ignore[union-attr]

    (root / "in" / ".picasa.ini").write_bytes(LIST.replace(b"sea, Italy", b"sea, Italy, night"))
    assert scan(folder) == {"refused": 1, "unchanged": 2}
    assert sorted(tag.name for tag in photo.tags.all()) == ["Italy", "night", "sea"]
    assert not other.tags.exists()
    assert Face.objects.count() == 1


def test_a_changed_list_brings_nothing_back_that_people_took_away(folder: Folder, root: Path) -> None:
    put_picture(root / "a.jpg", 1)
    (root / ".picasa.ini").write_bytes(LIST)
    scan(folder)
    photo = Photo.objects.get()
    Photo.objects.update(is_favorite=False, description="", latitude=None, longitude=None)
    photo.albums.get().entries.all().delete()
    photo.tags.all().delete()
    Face.objects.all().delete()

    more = LIST.replace(b"keywords=sea", b"hidden=yes\nkeywords=night,sea").replace(b"[A.jpg]", b"[a.JPG]")
    (root / ".picasa.ini").write_bytes(more)
    assert scan(folder) == {"refused": 1, "unchanged": 1}
    photo.refresh_from_db()
    assert photo.is_archived
    assert photo.tags.get().name == "night"
    assert (photo.is_favorite, photo.description, photo.latitude) == (False, "", None)
    assert not photo.albums.exists()
    assert not Face.objects.exists()


def test_a_star_that_was_taken_and_given_again_in_picasa_counts(folder: Folder, root: Path) -> None:
    put_picture(root / "a.jpg", 1)
    for star in (b"star=yes\n", b"", b"star=yes\n"):
        Photo.objects.update(is_favorite=False)
        (root / ".picasa.ini").write_bytes(b"[a.jpg]\n" + star)
        scan(folder)
        assert Photo.objects.get().is_favorite == bool(star)


def test_what_a_list_said_goes_with_a_picture_that_moves(folder: Folder, root: Path) -> None:
    put_picture(root / "in" / "a.jpg", 1)
    put_picture(root / "b.jpg", 2)
    (root / "in" / ".picasa.ini").write_bytes(LIST)
    (root / ".picasa.ini").write_bytes(b"[Picasa]\n")
    scan(folder)
    Photo.objects.update(is_favorite=False)
    (root / "in" / "a.jpg").rename(root / "a.jpg")
    (root / "in" / ".picasa.ini").replace(root / ".picasa.ini")
    scan(folder)
    assert not Photo.objects.filter(is_favorite=True).exists()


def test_other_bytes_at_a_path_are_another_photo_which_the_list_speaks_for(
    folder: Folder, root: Path
) -> None:
    Folder.objects.update(mode="copied")
    put_picture(root / "a.jpg", 1)
    (root / ".picasa.ini").write_bytes(LIST)
    scan(folder)
    put_picture(root / "a.jpg", 2)
    scan(folder)
    assert Photo.objects.filter(is_favorite=True).count() == 2


@pytest.mark.parametrize("name", ["PICASA.INI", "Picasa.ini", ".Picasa.INI"])
def test_a_scan_finds_a_list_in_any_capitals(name: str, folder: Folder, root: Path) -> None:
    put_picture(root / "a.jpg", 1)
    (root / name).write_bytes(LIST)
    scan(folder)
    assert Photo.objects.get().is_favorite
