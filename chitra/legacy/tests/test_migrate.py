"""The whole way: an old server's database and files, both commands, and what is here afterwards."""

import hashlib
import json
import math
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError

from chitra.accounts.models import User
from chitra.legacy.models import Kind, LegacySystem, Outcome
from chitra.legacy.tests.old_server import OldServer, picture, unit_vector
from faces.models import Face, FaceEmbedding, Person
from photos.models import Library, Photo, PhotoStep, Tag
from photos.steps import read_metadata
from photos.storages import originals, read_bytes
from search.models import PhotoEmbedding

Command = Callable[..., str]
GENERATOR = Path(settings.BASE_DIR).parent / "shared" / "legacy" / "make_legacy_fixture.py"


def ending(kind: Kind, key: object) -> tuple[str, str]:
    """Status and case of a row."""
    outcome = Outcome.objects.get(kind=kind, source_key=str(key))
    return outcome.status, outcome.code


@pytest.fixture
def arrive(migrate: Command, verify: Command, old_server: OldServer) -> Callable[[], None]:
    """Migrate, verify, and migrate once more, which must find nothing to do."""

    def run() -> None:
        migrate(*old_server.arguments)
        verify(*old_server.arguments)
        before = (Photo.objects.count(), Tag.objects.count(), Face.objects.count(), Outcome.objects.count())
        migrate(*old_server.arguments)
        assert before == (
            Photo.objects.count(), Tag.objects.count(), Face.objects.count(), Outcome.objects.count(),
        )  # fmt: skip

    return run


# ---------------------------------------------------------------- photos


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


# ---------------------------------------------------------------- tags, vectors, faces, persons


def test_tags_are_merged_by_their_highest_score(old_server: OldServer, arrive: Command) -> None:
    photo_id = old_server.photo("photos/2023/03/a.jpg")
    old_server.tag(photo_id, "city", 0.2)
    again = old_server.tag(photo_id, "city", 0.27)
    old_server.tag(photo_id, "grandma's garden", 1.0)
    long, empty = old_server.tag(photo_id, "x" * 300), old_server.tag(photo_id, " ")
    arrive()
    assert set(Tag.objects.values_list("name", "score", "source")) == {
        ("city", 0.27, "machine"), ("grandma's garden", 1.0, "person"), ("x" * 200, 0.25, "machine"),
    }  # fmt: skip
    assert ending(Kind.TAGS, again) == ("duplicate", "same_tag")
    assert ending(Kind.TAGS, long) == ("imported", "tag_shortened")
    assert ending(Kind.TAGS, empty) == ("left out", "empty_tag")


def test_the_newest_readable_vector_is_kept_under_its_own_version(
    old_server: OldServer, arrive: Command
) -> None:
    photo_id = old_server.photo("photos/2023/03/a.jpg")
    old_server.embedding(photo_id, seed=1)
    newest = old_server.embedding(photo_id, seed=2)
    bad_size = old_server.embedding(photo_id, dim=768)
    not_finite = old_server.embedding(photo_id, vector=b"\x00\x00\xc0\x7f" * 512)
    arrive()
    kept = PhotoEmbedding.objects.get()
    assert kept.encoder.version == "legacy:openai/clip-vit-base-patch32"
    assert ending(Kind.EMBEDDINGS, newest) == ("imported", "")
    assert (
        ending(Kind.EMBEDDINGS, bad_size) == ending(Kind.EMBEDDINGS, not_finite) == ("failed", "bad_vector")
    )


def test_faces_keep_id_vector_and_person_and_their_box_is_turned(
    old_server: OldServer, arrive: Command
) -> None:
    anna = old_server.insert("persons", name="anna")
    machine = old_server.insert("persons", name="Person 2")
    photo_id = old_server.photo("photos/2023/03/a.jpg", picture("turned", orientation=6))
    by_hand = old_server.face(photo_id, 0, box=(0, 0, 16, 12), person_id=anna)
    by_machine = old_server.face(photo_id, 1, box=(40, 30, 40, 40), person_id=machine)
    dangling = old_server.face(photo_id, 2, box=(0, 30, 8, 8), person_id=777_777)
    without_box = old_server.face(photo_id, 3, box=None)
    outside = old_server.face(photo_id, 4, box=(900, 900, 10, 10))
    blurred = old_server.face(photo_id, 5, box=(20, 20, 8, 8), embedding=b"short")
    arrive()
    face = Face.objects.get(pk=by_hand)
    assert face.box == pytest.approx((0.75, 0, 1, 0.25))
    assert (face.person_id, face.assigned_by) == (anna, "person")
    assert FaceEmbedding.objects.get(face=face).model.version == "legacy:buffalo_l"
    assert ending(Kind.FACES, by_machine) == ("imported", "box_clipped")
    assert Face.objects.get(pk=by_machine).assigned_by == "machine"
    assert ending(Kind.FACES, dangling) == ("imported", "person_gone")
    assert Face.objects.get(pk=dangling).person is None
    assert ending(Kind.FACES, without_box) == ending(Kind.FACES, outside) == ("failed", "no_box")
    assert ending(Kind.FACES, blurred) == ("imported", "no_vector")


