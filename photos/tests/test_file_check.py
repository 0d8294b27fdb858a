"""check_files on real storages."""

import csv
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command

from jobs import tasks
from photos import file_check
from photos.models import Photo
from photos.storages import object_store, originals, renditions


@pytest.fixture(autouse=True)
def everything_is_old(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(file_check, "YOUNG", timedelta(seconds=-1))
    settings.STATE_DIR = tmp_path / "state"


def check(tmp_path: Path, *options: str) -> tuple[int, list[tuple[str, str]]]:
    """Exit status, and kind and action of each finding."""
    path = tmp_path / "report.csv"
    status = 0
    try:
        call_command("check_files", "--csv", str(path), *options, stdout=(tmp_path / "out").open("w"))
    except SystemExit as end:
        status = int(str(end.code))
    with path.open() as file:
        return status, [(row["kind"], row["action"]) for row in csv.DictReader(file)]


def test_a_library_in_order_has_no_differences(add_photo: Callable[..., Photo], tmp_path: Path) -> None:
    add_photo()
    tasks.drain("metadata")
    tasks.drain("renditions")
    assert check(tmp_path, "--digests") == (0, [])


def test_a_missing_original_is_found_and_comes_back_from_quarantine(
    add_photo: Callable[..., Photo], tmp_path: Path
) -> None:
    photo = add_photo()
    object_store(originals()).move(photo.original_key, f"quarantine/{photo.original_key}")
    assert check(tmp_path) == (1, [("missing_original", "")])
    assert check(tmp_path, "--repair") == (0, [("missing_original", "brought back from quarantine")])
    assert check(tmp_path, "--digests") == (0, [])


def test_an_original_without_a_row_is_set_aside_and_never_deleted(
    media: Path, tmp_path: Path, db: None
) -> None:
    originals().save("1/ab/lost.jpg", ContentFile(b"bytes"))
    assert check(tmp_path) == (1, [("original_without_row", "")])
    assert check(tmp_path, "--repair") == (0, [("original_without_row", "moved to quarantine/")])
    assert originals().open("quarantine/1/ab/lost.jpg").read() == b"bytes"
    assert check(tmp_path) == (0, [])


def test_a_young_object_may_belong_to_an_upload_under_way(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    monkeypatch.setattr(file_check, "YOUNG", timedelta(days=1))
    originals().save("1/ab/new.jpg", ContentFile(b"bytes"))
    assert check(tmp_path, "--repair") == (0, [])


def test_changed_bytes_are_found_by_size_and_by_digest(
    add_photo: Callable[..., Photo], media: Path, tmp_path: Path
) -> None:
    short, flipped = add_photo(seed=1), add_photo(seed=2)
    (media / "originals" / short.original_key).write_bytes(b"short")
    path = media / "originals" / flipped.original_key
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert check(tmp_path) == (1, [("size_differs", "")])
    assert check(tmp_path, "--digests") == (1, [("size_differs", ""), ("digest_differs", "")])
    assert check(tmp_path, "--digests", "--repair")[0] == 1  # there is no good copy
    assert path.read_bytes() == data


def test_a_missing_rendition_is_made_again(add_photo: Callable[..., Photo], tmp_path: Path) -> None:
    photo = add_photo()
    tasks.drain("renditions")
    renditions().delete(photo.rendition_key("thumbnail"))
    assert check(tmp_path, "--repair") == (0, [("missing_rendition", "step made pending")])
    tasks.drain("renditions")
    assert check(tmp_path) == (0, [])


def test_a_rendition_without_a_photo_is_deleted(media: Path, tmp_path: Path, db: None) -> None:
    renditions().save(f"1/ab/{'ab' * 16}/thumbnail.webp", ContentFile(b"x"))
    assert check(tmp_path, "--repair") == (0, [("rendition_without_row", "deleted")])


def test_what_a_killed_writer_left_is_deleted(media: Path, tmp_path: Path, db: None) -> None:
    object_store(originals()).open_writer("1/ab/killed.jpg").write(b"half")
    assert check(tmp_path) == (1, [("leftover", "")])
    assert check(tmp_path, "--repair") == (0, [("leftover", "deleted")])
    assert check(tmp_path) == (0, [])


def test_a_run_goes_on_where_the_last_one_stopped(add_photo: Callable[..., Photo], tmp_path: Path) -> None:
    for seed in range(3):
        originals().delete(add_photo(seed=seed).original_key)
    statuses = []
    for _ in range(10):
        status, findings = check(tmp_path, "--seconds", "0.000001")
        statuses.append(status)
        if status != 3:
            break
    assert statuses == [3, 3, 3, 1]
    assert [kind for kind, _ in findings] == ["missing_original"] * 3
