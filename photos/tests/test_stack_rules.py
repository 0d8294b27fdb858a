"""Which photos are one stack: by names, time, camera and look."""

import random
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count, permutations
from typing import Any

import pytest

from photos.stacks.rules import BITS_64, File, Planned, plan

NOON = datetime(2024, 5, 1, 12)
LOOK = 0x5A5A_A5A5_0FF0_F00F
OTHER_LOOK = LOOK ^ BITS_64
numbers = count(1)


def file(name: str, seconds: float | None = 0, **facts: Any) -> File:
    wall = None if seconds is None else NOON + timedelta(seconds=seconds)
    is_raw = name.endswith((".NEF", ".dng"))
    usual: dict[str, Any] = {"camera": "Nikon Z6", "look": LOOK, "pixels": (6000, 4000), "size": 1000}
    return File(pk=next(numbers), name=name, wall=wall, is_raw=is_raw, **(usual | facts))


def in_folder(name: str, folder: str = "/a", **facts: Any) -> File:
    return file(name, source_path=f"{folder}/{name}", **facts)


def kinds(*files: File) -> list[tuple[str, tuple[str, ...]]]:
    """Kinds and names, in the order of each stack."""
    names = {one.pk: one.name for one in files}
    return [(one.kind, tuple(names[pk] for pk in one.members)) for one in plan(files)]


def test_a_raw_file_stands_behind_its_picture() -> None:
    assert kinds(in_folder("A.NEF"), in_folder("A.JPG")) == [("raw", ("A.JPG", "A.NEF"))]


def test_in_one_folder_the_name_is_enough() -> None:
    assert kinds(
        in_folder("A.NEF", seconds=None, camera=""), in_folder("A.HEIC", seconds=None, camera="")
    ) == [("raw", ("A.HEIC", "A.NEF"))]


def test_in_one_folder_time_and_camera_may_speak_against_it() -> None:
    assert kinds(in_folder("A.NEF"), in_folder("A.JPG", seconds=60)) == []
    assert kinds(in_folder("A.NEF"), in_folder("A.JPG", camera="Canon R5")) == []


def test_without_a_folder_time_and_camera_must_be_the_same() -> None:
    assert kinds(file("A.NEF"), file("A.JPG", 0.5)) == [("raw", ("A.JPG", "A.NEF"))]
    assert kinds(file("A.NEF"), file("A.JPG", 60)) == []
    assert kinds(file("A.NEF", camera=""), file("A.JPG", camera="")) == []
    assert kinds(file("A.NEF"), file("B.JPG", look=OTHER_LOOK)) == []


def test_raw_files_in_a_folder_of_their_own_are_found_by_time() -> None:
    assert kinds(in_folder("A.NEF", "/a/raw"), in_folder("A.JPG", "/a")) == [("raw", ("A.JPG", "A.NEF"))]


@pytest.mark.parametrize(
    ("original", "edited"),
    [
        ("IMG_1234.HEIC", "IMG_E1234.HEIC"),
        ("IMG_1.jpg", "IMG_1-edited.jpg"),
        ("IMG_1(2).jpg", "IMG_1-edited(2).jpg"),
        ("IMG_1(2).jpg", "IMG_1(2)-edited.jpg"),
        ("IMG_1.HEIC", "IMG_1_edited.jpeg"),
        ("PXL_1.jpg", "PXL_1~2.jpg"),
    ],
)
def test_an_edited_copy_stands_before_its_original(original: str, edited: str) -> None:
    assert kinds(in_folder(original), in_folder(edited, seconds=None)) == [("edited", (edited, original))]


@pytest.mark.parametrize("parts", [("a-001.zip", "a-002.zip"), ("a", "b")])
def test_parts_of_one_takeout_are_one_folder(parts: tuple[str, str]) -> None:
    one, two = (f"/a/{part}/Takeout/Google Photos/Rome" for part in parts)
    files = in_folder("A.jpg", one, camera=""), in_folder("A-edited.jpg", two, camera="")
    assert kinds(*files) == [("edited", ("A-edited.jpg", "A.jpg"))]
    other = in_folder("A-edited.jpg", f"/b/{parts[1]}/Takeout/Google Photos/Rome", camera="")
    assert kinds(files[0], other) == []


