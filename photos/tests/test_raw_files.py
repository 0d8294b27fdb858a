"""Each maker's raw files: told by their marks, shown by their preview or the sensor's data, and dated."""

import io
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photos.dates.capture_time import Surroundings, decide
from photos.formats.embedded_jpeg import ends_in
from photos.formats.filetypes import CR2, CR3, NEF, FileType, sniff_file
from photos.formats.imaging import UndecodableImage, decode_rgb
from photos.formats.raw import read_preview
from photos.formats.rendering import Renditions, make_renditions
from photos.metadata.reading import read_metadata
from photos.tests.pictures import jpeg, truncated
from photos.tests.raw_files import CAMERA, HEIGHT, WIDTH, WRITERS, lossless_jpeg
from photos.tests.samples import without_end

GREEN = (10, 200, 30)
PREVIEW = jpeg(1620, 1080, GREEN)
STAMP = jpeg(160, 120, GREEN)
KINDS = pytest.mark.parametrize("kind", WRITERS, ids=lambda kind: kind.extension)
WITH_SENSOR = pytest.mark.parametrize(
    "kind", [kind for kind in WRITERS if kind != CR3], ids=lambda kind: kind.extension
)


def render(folder: Path, data: bytes) -> Renditions:
    path = folder / "holiday.jpg"
    path.write_bytes(data)
    return make_renditions(path, max_pixels=100_000_000)


def corners(webp: bytes) -> list["np.ndarray[Any, Any]"]:
    """Colours near the upper left and the lower right corner."""
    pixels = decode_rgb(webp).astype(int)
    return [pixels[50, 50], pixels[-50, -50]]


@KINDS
def test_a_raw_file_is_told_by_its_mark_under_a_wrong_name(tmp_path: Path, kind: FileType) -> None:
    path = tmp_path / "holiday.jpg"
    path.write_bytes(WRITERS[kind](PREVIEW, 1))
    with path.open("rb") as file:
        assert sniff_file(file) == kind


@KINDS
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_the_preview_is_shown_upright(tmp_path: Path, kind: FileType, orientation: int) -> None:
    made = render(tmp_path, WRITERS[kind](PREVIEW, orientation))
    shape = decode_rgb(made.preview).shape[:2]
    assert shape == ((1067, 1600) if orientation in (1, 3) else (1600, 1067))
    assert (made.width > made.height) == (orientation in (1, 3))
    assert made.orientation == orientation
    for colour in corners(made.preview):
        assert tuple(colour) == pytest.approx(GREEN, abs=6)


@WITH_SENSOR
def test_with_a_preview_the_size_is_the_sensors(tmp_path: Path, kind: FileType) -> None:
    made = render(tmp_path, WRITERS[kind](PREVIEW, 1))
    assert (made.width, made.height) == (WIDTH, HEIGHT)


@WITH_SENSOR
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_without_a_preview_the_sensors_data_are_shown(
    tmp_path: Path, kind: FileType, orientation: int
) -> None:
    made = render(tmp_path, WRITERS[kind](None, orientation))
    assert decode_rgb(made.preview).shape[:2] == (made.height, made.width)
    assert (made.width > made.height) == (orientation in (1, 3))
    first, last = corners(made.preview)
    orange, blue = (first, last) if orientation in (1, 6) else (last, first)
    assert orange[0] > orange[2] + 100
    assert blue[2] > blue[0] + 100


@KINDS
@pytest.mark.parametrize("preview", [PREVIEW, None], ids=["preview", "none"])
def test_time_and_camera_are_read(tmp_path: Path, kind: FileType, preview: bytes | None) -> None:
    path = tmp_path / "holiday.jpg"
    path.write_bytes(WRITERS[kind](preview, 6))
    found = read_metadata(path)
    assert found.camera_model == CAMERA
    taken = decide(found.time, Surroundings())
    assert taken is not None
    assert (taken.wall, taken.source) == (datetime(2024, 5, 1, 12, 34, 56), "exif_original")


@KINDS
@pytest.mark.parametrize("keep", [0.0003, 0.01])
def test_a_raw_file_cut_short_before_its_preview_has_a_reason(
    tmp_path: Path, kind: FileType, keep: float
) -> None:
    with pytest.raises(UndecodableImage, match=r".{10}"):
        render(tmp_path, truncated(WRITERS[kind](PREVIEW, 1), keep))


