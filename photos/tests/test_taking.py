"""Groups of files: one commit for all, and none at the cost of another."""

import errno
import io
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection
from django.test.utils import CaptureQueriesContext

from jobs.steps import all_steps
from photos import keeping, services, taking
from photos.importing import import_folder
from photos.keeping import Ingested, Origin, StoredFile
from photos.models import Library, Photo, PhotoStep
from photos.services import IncomingFile, RejectedFile, finish_all, receive
from photos.storages import files as photos_files
from photos.storages import originals, own_store, read_bytes
from photos.taking import SourceFile, in_groups, take_all
from photos.tests.pictures import jpeg

STEPS = sum(not step.on_demand for step in all_steps())


def stored(media: Path) -> list[str]:
    """Keys of all originals, temporary files too."""
    folder = media / "originals"
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def received(library: Library, *contents: bytes) -> list[IncomingFile]:
    return [
        receive(Origin(library, f"{number}.jpg"), io.BytesIO(data)) for number, data in enumerate(contents)
    ]


def source(library: Library, data: bytes, name: str = "a.jpg") -> SourceFile:
    return SourceFile(Origin(library, name), len(data), partial(io.BytesIO, data))


def take(library: Library, *contents: bytes) -> list[Any]:
    """Each file in its order as it ended."""
    groups = take_all(contents, lambda data: source(library, data))
    return [outcome for group in groups for _, outcome in group]


def put(folder: Path, count: int) -> None:
    folder.mkdir(exist_ok=True)
    for number in range(count):
        (folder / f"{number}.jpg").write_bytes(jpeg(48, 32, seed=number))


def statements(action: Callable[[], Any]) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        action()
    return len(queries)


def test_a_group_is_as_many_files_as_one_commit_is_worth() -> None:
    assert [len(group) for group in in_groups(range(70), lambda size: size)] == [32, 32, 6]


def test_a_group_of_large_files_ends_where_memory_would() -> None:
    sizes = [20 * 1024 * 1024] * 4
    assert [len(group) for group in in_groups(sizes, lambda size: size)] == [2, 2]


def test_many_files_cost_as_many_statements_as_one(library: Library, media: Path) -> None:
    one = received(library, jpeg(seed=1))
    many = received(library, *(jpeg(32, 32, seed=seed) for seed in range(2, 22)))
    costs = [statements(partial(finish_all, files)) for files in (one, many)]
    assert costs[0] == costs[1]
    assert Photo.objects.count() == 21
    assert PhotoStep.objects.count() == 21 * STEPS


