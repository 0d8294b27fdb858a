"""What becomes of the old server's photos and their files."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError

from chitra.legacy.models import Kind, Outcome
from chitra.legacy.tests.conftest import ending
from chitra.legacy.tests.old_server import OldServer, picture
from faces.models import Face
from photos.models import Library, Photo, PhotoStep, Tag
from photos.steps import read_metadata
from photos.storages import originals, read_bytes

Command = Callable[..., str]


def test_a_photo_keeps_its_id_key_dates_place_and_checksum(old_server: OldServer, arrive: Command) -> None:
    old_server.photo("photos/2023/03/first.jpg")
    photo_id = old_server.photo(
        "photos/2023/03/IMG_1.JPG", exif_datetime="2022:12:31 23:59:58", latitude=-33.5, longitude=151.2
    )
    arrive()
    photo = Photo.objects.get(pk=photo_id)
    data = picture("photos/2023/03/IMG_1.JPG")
    assert photo.original_key == "photos/2023/03/IMG_1.JPG"
    assert photo.original_name == "IMG_1.JPG"
    assert photo.taken_at == datetime(2022, 12, 31, 23, 59, 58, tzinfo=UTC)
    assert photo.created_at == datetime(2023, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert (photo.latitude, photo.longitude) == (-33.5, 151.2)
    assert (photo.sha1, photo.size) == (hashlib.sha1(data).hexdigest(), len(data))
    assert photo.checksum == hashlib.sha256(data).hexdigest()
    assert photo.perceptual_hash == 1 - 2**63
    assert photo.mime_type == "image/jpeg"
    assert read_bytes(originals(), photo.original_key) == data
    assert set(PhotoStep.objects.filter(photo=photo).values_list("status", flat=True)) == {"pending"}


def test_new_photos_get_ids_above_all_old_ones(old_server: OldServer, arrive: Command) -> None:
    gone = old_server.photo("photos/2023/03/gone.jpg")
    old_server.connection.execute("DELETE FROM photos WHERE id = ?", [gone])
    old_server.connection.execute("UPDATE sqlite_sequence SET seq = 500 WHERE name = 'photos'")
    old_server.photo("photos/2023/03/stays.jpg")
    arrive()
    library = Library.objects.get()
    new = Photo.objects.create(
        library=library, original_name="n", original_key="n", checksum="n", sha1="n", size=1, mime_type="m",
        taken_at=datetime.now(UTC),
    )  # fmt: skip
    assert new.pk > 501


@pytest.mark.parametrize(
    ("exif", "created", "expected", "source"),
    [
        ("2022-05-06T07:08:09", "2023-01-01T00:00:00", datetime(2022, 5, 6, 7, 8, 9), "exif_original"),
        ("0000:00:00 00:00:00", "2023-01-01 00:00:01", datetime(2023, 1, 1, 0, 0, 1), "upload"),
        ("", "2023-01-01T00:00:02", datetime(2023, 1, 1, 0, 0, 2), "upload"),
        (None, "2023-01-01T00:00:03", datetime(2023, 1, 1, 0, 0, 3), "upload"),
    ],
)
def test_the_best_readable_date_counts(
    old_server: OldServer, arrive: Command, exif: str, created: str, expected: datetime, source: str
) -> None:
    photo_id = old_server.photo("photos/2023/03/a.jpg", exif_datetime=exif, created_at=created)
    arrive()
    photo = Photo.objects.get(pk=photo_id)
    assert (photo.taken_at, photo.taken_at_source) == (expected.replace(tzinfo=UTC), source)


@pytest.mark.parametrize(
    "name", ["IMG 0001 copy.jpg", "Größe#1 100%.JPG", "写真.jpg", "a'b;c.JPEG", "x_1.jpg"]
)
def test_odd_names_stay_readable_keys(old_server: OldServer, arrive: Command, name: str) -> None:
    photo_id = old_server.photo(f"photos/2023/03/{name}")
    arrive()
    assert Photo.objects.get(pk=photo_id).original_key == f"photos/2023/03/{name}"


def test_a_key_with_dots_is_found_there_and_gets_a_safe_key_here(
    old_server: OldServer, arrive: Command
) -> None:
    key = "photos/2026/11/../../x.jpg"
    photo_id = old_server.photo(key)
    arrive()
    photo = Photo.objects.get(pk=photo_id)
    assert ".." not in photo.original_key
    assert photo.original_key.endswith(".jpg")
    assert photo.source_path == key
    assert Photo.objects.count() == 1, "the same file is no orphan under its plain name"


def test_a_missing_original_is_told_with_all_that_hung_on_it(old_server: OldServer, arrive: Command) -> None:
    photo_id = old_server.photo("photos/2023/03/lost.jpg", stored=False)
    tag, face = old_server.tag(photo_id, "city"), old_server.face(photo_id)
    arrive()
    assert ending(Kind.PHOTOS, photo_id) == ("failed", "original_missing")
    assert ending(Kind.TAGS, tag) == ending(Kind.FACES, face) == ("failed", "photo_failed")
    assert not Photo.objects.exists()
    old_server.put("photos/2023/03/lost.jpg", picture("photos/2023/03/lost.jpg"))
    arrive()
    assert ending(Kind.PHOTOS, photo_id) == ending(Kind.FACES, face) == ("imported", "")


def test_an_original_that_came_back_is_a_difference(
    old_server: OldServer, migrate: Command, verify: Command
) -> None:
    old_server.photo("photos/2023/03/lost.jpg", stored=False)
    migrate(*old_server.arguments)
    old_server.put("photos/2023/03/lost.jpg", b"found")
    with pytest.raises(CommandError, match="1 differences"):
        verify(*old_server.arguments)


def test_a_local_path_is_imported_where_it_can_be_read(
    old_server: OldServer, migrate: Command, verify: Command, tmp_path: Path
) -> None:
    here = tmp_path / "disk"
    here.mkdir()
    (here / "local.jpg").write_bytes(picture("local"))
    found = old_server.photo("/home/someone/Pictures/local.jpg", picture("local"), stored=False)
    outside = old_server.photo("/etc/passwd", b"secret", stored=False)
    migrate(*old_server.arguments)
    assert ending(Kind.PHOTOS, found) == ("failed", "local_path")
    roots = ["--local-root", f"/home/someone/Pictures={here}"]
    migrate(*old_server.arguments, *roots)
    verify(*old_server.arguments, *roots)
    assert Photo.objects.get(pk=found).source_path == "/home/someone/Pictures/local.jpg"
    assert ending(Kind.PHOTOS, outside) == ("failed", "local_path")


def test_two_rows_with_the_same_bytes_become_one_photo_with_all_tags_and_faces(
    old_server: OldServer, arrive: Command, media: Path
) -> None:
    anna = old_server.insert("persons", name="anna")
    data = picture("same")
    first, second = (
        old_server.photo("photos/2023/03/a.jpg", data),
        old_server.photo("photos/2023/03/a_1.jpg", data),
    )
    old_server.tag(first, "city", 0.2)
    old_server.tag(second, "city", 0.3)
    old_server.tag(second, "night", 0.1)
    kept = old_server.face(first)
    repeated, other = (
        old_server.face(second, person_id=anna),
        old_server.face(second, 1, box=(40, 30, 10, 10)),
    )
    arrive()
    assert ending(Kind.PHOTOS, second) == ("duplicate", "same_bytes")
    assert Outcome.objects.get(kind=Kind.PHOTOS, source_key=str(second)).target_id == first
    assert dict(Tag.objects.values_list("name", "score")) == {"city": 0.3, "night": 0.1}
    assert ending(Kind.FACES, repeated) == ("duplicate", "same_face")
    assert set(Face.objects.values_list("pk", "person_id")) == {(kept, anna), (other, None)}
    assert not (media / "originals/photos/2023/03/a_1.jpg").exists()


def test_bytes_that_are_here_already_are_a_duplicate(
    old_server: OldServer, arrive: Command, add_photo: Callable[..., Photo]
) -> None:
    here = add_photo(picture("photos/2023/03/a.jpg"))
    photo_id = old_server.photo("photos/2023/03/a.jpg")
    arrive()
    assert Photo.objects.get() == here
    assert Outcome.objects.get(kind=Kind.PHOTOS, source_key=str(photo_id)).target_id == here.pk


def test_an_id_that_is_taken_gives_way(
    old_server: OldServer, arrive: Command, add_photo: Callable[..., Photo]
) -> None:
    taken = add_photo()
    old_server.connection.execute("INSERT INTO sqlite_sequence VALUES ('photos', ?)", [taken.pk - 1])
    photo_id = old_server.photo("photos/2023/03/a.jpg")
    assert photo_id == taken.pk
    arrive()
    assert ending(Kind.PHOTOS, photo_id) == ("imported", "new_id")
    assert Photo.objects.exclude(pk=taken.pk).get().original_key == "photos/2023/03/a.jpg"


def test_an_overwritten_original_is_kept_as_it_is(old_server: OldServer, arrive: Command) -> None:
    photo_id = old_server.photo("photos/2023/03/a.jpg")
    old_server.put("photos/2023/03/a.jpg", picture("another"))
    arrive()
    assert ending(Kind.PHOTOS, photo_id) == ("imported", "checksum_differs")
    assert Photo.objects.get(pk=photo_id).sha1 == hashlib.sha1(picture("another")).hexdigest()


def test_files_without_a_row_become_photos_when_they_are_pictures(
    old_server: OldServer, arrive: Command
) -> None:
    old_server.photo("photos/2023/03/a.jpg")
    old_server.put("photos/2021/12/orphan.jpg", picture("orphan"))
    old_server.put("photos/2021/12/copy.jpg", picture("photos/2023/03/a.jpg"))
    old_server.put("photos/notes.txt", b"not a picture")
    old_server.put("thumbnails/photos/1.jpg", picture("thumbnail"))
    old_server.put("thumbnails/faces/face_1.jpg", picture("face"))
    arrive()
    assert ending(Kind.FILES, "photos/2021/12/orphan.jpg") == ("imported", "orphan_object")
    assert ending(Kind.FILES, "photos/2021/12/copy.jpg") == ("duplicate", "same_bytes")
    assert ending(Kind.FILES, "photos/notes.txt") == ("left out", "not_a_picture")
    assert Photo.objects.count() == 2


@pytest.mark.parametrize(("name", "data", "mime"), [
    ("DSC09999.ARW", picture("arw"), "image/jpeg"),
    ("letter.jpg", b"%PDF-1.4 a letter", "image/jpeg"),
    ("letter.pdf", b"%PDF-1.4 a letter", "application/pdf"),
])  # fmt: skip
def test_any_bytes_of_a_row_are_kept(
    old_server: OldServer, arrive: Command, name: str, data: bytes, mime: str
) -> None:
    photo_id = old_server.photo(f"photos/2023/03/{name}", data)
    arrive()
    photo = Photo.objects.get(pk=photo_id)
    assert photo.mime_type == mime
    assert read_bytes(originals(), photo.original_key) == data


def test_an_empty_original_fails_with_its_reason(old_server: OldServer, arrive: Command) -> None:
    photo_id = old_server.photo("photos/2023/03/a.jpg", b"")
    arrive()
    assert ending(Kind.PHOTOS, photo_id) == ("failed", "empty_file")


def test_reading_the_metadata_anew_does_not_lose_the_place(old_server: OldServer, arrive: Command) -> None:
    photo_id = old_server.photo("photos/2023/03/a.jpg", latitude=47.5, longitude=8.5)
    arrive()
    read_metadata([photo_id])
    photo = Photo.objects.get(pk=photo_id)
    assert (photo.latitude, photo.longitude) == (47.5, 8.5)
    assert photo.taken_at == datetime(2023, 3, 1, 10, tzinfo=UTC)
