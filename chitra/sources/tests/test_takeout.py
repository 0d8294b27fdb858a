"""Sidecars of Google Takeout: names as they come out of real exports, and what is in them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chitra.sources.takeout import LONGEST, SUFFIX, album_title, index, parse, sidecar_of

LONG = "Screenshot_2021-03-04-18-22-31-123_com.example.application.jpg"
UUID = "e2b0c5a8-7d1f-4c1e-9a64-0d8b6f6b7a11.jpg"


@pytest.mark.parametrize(
    ("name", "sidecar"),
    [
        ("IMG_1.jpg", "IMG_1.jpg.json"),
        ("IMG_1.JPG", "IMG_1.jpg.json"),
        ("IMG_1(1).jpg", "IMG_1.jpg(1).json"),
        ("IMG_1(12).jpg", "IMG_1.jpg(12).json"),
        ("IMG_1(1).jpg", "IMG_1(1).jpg.json"),
        ("IMG_1.jpg", "IMG_1.jpg.supplemental-metadata.json"),
        ("IMG_1(2).jpg", "IMG_1.jpg.supplemental-metadata(2).json"),
        ("IMG_1.jpg", "IMG_1.jpg.supplemental-meta.json"),
        ("IMG_1.jpg", "IMG_1.jpg.suppl.json"),
        ("IMG_1.jpg", "IMG_1.jpg.s.json"),
        ("IMG_1.jpg", "IMG_1.jpg..json"),
        ("IMG_1(3).jpg", "IMG_1.jpg.suppl(3).json"),
        ("IMG_20200101_123456789_HDR.jpg", ("IMG_20200101_123456789_HDR.jpg" + SUFFIX)[:LONGEST] + ".json"),
        (UUID, (UUID + SUFFIX)[:LONGEST] + ".json"),
        (LONG, LONG[:LONGEST] + ".json"),
        (LONG[:47] + ".jpg", LONG[:LONGEST] + ".json"),
        ("IMG_1-edited.jpg", "IMG_1.jpg.json"),
        ("IMG_1-edited.jpg", "IMG_1.heic.supplemental-metadata.json"),
        ("IMG_1-edited(1).jpg", "IMG_1.jpg(1).json"),
        ("IMG_1(1)-edited.jpg", "IMG_1.jpg(1).json"),
        ("IMG_1-bearbeitet.jpg", "IMG_1.jpg.supplemental-metadata.json"),
        ("IMG_1-modifié.jpg", "IMG_1.jpg.json"),
        ("IMG_1-ha editado.jpg", "IMG_1.jpg.json"),
        ("IMG_1-muokattua kuvaa.jpg", "IMG_1.jpg.json"),
        ("IMG_1-edi.jpg", "IMG_1.jpg.supplemental-metadata.json"),
        ("IMG_1-COLLAGE(1).jpg", "IMG_1.jpg(1).json"),
        (
            "Screenshot_20220207_102421_com.snapchat.android.jpg",
            "Screenshot_20220207_102421_com.snapchat.androi.json",
        ),
        ("D7157814-D2D5-4A62-AFCE-9CF465CB7D66.jpeg", "D7157814-D2D5-4A62-AFCE-9CF465CB7D66.jpeg.supp.json"),
        ("IMG_1.MP4", "IMG_1.HEIC.json"),
        ("IMG_1(1).MOV", "IMG_1.HEIC.supplemental-metadata(1).json"),
        ("PXL_20230101_101010.MP", "PXL_20230101_101010.jpg.json"),
        ("PXL_20230101_101010.MP", "PXL_20230101_101010.MP.jpg.supplemental-metada.json"),
        ("title without extension.png", "title without extension.json"),
        ("a (1).jpg", "a (1).jpg.json"),
    ],
)
def test_a_file_finds_its_sidecar(name: str, sidecar: str) -> None:
    others = ["metadata.json", "IMG_2.jpg.json", "IMG_1.png.supplemental-metadata.json", "IMG_11.jpg.json"]
    assert sidecar_of(name, index([sidecar, *others])) == sidecar


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("IMG_1.jpg", ["IMG_1.jpg(1).json", "IMG_10.jpg.json", "IMG_1.jp.json"]),
        ("IMG_1(1).jpg", ["IMG_1.jpg.json", "IMG_1.jpg(2).json", "IMG_1.jpg.supplemental-metadata.json"]),
        ("IMG_1.jpg", ["IMG_1.jpg.supplemental-other.json", "metadata.json"]),
        ("IMG-2.jpg", ["IMG.jpg.json"]),
        ("IMG_1-b2.jpg", ["IMG_1.jpg.json"]),
    ],
)
def test_a_file_does_not_take_the_sidecar_of_another(name: str, others: list[str]) -> None:
    assert sidecar_of(name, index(others)) is None


def test_the_exact_sidecar_comes_before_one_that_is_shared() -> None:
    names = ["IMG_1.jpg.json", "IMG_1-edited.jpg.json", "IMG_1.jpg(1).json"]
    assert sidecar_of("IMG_1-edited.jpg", index(names)) == "IMG_1-edited.jpg.json"
    assert sidecar_of("IMG_1.jpg", index(names)) == "IMG_1.jpg.json"


def as_json(**values: Any) -> bytes:
    return json.dumps({"title": "a.jpg", "photoTakenTime": {"timestamp": "1577880000"}} | values).encode()


def test_a_sidecar_says_when_where_who_and_how() -> None:
    details = parse(
        as_json(
            description="On the beach",
            geoData={"latitude": 0.0, "longitude": 0.0},
            geoDataExif={"latitude": 48.1, "longitude": -11.5},
            people=[{"name": "Alice"}, {"name": " Bob "}, {"name": "Alice"}, {}],
            favorited=True,
            archived=True,
        )
    )
    assert details is not None
    assert details.taken_at == datetime(2020, 1, 1, 12, tzinfo=UTC)
    assert (details.latitude, details.longitude) == (48.1, -11.5)
    assert details.people == ("Alice", "Bob")
    assert (details.is_favorite, details.is_archived, details.is_trashed) == (True, True, False)
    assert details.description == "On the beach"


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"{", b"\xff", b"[" * 100_000, b'{"title": "Album"}'])
def test_other_json_is_no_sidecar(data: bytes) -> None:
    assert parse(data) is None


@pytest.mark.parametrize(
    "stamp", [None, {}, {"timestamp": "x"}, {"timestamp": "9" * 30}, {"timestamp": "0"}, 7]
)
def test_a_time_that_is_none_is_left_out(stamp: Any) -> None:
    details = parse(as_json(photoTakenTime=stamp))
    assert details is not None
    assert details.taken_at is None


@pytest.mark.parametrize(
    ("title", "album"),
    [
        ("Summer", "Summer"),
        ("Photos from 2020", ""),
        ("Fotos von 2019", ""),
        ("Photos de 2019", ""),
        ("Zdjęcia z 2019", ""),
        ("Фото за 2019 год", ""),
        ("2019 年の写真", ""),
        ("Photos from the 2020 trip", "Photos from the 2020 trip"),
        ("", ""),
    ],
)
def test_albums_have_titles_and_years_are_none(title: str, album: str) -> None:
    assert album_title(json.dumps({"title": title}).encode()) == album
