"""Metadata and renditions through the ledger: what becomes of good, broken and hostile pictures."""

import resource
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jobs import tasks
from photos import steps
from photos.importing import import_folder
from photos.models import Library, Photo, PhotoStep
from photos.steps import signed_64
from photos.storages import originals, read_bytes, renditions
from photos.tests.pictures import huge, jpeg, png, taken, truncated, turned_jpeg, webp

AddPhoto = Callable[..., Photo]


def ledger_of(photo: Photo) -> dict[str, tuple[str, str]]:
    """Status and reason of each step."""
    rows = PhotoStep.objects.filter(photo=photo).values_list("step", "status", "error")
    return {step: (status, error) for step, status, error in rows}


def work() -> None:
    """Run both steps on everything, and read the photos anew."""
    tasks.drain("metadata")
    tasks.drain("renditions")


def test_what_the_camera_wrote_comes_into_the_columns(add_photo: AddPhoto) -> None:
    photo = add_photo(jpeg(exif=taken("2024:05:01 12:34:56", offset="+02:00", place=(48.5, -11.25))))
    work()
    photo.refresh_from_db()
    assert photo.taken_at == datetime(2024, 5, 1, 12, 34, 56, tzinfo=UTC)
    assert photo.taken_at_utc == datetime(2024, 5, 1, 10, 34, 56, tzinfo=UTC)
    assert (photo.utc_offset_minutes, photo.taken_at_source) == (120, "exif_original")
    assert [photo.latitude, photo.longitude] == pytest.approx([48.5, -11.25])
    assert (photo.camera_make, photo.camera_model) == ("Chitra", "Pinhole 1")
    assert photo.has_place
    assert ledger_of(photo)["metadata"] == ("done", "")


def test_a_picture_without_metadata_keeps_the_time_of_its_file(add_photo: AddPhoto) -> None:
    photo = add_photo(png())
    before = photo.taken_at
    work()
    photo.refresh_from_db()
    assert (photo.taken_at, photo.taken_at_source) == (before, "upload")
    assert not photo.has_place


def test_the_zone_comes_from_the_place_or_from_the_library(add_photo: AddPhoto) -> None:
    placed = add_photo(jpeg(exif=taken("2024:05:01 12:34:56", place=(35.6586, 139.7454))), name="a.jpg")
    other = add_photo(jpeg(exif=taken("2024:05:01 12:34:56")), name="b.jpg")
    Library.objects.update(time_zone="Europe/Paris")
    work()
    placed.refresh_from_db()
    other.refresh_from_db()
    assert (placed.time_zone, placed.zone_source, placed.utc_offset_minutes) == ("Asia/Tokyo", "place", 540)
    assert (other.time_zone, other.zone_source, other.utc_offset_minutes) == ("Europe/Paris", "library", 120)
    assert placed.taken_at == other.taken_at == datetime(2024, 5, 1, 12, 34, 56, tzinfo=UTC)


def test_a_name_dates_a_picture_at_once_and_the_next_reading_keeps_it(add_photo: AddPhoto) -> None:
    photo = add_photo(png(), name="Screenshot_20200131-123456.png")
    for _ in range(2):
        photo.refresh_from_db()
        assert (photo.taken_at, photo.taken_at_source) == (
            datetime(2020, 1, 31, 12, 34, 56, tzinfo=UTC),
            "name",
        )
        work()


def test_a_time_refused_now_falls_back_to_that_of_the_file(add_photo: AddPhoto) -> None:
    photo = add_photo(jpeg(exif=taken("1980:01:01 00:00:00")), name="a.jpg")
    start, moment = datetime(1980, 1, 1, tzinfo=UTC), datetime(2019, 5, 6, 7, 8, 9, tzinfo=UTC)
    Photo.objects.update(taken_at=start, taken_at_source="exif_original", file_modified_at=moment)
    work()
    photo.refresh_from_db()
    assert (photo.taken_at, photo.taken_at_source) == (moment, "file")


def test_renditions_are_upright_and_the_row_knows_them(add_photo: AddPhoto) -> None:
    photo = add_photo(turned_jpeg(6, 800, 600))
    work()
    photo.refresh_from_db()
    assert (photo.width, photo.height, photo.has_renditions) == (800, 600, True)
    assert photo.thumbhash
    assert photo.perceptual_hash is not None
    for kind in ("thumbnail", "preview"):
        assert read_bytes(renditions(), photo.rendition_key(kind))[8:12] == b"WEBP"
    assert ledger_of(photo)["embedding"] == ("pending", "")


