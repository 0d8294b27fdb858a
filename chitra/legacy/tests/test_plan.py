"""Decisions from values alone."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings

from chitra.legacy import cases, plan
from chitra.legacy.boxes import Shape, turn_box
from chitra.legacy.files import LocalRoot
from chitra.legacy.ftp import FtpAddress
from chitra.legacy.plan import FaceDraft, People
from chitra.legacy.rows import FaceRow, PhotoRow


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_follows_its_pixels_when_the_picture_is_turned(orientation: int) -> None:
    from PIL import Image, ImageOps

    stored = Image.new("L", (60, 40))
    stored.paste(255, (6, 4, 18, 20))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.info["exif"] = exif.tobytes()
    upright = ImageOps.exif_transpose(stored)
    turned = turn_box((6, 4, 12, 16), Shape(60, 40, orientation))
    assert turned is not None
    bounds = upright.getbbox()
    assert bounds is not None
    left, top, right, bottom = bounds
    width, height = upright.size
    assert turned.box == pytest.approx((left / width, top / height, right / width, bottom / height))
    assert not turned.was_clipped


def test_a_box_is_cut_to_the_picture() -> None:
    turned = turn_box((-10, -10, 20, 200), Shape(100, 100))
    assert turned is not None
    assert turned.box == (0, 0, 0.1, 1)
    assert turned.was_clipped


@pytest.mark.parametrize("box", [(100, 0, 10, 10), (0, -20, 10, 10), (5, 5, 0, 10), (5, 5, -3, 10)])
def test_a_box_without_area_in_the_picture_is_none(box: tuple[float, float, float, float]) -> None:
    assert turn_box(box, Shape(100, 100)) is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2023-04-05T06:07:08", datetime(2023, 4, 5, 6, 7, 8, tzinfo=UTC)),
        ("2023-04-05 06:07:08.123", datetime(2023, 4, 5, 6, 7, 8, tzinfo=UTC)),
        ("2023:04:05 06:07:08", datetime(2023, 4, 5, 6, 7, 8, tzinfo=UTC)),
        ("0000:00:00 00:00:00", None),
        ("2023-02-30T00:00:00", None),
        ("0001-01-01T00:00:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_both_spellings_of_a_date_are_read(text: str, moment: datetime | None) -> None:
    assert plan.wall_clock(text) == moment


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0000000000000001", 1),
        ("ffffffffffffffff", -1),
        ("8000000000000000", -(2**63)),
        ("", None),
        ("xyz", None),
    ],
)
def test_a_perceptual_hash_is_a_signed_number(text: str, value: int | None) -> None:
    assert plan.perceptual_hash(text) == value


@pytest.mark.parametrize(
    "key", ["photos/2023/01/IMG 1 copy.jpg", "photos/2023/01/Größe#1 100%.JPG", "photos/2023/01/写真.jpg"]
)
def test_readable_keys_are_kept(key: str) -> None:
    assert plan.is_safe_key(key)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/abs.jpg",
        "a/../b.jpg",
        "a//b.jpg",
        "./a.jpg",
        "a\\b.jpg",
        "a\nb.jpg",
        "x" * 501,
        "a/" + "ü" * 150,
        "\udcff.jpg",
        "folders/1/of/somebody.jpg",
        "quarantine/1.jpg",
    ],
)
def test_keys_that_some_storage_would_refuse_are_not(key: str) -> None:
    assert not plan.is_safe_key(key)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ((0.0, -0.0), (0.0, 0.0)),
        ((91.0, 0.0), (None, None)),
        ((None, 5.0), (None, None)),
        ((-33.5, 151.2), (-33.5, 151.2)),
    ],
)
def test_impossible_places_are_none(place: tuple[float | None, float], expected: tuple[float, float]) -> None:
    assert plan.place(PhotoRow(1, "a", latitude=place[0], longitude=place[1])) == expected


def test_what_people_said_wins_when_faces_are_merged() -> None:
    people = People(ids={1: 10, 2: 20}, named={1})
    shape = Shape(100, 100)

    def merged(person_id: int | None, by_person: bool, row: FaceRow) -> int | None:
        face = FaceDraft((0, 0, 0.5, 0.5), person_id, by_person, pk=1)
        plan.plan_faces([row], shape, people, [face])
        return face.person_id

    named, grouped = FaceRow(1, 1, (0, 0, 50, 50), person_id=1), FaceRow(1, 1, (0, 0, 50, 50), person_id=2)
    assert merged(None, False, grouped) == 20
    assert merged(20, False, named) == 10
    assert merged(10, True, grouped) == 10
    assert merged(10, False, grouped) == 10


def test_two_faces_of_one_old_photo_stay_two_however_near() -> None:
    rows = [FaceRow(1, 1, (0, 0, 50, 50)), FaceRow(2, 1, (2, 2, 50, 50))]
    known: list[FaceDraft] = []
    plan.plan_faces(rows, Shape(100, 100), People(), known)
    assert len(known) == 2


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("photos/2023/01/a.jpg", "original"),
        ("a.jpg", "original"),
        ("thumbnails/photos/1.jpg", "thumbnail"),
        (".thumbs/1.jpg", "thumbnail"),
        ("thumbnails/faces/face_1.jpg", "face thumbnail"),
        (".faces/face_1.jpg", "face thumbnail"),
        ("videos/playback/1.mp4", "playback copy"),
    ],
)
def test_files_are_classed_by_their_place(key: str, kind: str) -> None:
    assert plan.class_of(key) == kind


def test_an_ftp_address_is_read_with_its_odd_password() -> None:
    address = FtpAddress.parse("ftp://chitra:p%40ss%2F@nas:2121/photo/base/")
    assert (address.host, address.port, address.password, address.base) == (
        "nas",
        2121,
        "p@ss/",
        "photo/base",
    )
    assert (
        FtpAddress.parse("ftp://chitra@nas", password="from the environment").password
        == "from the environment"
    )
    with pytest.raises(ValueError):
        FtpAddress.parse("http://nas/")


def test_a_local_root_lets_nothing_out(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "a.jpg").write_bytes(b"a")
    (tmp_path / "secret.jpg").write_bytes(b"s")
    (inside / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    root = LocalRoot.parse(f"/srv/photos={inside}")
    assert root.find("/srv/photos/a.jpg") == inside / "a.jpg"
    for path in ("/srv/photos/../secret.jpg", "/srv/photos/link.jpg", "/srv/photosx/a.jpg", "/etc/passwd"):
        assert root.find(path) is None


def test_the_guide_explains_every_case() -> None:
    guide = (Path(settings.BASE_DIR) / "docs" / "migration.md").read_text(encoding="utf-8")
    known = {
        **cases.DECIDED_FAILURES,
        **cases.PASSING_FAILURES,
        **cases.LEFT_OUT,
        **cases.DUPLICATES,
        **cases.REMARKS,
    }
    assert [code for code in known if f"`{code}`" not in guide] == []