def test_faces_on_something_that_is_no_picture_fail(old_server: OldServer, arrive: Command) -> None:
    face = old_server.face(old_server.photo("photos/2023/03/letter.jpg", b"%PDF-1.4"))
    arrive()
    assert ending(Kind.FACES, face) == ("failed", "picture_unreadable")


def test_no_person_is_lost(old_server: OldServer, arrive: Command) -> None:
    nobody = old_server.insert("persons", name="nobody here")
    spaced = old_server.insert("persons", name=" nobody  here ")
    long = old_server.insert("persons", name="x" * 150)
    arrive()
    assert Person.objects.get(pk=nobody).name == "nobody here"
    assert ending(Kind.PERSONS, spaced) == ("duplicate", "same_name")
    assert Person.objects.get(pk=long).name == "x" * 100
    assert Outcome.objects.get(kind=Kind.PERSONS, source_key=str(long)).reason == "x" * 150


def test_rows_of_deleted_photos_are_left_out(old_server: OldServer, arrive: Command) -> None:
    tag, vector = old_server.tag(900_000, "travel"), old_server.embedding(900_000)
    face = old_server.face(900_000)
    thumb = old_server.insert("face_thumbs", face_id=face, thumb_path="thumbnails/faces/face_1.jpg")
    arrive()
    for kind, key in ((Kind.TAGS, tag), (Kind.EMBEDDINGS, vector), (Kind.FACES, face)):
        assert ending(kind, key) == ("left out", "photo_row_gone")
    assert ending(Kind.FACE_THUMBS, thumb) == ("left out", "derived")


def test_rows_added_after_the_first_run_come_with_the_next(old_server: OldServer, arrive: Command) -> None:
    photo_id = old_server.photo("photos/2023/03/a.jpg", picture("turned", orientation=3))
    arrive()
    face = old_server.face(photo_id, box=(0, 0, 16, 12))
    old_server.tag(photo_id, "late")
    old_server.photo("photos/2023/03/b.jpg")
    arrive()
    assert Face.objects.get(pk=face).box == pytest.approx((0.75, 0.75, 1, 1))
    assert Photo.objects.count() == 2


# ---------------------------------------------------------------- users


def test_users_come_with_their_passwords(old_server: OldServer, arrive: Command) -> None:
    import bcrypt

    secret = "legacy-pass-1" + "x" * 70
    hashed = bcrypt.hashpw(secret.encode()[:72], bcrypt.gensalt(4)).decode()
    for name, email, role, active, approved in (
        ("admin", "admin@example.org", "admin", 1, 1), ("alice", None, "user", 1, 1),
        ("pending", "pending@example.org", "user", 1, 0), ("gone", "gone@example.org", "user", 0, 1),
    ):  # fmt: skip
        old_server.insert(
            "users", username=name, email=email, password_hash=hashed, role=role, is_active=active,
            is_whitelisted=approved, created_at="2025-12-09 06:00:00",
        )  # fmt: skip
    arrive()
    users = {user.email: user for user in User.objects.all()}
    assert users["admin@example.org"].is_superuser
    assert users["alice@legacy.invalid"].check_password(secret)
    assert not users["alice@legacy.invalid"].check_password("wrong")
    assert not users["pending@example.org"].is_active
    assert not users["gone@example.org"].is_active
    assert users["pending@example.org"].is_pending
    assert not users["gone@example.org"].is_pending
    library = LegacySystem.objects.get().library
    assert dict(library.memberships.values_list("user__email", "role")) == {
        "admin@example.org": "owner", "alice@legacy.invalid": "editor", "gone@example.org": "editor",
    }  # fmt: skip
    assert ending(Kind.USERS, 2) == ("imported", "address_made_up")
    assert ending(Kind.USERS, 3) == ending(Kind.USERS, 4) == ("imported", "not_active")


def test_an_account_that_is_here_is_not_changed(old_server: OldServer, arrive: Command, alice: User) -> None:
    old_server.insert("users", username="a", email="ALICE@example.org", password_hash="plain", role="admin")
    arrive()
    alice.refresh_from_db()
    assert not alice.is_superuser
    assert ending(Kind.USERS, 1) == ("duplicate", "account_exists")


# ---------------------------------------------------------------- the commands


def test_the_source_is_never_changed(old_server: OldServer, arrive: Command) -> None:
    old_server.fill(2)

    def state() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in old_server.root.rglob("*") if path.is_file()}

    before = state()
    arrive()
    assert state() == before


def test_a_dry_run_decides_and_writes_nothing(
    old_server: OldServer, migrate: Command, tmp_path: Path, media: Path
) -> None:
    old_server.fill(3)
    old_server.photo("photos/2023/03/lost.jpg", stored=False)
    old_server.photo("photos/2023/01/again.jpg", picture("photos/2023/01/IMG_00000.jpg"))
    old_server.put("photos/2021/12/orphan.jpg", picture("orphan"))  # gets an id that no row has
    report = tmp_path / "report.json"
    assert "Nothing was written" in migrate(*old_server.arguments, "--dry-run", "--report", str(report))
    photos = json.loads(report.read_text())["outcomes"]["photos"]
    assert (photos["imported"], photos["duplicate"], photos["failed: original_missing"]) == (3, 1, 1)
    assert not Photo.objects.exists()
    assert not LegacySystem.objects.exists()
    assert not media.exists()