def test_renditions_can_be_made_anew(add_photo: AddPhoto, media: Path) -> None:
    photo = add_photo()
    work()
    steps.make_renditions([photo.pk])
    names = sorted(path.name for path in (media / "renditions").rglob("*") if path.is_file())
    assert names == ["preview.webp", "thumbnail.webp"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (truncated(jpeg(), 0.02), ""),
        (b"\xff\xd8\xff" + b"\0" * 500, ""),
        (truncated(png(), 0.3), ""),
        (truncated(webp(), 0.3), ""),
        (huge("PNG"), "50000 x 50000 pixels are more than the limit of 300,000,000 pixels"),
        (huge("JPEG"), "50000 x 50000 pixels are more than the limit"),
        (huge("GIF"), "50000 x 50000 pixels are more than the limit"),
        (huge("BMP"), "50000 x 50000 pixels are more than the limit"),
        (huge("AVIF"), ""),
        (huge("HEIC"), ""),
    ],
    ids=[
        "head",
        "zeros",
        "png",
        "webp",
        "huge png",
        "huge jpeg",
        "huge gif",
        "huge bmp",
        "huge avif",
        "huge heic",
    ],
)
def test_a_bad_picture_fails_at_once_with_its_reason_and_the_others_go_on(
    add_photo: AddPhoto, data: bytes, reason: str
) -> None:
    good, bad, better = add_photo(seed=1), add_photo(data), add_photo(seed=2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    work()
    grown_megabytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown_megabytes < 300
    status, error = ledger_of(bad)["renditions"]
    assert status == "failed"
    assert reason in error
    assert len(error) > 10
    assert PhotoStep.objects.get(photo=bad, step="renditions").attempt == 1
    for step in ("embedding", "faces"):
        assert ledger_of(bad)[step] == ("skipped", "It needs “Thumbnail and preview”, which did not succeed.")
    assert [ledger_of(photo)["renditions"][0] for photo in (good, better)] == ["done", "done"]
    assert ledger_of(bad)["metadata"][0] in ("done", "failed")
    bad.refresh_from_db()
    assert not bad.has_renditions


def test_a_picture_cut_off_in_the_middle_never_hangs_or_repeats(add_photo: AddPhoto) -> None:
    photo = add_photo(truncated(jpeg(), 0.5))
    work()
    status, _ = ledger_of(photo)["renditions"]
    assert status in ("done", "failed")


def test_the_limit_of_pixels_is_a_setting(add_photo: AddPhoto, settings: Any) -> None:
    settings.MAX_PIXELS = 1000
    photo = add_photo(jpeg(100, 100))
    work()
    assert ledger_of(photo)["renditions"] == (
        "failed",
        "100 x 100 pixels are more than the limit of 1,000 pixels",
    )


def test_an_original_that_is_gone_is_said_with_what_to_do(add_photo: AddPhoto) -> None:
    photo = add_photo()
    originals().delete(photo.original_key)
    work()
    missing = ("failed", "The original is not in the storage. Check the storage, then retry.")
    assert (ledger_of(photo)["metadata"], ledger_of(photo)["renditions"]) == (missing, missing)


def test_a_full_storage_is_tried_again_later(add_photo: AddPhoto, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = add_photo()

    def refuse(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(renditions()), "_save", refuse)
    work()
    assert ledger_of(photo)["renditions"] == ("pending", "OSError: [Errno 28] No space left on device")
    photo.refresh_from_db()
    assert not photo.has_renditions


def test_a_photo_deleted_meanwhile_disturbs_nobody(add_photo: AddPhoto) -> None:
    gone, kept = add_photo(seed=1), add_photo(seed=2)
    results = steps.make_renditions([gone.pk + 1000, kept.pk])
    assert list(results) == [kept.pk]


@pytest.mark.parametrize(
    ("value", "stored"), [(0, 0), (2**63 - 1, 2**63 - 1), (2**63, -(2**63)), (2**64 - 1, -1)]
)
def test_a_hash_of_64_bits_fits_a_signed_column(value: int, stored: int) -> None:
    assert signed_64(value) == stored
    assert stored % 2**64 == value


SIDECAR = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:lr="http://ns.adobe.com/lightroom/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
 xmp:Rating="4" exif:DateTimeOriginal="2023-02-03T04:05:06+01:00">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">The tower</rdf:li></rdf:Alt></dc:title>
<dc:subject><rdf:Bag><rdf:li>Paris</rdf:li><rdf:li>night</rdf:li></rdf:Bag></dc:subject>
<lr:hierarchicalSubject><rdf:Bag><rdf:li>Places|France|Paris</rdf:li></rdf:Bag></lr:hierarchicalSubject>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


def tag_names(photo: Photo) -> set[str]:
    return set(photo.tags.values_list("name", flat=True))


def test_a_sidecar_goes_before_the_file_and_its_keywords_are_tags(
    library: Library, media: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "in" / "tower.jpg"
    picture.parent.mkdir()
    picture.write_bytes(jpeg(exif=taken("2024:05:01 12:34:56")))
    picture.with_suffix(".xmp").write_bytes(SIDECAR)
    report = import_folder(library=library, root=picture.parent)
    assert (report.imported, [reason for _, reason in report.skipped]) == (1, ["It was read with its photo."])
    work()
    photo = Photo.objects.get()
    assert (photo.title, photo.rating) == ("The tower", 4)
    assert (photo.wall_clock, photo.utc_offset_minutes) == (datetime(2023, 2, 3, 4, 5, 6), 60)
    assert tag_names(photo) == {"Places/France/Paris", "night"}
    assert picture.read_bytes() == read_bytes(originals(), photo.original_key)


def test_a_keyword_taken_away_by_hand_stays_away_and_one_given_by_hand_stays(
    library: Library, media: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "in" / "tower.jpg"
    picture.parent.mkdir()
    picture.write_bytes(jpeg())
    picture.with_suffix(".xmp").write_bytes(SIDECAR)
    import_folder(library=library, root=picture.parent)
    work()
    photo = Photo.objects.get()
    photo.tags.filter(name="night").delete()
    photo.tags.create(name="mine")
    steps.read_metadata([photo.pk])
    assert tag_names(photo) == {"Places/France/Paris", "mine"}
    picture.with_suffix(".xmp").write_bytes(SIDECAR.replace(b"Places|France|Paris", b"Travel"))
    import_folder(library=library, root=picture.parent)
    work()
    assert tag_names(photo) == {"Travel", "Paris", "mine"}
