"""What becomes of tags, vectors, faces, persons and users."""

from collections.abc import Callable

import pytest

from chitra.accounts.models import User
from chitra.legacy.models import Kind, LegacySystem, Outcome
from chitra.legacy.tests.conftest import ending
from chitra.legacy.tests.old_server import OldServer, picture
from faces.models import Face, FaceEmbedding, Person
from photos.models import Photo, Tag
from search.models import PhotoEmbedding

Command = Callable[..., str]


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