@KINDS
def test_a_cut_file_never_shows_the_photo_before_it(tmp_path: Path, kind: FileType) -> None:
    """LibRaw leaves the preview of the last file in memory that it does not clear."""
    (whole := tmp_path / "whole").write_bytes(WRITERS[kind](PREVIEW, 1))
    (cut := tmp_path / "cut").write_bytes(truncated(whole.read_bytes(), 0.01))
    for _ in range(5):
        with whole.open("rb") as file:
            read_preview(file, kind, 100_000_000)
        with cut.open("rb") as file, pytest.raises(UndecodableImage):
            read_preview(file, kind, 100_000_000)


def test_a_cut_jpeg_of_one_colour_is_not_whole_because_its_pattern_goes_on() -> None:
    in_phase = PREVIEW[-16:-8]  # the pattern repeats every four bytes
    assert ends_in(PREVIEW + bytes(9), io.BytesIO(b"raw" + PREVIEW))
    assert not ends_in(PREVIEW[:-8] + in_phase, io.BytesIO(PREVIEW[:-500]))
    assert not ends_in(PREVIEW, io.BytesIO(PREVIEW[:-2]))


@WITH_SENSOR
@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
def test_a_raw_file_cut_short_has_a_reason_or_its_whole_preview(
    tmp_path: Path, kind: FileType, keep: float
) -> None:
    data = WRITERS[kind](PREVIEW, 1)
    cut = truncated(data, keep)
    if PREVIEW[-1000:] in cut:
        assert tuple(corners(render(tmp_path, cut).preview)[1]) == pytest.approx(GREEN, abs=6)
    else:
        with pytest.raises(UndecodableImage, match=r".{10}"):
            render(tmp_path, cut)


@WITH_SENSOR
def test_without_a_preview_and_with_half_the_data_there_is_a_reason(tmp_path: Path, kind: FileType) -> None:
    with pytest.raises(UndecodableImage, match=r"cut short|cannot be decoded"):
        render(tmp_path, truncated(WRITERS[kind](None, 1), 0.5))


def test_without_a_preview_and_data_that_can_be_read_there_is_a_reason(tmp_path: Path) -> None:
    with pytest.raises(UndecodableImage, match="the raw file cannot be decoded"):
        render(tmp_path, WRITERS[CR3](None, 1))
    with pytest.raises(UndecodableImage, match="the raw file cannot be decoded"):
        render(tmp_path, WRITERS[CR3](STAMP, 1))


def test_rows_missing_at_the_end_do_not_pass_for_a_dark_photo(tmp_path: Path) -> None:
    with pytest.raises(UndecodableImage, match="cut short"):
        render(tmp_path, without_end(WRITERS[NEF](None, 1)))


def test_of_several_jpegs_in_a_file_nobody_opens_the_largest_is_shown(tmp_path: Path) -> None:
    small, large = jpeg(800, 600, (200, 10, 10)), jpeg(1200, 900, GREEN)
    made = render(tmp_path, WRITERS[CR3](small, 1) + large + STAMP + jpeg(1500, 1000)[:2000])
    assert (made.width, made.height) == (1200, 900)
    assert tuple(corners(made.preview)[0]) == pytest.approx(GREEN, abs=6)


def test_tiles_and_the_sensors_lossless_jpeg_are_no_previews(tmp_path: Path) -> None:
    tile = jpeg(1024, 1024, GREEN)
    with pytest.raises(UndecodableImage):
        render(tmp_path, WRITERS[CR3](None, 1) + tile + tile)
    with pytest.raises(UndecodableImage):
        render(tmp_path, WRITERS[CR3](None, 1) + lossless_jpeg())


def test_a_canon_with_damaged_data_shows_its_preview(tmp_path: Path) -> None:
    data = bytearray(WRITERS[CR2](PREVIEW, 6))
    at = data.index(b"\xff\xc3")
    data[at : at + 40] = bytes(40)
    assert tuple(corners(render(tmp_path, bytes(data)).preview)[0]) == pytest.approx(GREEN, abs=6)