def test_the_report_lists_everything_that_is_not_plain(
    old_server: OldServer, migrate: Command, tmp_path: Path
) -> None:
    lost = old_server.photo("photos/2023/03/lost.jpg", stored=False)
    report = tmp_path / "report.json"
    migrate(*old_server.arguments, "--report", str(report))
    (listed,) = json.loads(report.read_text())["listed"]
    assert (listed["kind"], listed["key"], listed["case"]) == ("photos", str(lost), "original_missing")


def test_another_database_needs_another_name(old_server: OldServer, migrate: Command, tmp_path: Path) -> None:
    old_server.photo("photos/2023/03/a.jpg")
    migrate(*old_server.arguments)
    other = OldServer(tmp_path / "other")
    other.photo("photos/2024/05/b.jpg")
    with pytest.raises(CommandError, match="--name") as refused:
        migrate(*other.arguments)
    assert refused.value.returncode == 2
    migrate(*other.arguments, "--name", "other")
    assert Photo.objects.count() == 2


def test_no_database_is_wrong_usage(old_server: OldServer, migrate: Command, tmp_path: Path) -> None:
    for content in (b"", b"no database at all, but some text"):
        (tmp_path / "bad.db").write_bytes(content)
        with pytest.raises(CommandError) as refused:
            migrate("--sqlite", str(tmp_path / "bad.db"), "--path", str(old_server.files))
        assert refused.value.returncode == 2


@pytest.mark.parametrize("schema", ["flask", "latest"])
def test_the_other_schemas_are_read_too(
    tmp_path: Path, migrate: Command, verify: Command, schema: str
) -> None:
    old = OldServer(tmp_path / "old", schema)
    old.fill(1)
    if schema == "latest":
        video = old.photo("photos/2025/01/film.mp4", b"\0\0\0\x18ftypmp42 a film", media_type="video")
        person = old.insert("persons", name="bob")
        face = old.face(1, 1, box=(40, 30, 10, 10), person_id=person, assigned_by="match")
        old.embedding(video, dim=768, vector=unit_vector(7, 768), model="google/siglip2-base-patch16-224")
    migrate(*old.arguments)
    verify(*old.arguments)
    assert Photo.objects.filter(pk=1).exists()
    if schema == "latest":
        assert Photo.objects.get(pk=video).mime_type == "video/mp4"
        assert Face.objects.get(pk=face).assigned_by == "machine"
        assert PhotoEmbedding.objects.filter(
            encoder__version="legacy:google/siglip2-base-patch16-224"
        ).exists()


def test_verification_sees_a_changed_byte_a_lost_object_and_a_lost_face(
    old_server: OldServer, migrate: Command, verify: Command, media: Path
) -> None:
    old_server.fill(3)
    migrate(*old_server.arguments)
    changed, lost, _ = Photo.objects.order_by("pk")
    path = media / "originals" / changed.original_key
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    originals().delete(lost.original_key)
    Face.objects.filter(photo=lost).delete()
    with pytest.raises(CommandError, match="3 differences"):
        verify(*old_server.arguments)


@pytest.mark.skipif(not GENERATOR.exists(), reason="the generator of larger old systems is not here")
@pytest.mark.parametrize("schema", ["flask", "fastapi", "latest"])
def test_a_generated_old_system_with_all_oddities(
    tmp_path: Path, migrate: Command, verify: Command, schema: str
) -> None:
    old = tmp_path / "generated"
    subprocess.run(
        [sys.executable, GENERATOR, old, "--photos=40", "--size=160x120", f"--schema={schema}", "--users"],
        check=True, capture_output=True,
    )  # fmt: skip
    arguments = ["--sqlite", str(old / "photo.db"), "--path", str(old / "storage")]
    migrate(*arguments)
    assert "Every row and file is accounted for" in verify(*arguments)
    manifest = json.loads((old / "manifest.json").read_text())
    counts = manifest["counts"]
    assert Outcome.objects.filter(kind=Kind.PHOTOS).count() == counts["photos"]
    # One original is missing, one lies on the old server's disk, one repeats another; one file has no row.
    assert Photo.objects.count() == counts["photos"] - 3 + 1
    assert Person.objects.count() == counts["persons"]
    for photo_id, original in manifest["originals"].items():
        photo = Photo.objects.filter(pk=photo_id).first()
        if original["key"] not in manifest["odd"]["original_missing"]:
            assert photo is not None
            assert (photo.original_key, photo.sha1, photo.size) == (
                original["key"], original["sha1"], original["size"],
            )  # fmt: skip
    assert math.isclose(Tag.objects.count(), counts["tags"], rel_tol=0.1)