def test_nothing_has_a_row_before_its_bytes_are_durable(
    library: Library, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = received(library, jpeg(seed=1), jpeg(seed=2))
    keep = keeping.keep_photos
    seen: list[bytes] = []

    def look(kept: Any) -> Any:
        seen.extend(read_bytes(originals(), photo.original_key) for photo in kept)
        return keep(kept)

    monkeypatch.setattr(services, "keep_photos", look)
    finish_all(files)
    assert sorted(seen) == sorted([jpeg(seed=1), jpeg(seed=2)])


def test_an_object_that_does_not_become_durable_takes_only_its_own_row_along(
    library: Library, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [OSError(errno.EIO, "Input/output error")]

    def fail_once(path: Path) -> None:
        if failures:
            raise failures.pop()

    monkeypatch.setattr(own_store(), "fsync", True)
    monkeypatch.setattr(photos_files, "sync_directory", fail_once)
    outcomes = finish_all(received(library, *(jpeg(seed=seed) for seed in range(3))))
    kinds = sorted(type(outcome).__name__ for outcome in outcomes)
    assert kinds == ["Ingested", "Ingested", "StorageUnavailable"]
    assert stored(media) == sorted(Photo.objects.values_list("original_key", flat=True))
    assert PhotoStep.objects.count() == 2 * STEPS


def test_of_a_duplicate_whose_commit_began_nothing_stays(
    library: Library, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_store(), "fsync", True)
    finish_all(received(library, jpeg(seed=1), jpeg(seed=2)))
    again = finish_all(received(library, jpeg(seed=2), jpeg(seed=1)))
    assert all(isinstance(outcome, Ingested) and outcome.is_duplicate for outcome in again)
    assert stored(media) == sorted(Photo.objects.values_list("original_key", flat=True))


def test_the_same_bytes_twice_in_a_group_are_one_photo(library: Library, media: Path) -> None:
    first, twin, other = finish_all(received(library, jpeg(seed=1), jpeg(seed=1), jpeg(seed=2)))
    assert isinstance(first, Ingested)
    assert isinstance(twin, Ingested)
    assert (first.is_duplicate, twin.is_duplicate, twin.photo) == (False, True, first.photo)
    assert isinstance(other, Ingested)
    assert stored(media) == sorted([first.photo.original_key, other.photo.original_key])


def test_bytes_that_somebody_was_faster_with_are_answered_with_that_photo(
    library: Library, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = received(library, jpeg(seed=1), jpeg(seed=2))
    (theirs,) = finish_all(received(library, jpeg(seed=2)))
    monkeypatch.setattr(services, "known_photos", lambda *arguments: {})  # it came after we looked
    mine, late = finish_all(files)
    assert isinstance(mine, Ingested)
    assert isinstance(late, Ingested)
    assert isinstance(theirs, Ingested)
    assert (mine.is_duplicate, late.is_duplicate, late.photo) == (False, True, theirs.photo)
    assert len(stored(media)) == Photo.objects.count() == 2


def test_a_row_that_is_refused_takes_only_its_own_bytes_along(
    library: Library, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = keeping.insert

    def refuse_the_second(photos: Any) -> Any:
        if any(photo.original_name == "1.jpg" for photo in photos):
            raise DataError("value out of range")
        return insert(photos)

    monkeypatch.setattr(keeping, "insert", refuse_the_second)
    outcomes = finish_all(received(library, *(jpeg(seed=seed) for seed in range(3))))
    assert [isinstance(outcome, Ingested) for outcome in outcomes] == [True, False, True]
    assert isinstance(outcomes[1], DataError)
    assert stored(media) == sorted(Photo.objects.values_list("original_key", flat=True))


def test_what_a_column_cannot_hold_is_refused_and_never_cut(library: Library, media: Path) -> None:
    files = [file.commit() for file in received(library, jpeg(seed=1), jpeg(seed=2))]
    assert all(isinstance(file, StoredFile) for file in files)
    long = replace(files[1], key="x" * 3000)  # type: ignore[type-var]
    kept = keeping.keep_photos([keeping.photo_of(file) for file in (files[0], long)])  # type: ignore[arg-type]
    assert [type(outcome) for outcome in kept] == [Ingested, DataError]


def test_rows_say_what_their_photos_do_the_usual_and_the_unusual(library: Library, media: Path) -> None:
    stored = [file.commit() for file in received(library, jpeg(seed=1), jpeg(seed=2))]
    plain, rich = [keeping.photo_of(file) for file in stored if isinstance(file, StoredFile)]
    rich.title, rich.rating, rich.thumbhash = '50 % of {it}, "so"', 4, b"\0%"
    rich.deleted_at, rich.latitude, rich.is_favorite = plain.created_at, 1.5, True
    made = keeping.insert([plain, rich])
    for photo in (plain, rich):
        row = Photo.objects.get(pk=made[photo.uuid])
        for field in Photo._meta.concrete_fields[1:]:
            value = getattr(row, field.attname)
            assert (bytes(value) if field.name == "thumbhash" else value) == getattr(photo, field.attname)


def test_a_file_that_is_no_picture_does_not_stop_the_group(library: Library, media: Path) -> None:
    good, bad, empty = take(library, jpeg(), b"text", b"")
    assert isinstance(good, Ingested)
    assert isinstance(bad, RejectedFile)
    assert bad.code == "unsupported_type"
    assert isinstance(empty, RejectedFile)
    assert stored(media) == [good.photo.original_key]


def test_who_gives_up_leaves_rows_for_what_was_answered_and_nothing_else(
    library: Library, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "GROUP_FILES", 2)
    groups = take_all([jpeg(seed=seed) for seed in range(9)], lambda data: source(library, data))
    assert len(next(groups)) == 2
    groups.close()
    assert Photo.objects.count() == 2
    assert stored(media) == sorted(Photo.objects.values_list("original_key", flat=True))


@pytest.mark.django_db(transaction=True)
def test_a_database_that_went_away_after_the_commit_makes_nothing_twice(
    library: Library, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "DATABASE_PAUSES_SECONDS", (0,))
    insert, failures = keeping.insert, [OperationalError("server closed the connection")]

    def lose_the_answer(photos: Any) -> Any:
        made = insert(photos)
        if failures:
            raise failures.pop()
        return made

    monkeypatch.setattr(keeping, "insert", lose_the_answer)
    outcomes = take(library, *(jpeg(seed=seed) for seed in range(3)))
    assert [isinstance(outcome, Ingested) and outcome.is_duplicate for outcome in outcomes] == [False] * 3
    assert stored(media) == sorted(Photo.objects.values_list("original_key", flat=True))
    assert Photo.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_folder_at_once_make_each_photo_once(
    library: Library, media: Path, tmp_path: Path
) -> None:
    put(tmp_path / "folder", 80)
    start = threading.Barrier(3)
    counts: list[tuple[int, int]] = []

    def run() -> None:
        try:
            start.wait()
            report = import_folder(library=library, root=tmp_path / "folder")
            counts.append((report.imported, report.seen))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(imported for imported, _ in counts) == 80
    assert [seen for _, seen in counts] == [80] * 3
    assert stored(media) == sorted(Photo.objects.values_list("original_key", flat=True))
    assert Photo.objects.count() == 80
    assert PhotoStep.objects.count() == 80 * STEPS
