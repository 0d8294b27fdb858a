"""Originals as one zip."""

import io
import tracemalloc
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from photos import archive
from photos.models import Photo
from photos.storages import object_store, originals
from photos.tests.pictures import jpeg

AddPhoto = Callable[..., Photo]


def zipped(photos: Any) -> zipfile.ZipFile:
    data = b"".join(archive.zip_chunks(archive.entries_of(photos)))
    return zipfile.ZipFile(io.BytesIO(data))


def test_the_zip_has_every_original_byte_for_byte(add_photo: AddPhoto) -> None:
    for seed in range(3):
        add_photo(jpeg(seed=seed), name=f"{seed}.jpg")
    file = zipped(Photo.objects.order_by("pk"))
    assert file.testzip() is None
    assert {name: file.read(name) for name in file.namelist()} == {
        f"{seed}.jpg": jpeg(seed=seed) for seed in range(3)
    }


def test_names_are_unique_in_any_case_and_usable_everywhere() -> None:
    names = ["a.jpg", "A.JPG", "a (2).jpg", "a.jpg", "b:c?.jpg", "..", "MISSING.txt", "Strand 🏖.jpg"]
    unique = list(archive.unique_names(names))
    assert len({name.casefold() for name in unique}) == len(names)
    assert unique[:2] == ["a.jpg", "A (2).JPG"]
    assert unique[4:6] == ["b_c_.jpg", "unnamed"]
    assert unique[6] != "MISSING.txt"
    assert unique[7] == "Strand 🏖.jpg"


def test_an_original_that_is_gone_is_named_and_the_rest_is_there(add_photo: AddPhoto) -> None:
    gone, _ = add_photo(jpeg(seed=1), name="gone.jpg"), add_photo(jpeg(seed=2), name="here.jpg")
    originals().delete(gone.original_key)
    file = zipped(Photo.objects.order_by("pk"))
    assert file.namelist() == ["here.jpg", "MISSING.txt"]
    assert "gone.jpg" in file.read("MISSING.txt").decode()


def test_no_photos_make_an_empty_zip(db: None) -> None:
    assert zipped(Photo.objects.none()).namelist() == []


def test_memory_stays_flat(media: Any) -> None:
    writer = object_store(originals()).open_writer("1/large.jpg")
    for _ in range(48):
        writer.write(bytes(1024 * 1024))
    writer.commit()
    tracemalloc.start()
    total = sum(map(len, archive.zip_chunks([archive.Entry("large.jpg", "1/large.jpg", 48 * 1024 * 1024)])))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total > 48 * 1024 * 1024
    assert peak < 8 * 1024 * 1024


def test_a_response_may_end_before_the_zip_does(add_photo: AddPhoto) -> None:
    import asyncio

    for seed in range(3):
        add_photo(jpeg(seed=seed), name=f"{seed}.jpg")
    entries = archive.entries_of(Photo.objects.order_by("pk"))

    async def take_one() -> bytes:
        stream: Any = archive.zip_stream(entries)
        first: bytes = await anext(stream)
        await stream.aclose()
        return first

    assert asyncio.run(take_one()).startswith(b"PK")


@pytest.mark.parametrize("count", [1, 5])
def test_the_list_of_files_costs_one_query(
    add_photo: AddPhoto, count: int, django_assert_num_queries: Any
) -> None:
    for seed in range(count):
        add_photo(jpeg(seed=seed))
    with django_assert_num_queries(1):
        assert len(archive.entries_of(Photo.objects.all())) == count
