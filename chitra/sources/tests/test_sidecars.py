"""XMP files beside pictures of a scanned folder: read with them, and when they change."""

from datetime import datetime
from pathlib import Path

from chitra.sources.models import Folder
from chitra.sources.tests.scans import photo_at, scan
from chitra.sources.tests.trees import put_picture
from chitra.sources.xmp_writer import Sidecar, write
from faces import regions
from faces.models import Face
from faces.regions import Region
from photos.importing import keep_sidecar
from photos.models import Photo, PhotoStep
from photos.steps import read_metadata


def described(title: str, *named: Region) -> bytes:
    return write(Sidecar(datetime(2024, 5, 1, 12), title=title), named, width=64, height=48)


def test_sidecars_are_read_with_their_pictures_and_when_they_change(folder: Folder, root: Path) -> None:
    put_picture(root / "a.jpg", 1)
    put_picture(root / "b.jpg", 2)
    (root / "a.jpg.xmp").write_bytes(described("Rome", Region("Charlie", (0.1, 0.2, 0.5, 0.6))))
    assert scan(folder) == {"added": 2, "refused": 1}
    first, second = photo_at(root, "a.jpg"), photo_at(root, "b.jpg")
    assert titles(first, second) == ["Rome", ""]
    assert Face.objects.get(photo=first).person.name == "Charlie"  # type: ignore[union-attr]

    (root / "a.jpg.xmp").write_bytes(described("Rome at night"))
    (root / "b.XMP").write_bytes(described("The lake"))
    assert scan(folder) == {"refused": 2, "unchanged": 2}
    assert titles(first, second) == ["Rome at night", "The lake"]
    assert Face.objects.count() == 1


def test_a_sidecar_that_is_gone_or_empty_is_no_longer_believed(folder: Folder, root: Path) -> None:
    put_picture(root / "a.jpg", 1)
    sidecar = root / "a.jpg.xmp"
    sidecar.write_bytes(described("Rome"))
    scan(folder)
    photo = photo_at(root, "a.jpg")
    assert titles(photo) == ["Rome"]
    hidden = sidecar.rename(root.parent / "elsewhere")
    assert scan(folder) == {"missing": 1, "unchanged": 1}
    assert PhotoStep.objects.get(photo=photo, step="metadata").status == "pending"
    assert titles(photo) == [""]
    hidden.rename(sidecar)
    assert scan(folder) == {"back": 1, "unchanged": 1}
    assert titles(photo) == ["Rome"]
    sidecar.write_bytes(
        write(Sidecar(datetime(2024, 5, 1, 12), description="At night"), [], width=1, height=1)
    )
    scan(folder)
    assert titles(photo) == [""]
    sidecar.write_bytes(regions.write([], width=64, height=48))
    scan(folder)
    titles(photo)
    assert Photo.objects.get().description == ""


def test_one_of_two_copies_keeps_speaking_when_the_sidecar_of_the_other_goes(
    folder: Folder, root: Path
) -> None:
    for place in ("one", "two"):
        (root / place).mkdir()
        put_picture(root / place / "a.jpg", 1)
        (root / place / "a.jpg.xmp").write_bytes(described("Rome"))
    scan(folder)
    photo = Photo.objects.get()
    (root / "two" / "a.jpg.xmp").unlink()
    scan(folder)
    assert titles(photo) == ["Rome"]
    (root / "one" / "a.jpg.xmp").unlink()
    scan(folder)
    assert titles(photo) == [""]


def test_one_that_says_nothing_takes_nothing_away(folder: Folder, root: Path) -> None:
    put_picture(root / "a.jpg", 1)
    (root / "a.jpg.xmp").write_bytes(described("Rome"))
    scan(folder)
    photo = photo_at(root, "a.jpg")
    keep_sidecar(photo, b"broken")
    assert titles(photo) == ["Rome"]


def test_a_sidecar_that_moves_with_its_picture_is_read_once(folder: Folder, root: Path) -> None:
    put_picture(root / "a.jpg", 1)
    (root / "a.jpg.xmp").write_bytes(described("Rome"))
    scan(folder)
    photo = photo_at(root, "a.jpg")
    assert titles(photo) == ["Rome"]
    PhotoStep.objects.update(status="done")
    (root / "in").mkdir()
    for name in ("a.jpg", "a.jpg.xmp"):
        (root / name).rename(root / "in" / name)
    scan(folder)
    assert PhotoStep.objects.get(photo=photo, step="metadata").status == "done"
    assert photo.sidecar.xmp == described("Rome")


def titles(*photos: Photo) -> list[str]:
    """As their files and sidecars say."""
    read_metadata([photo.pk for photo in photos])
    return [Photo.objects.get(pk=photo.pk).title for photo in photos]


def test_a_sidecar_that_is_none_stops_no_scan(folder: Folder, root: Path) -> None:
    put_picture(root / "a.jpg", 1)
    (root / "a.xmp").write_bytes(b"<x:xmpmeta")
    (root / "alone.xmp").write_bytes(described("Nobody"))
    assert scan(folder) == {"added": 1, "refused": 2}
    assert titles(photo_at(root, "a.jpg")) == [""]