def test_raw_picture_and_edited_copy_are_one_stack() -> None:
    files = in_folder("A.NEF"), in_folder("A.JPG"), in_folder("A-edited.jpg")
    assert kinds(*files) == [("raw", ("A-edited.jpg", "A.JPG", "A.NEF"))]


def test_two_pictures_of_one_name_are_no_stack() -> None:
    assert kinds(in_folder("A.JPG", look=OTHER_LOOK), in_folder("A.HEIC")) == []


def test_shots_that_follow_each_other_and_look_alike_are_a_burst() -> None:
    files = [file(f"{number}.JPG", number * 0.5) for number in range(4)]
    assert kinds(*files) == [("burst", ("0.JPG", "1.JPG", "2.JPG", "3.JPG"))]


def test_the_largest_file_is_the_cover_of_a_burst() -> None:
    assert kinds(file("1.JPG"), file("2.JPG", 1, size=2000), file("3.JPG", 2)) == [
        ("burst", ("2.JPG", "1.JPG", "3.JPG"))
    ]


@pytest.mark.parametrize(
    "other",
    [
        {"seconds": 2.5},
        {"camera": "Canon R5"},
        {"look": OTHER_LOOK},
        {"look": LOOK ^ 0xFFFF},
        {"look": None},
        {"pixels": (4000, 6000)},
        {"seconds": None},
    ],
)
def test_different_photos_are_no_burst(other: dict[str, Any]) -> None:
    assert kinds(file("1.JPG"), file("2.JPG", **({"seconds": 1} | other))) == []


def test_even_areas_have_no_look() -> None:
    assert kinds(file("1.JPG", look=0), file("2.JPG", look=0)) == []


def test_who_pans_takes_different_pictures() -> None:
    """Each looks like the one before, the last one not like the first."""
    looks = [LOOK, LOOK ^ 0x3FF, LOOK ^ 0xFFFFF, LOOK ^ 0x3FFFFFFF]
    files = [file(f"{number}.JPG", number, look=look) for number, look in enumerate(looks)]
    assert kinds(*files) == [("burst", ("0.JPG", "1.JPG")), ("burst", ("2.JPG", "3.JPG"))]


def test_a_time_lapse_is_no_burst() -> None:
    assert kinds(*(file(f"{number}.JPG", number) for number in range(70))) == []
    assert kinds(file("1.JPG", in_time_lapse=True), file("2.JPG", in_time_lapse=True)) == []


def test_a_mark_is_enough_for_a_burst() -> None:
    files = file("1.HEIC", burst="B1"), file("2.HEIC", 50, burst="B1", look=OTHER_LOOK)
    assert kinds(*files) == [("burst", ("1.HEIC", "2.HEIC"))]


def test_the_phone_chooses_the_cover_of_a_marked_burst() -> None:
    names = "IMG_20170820_105216_BURST001.jpg", "IMG_20170820_105216_BURST002_COVER.jpg"
    files = [
        file(name, burst="img_20170820_105216", size=size) for name, size in zip(names, (9, 5), strict=True)
    ]
    assert kinds(*files) == [("burst", (names[1], names[0]))]


def test_a_burst_of_raw_files_and_pictures_is_one_stack() -> None:
    files = [file(f"{number}.{type}", number) for number in (1, 2) for type in ("NEF", "JPG")]
    assert kinds(*files) == [("burst", ("1.JPG", "1.NEF", "2.JPG", "2.NEF"))]


def test_the_order_of_the_files_changes_nothing() -> None:
    files = [
        in_folder("A.NEF"),
        in_folder("A.JPG", size=1500),
        in_folder("B.JPG", seconds=1),
        in_folder("A-edited.jpg", seconds=None, camera=""),
    ]
    plans = {tuple(plan(order)) for order in permutations(files)}
    assert plans == {(Planned("burst", (files[3].pk, files[1].pk, files[0].pk, files[2].pk)),)}


def test_no_photo_is_in_two_stacks() -> None:
    chance = random.Random(4)
    for _ in range(50):
        files = [
            replace(
                in_folder(
                    f"{chance.choice('AB')}{chance.choice(['', '-edited'])}.JPG", chance.choice(["/a", ""])
                ),
                is_raw=chance.random() < 0.3,
                wall=NOON + timedelta(seconds=chance.randrange(4)),
                burst=chance.choice(["", "", "X"]),
            )
            for _ in range(8)
        ]
        members = [pk for planned in plan(files) for pk in planned.members]
        assert len(members) == len(set(members))
