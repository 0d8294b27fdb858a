"""Camera raw files: the embedded preview first, the sensor's data where there is none."""

from pathlib import Path

import pytest

from photos.formats import raw
from photos.formats.imaging import TooManyPixels, UndecodableImage, decode_rgb
from photos.formats.rendering import Renditions, make_renditions
from photos.metadata.reading import read_metadata
from photos.tests.pictures import jpeg, truncated
from photos.tests.raws import SENSOR, dng
from photos.tests.samples import without_end

GREEN = (10, 200, 30)


def render(folder: Path, data: bytes, max_pixels: int = 100_000_000) -> Renditions:
    path = folder / "photo.dng"
    path.write_bytes(data)
    return make_renditions(path, max_pixels=max_pixels)


def middle(webp: bytes) -> tuple[int, ...]:
    pixels = decode_rgb(webp)
    return tuple(int(value) for value in pixels[pixels.shape[0] // 2, pixels.shape[1] // 2])


def test_the_cameras_own_preview_is_shown_with_the_size_of_the_photo(tmp_path: Path) -> None:
    made = render(tmp_path, dng(preview=jpeg(800, 600, GREEN)))
    assert (made.width, made.height) == SENSOR
    assert middle(made.preview) == pytest.approx(GREEN, abs=6)
    assert decode_rgb(made.preview).shape == (600, 800, 3)


def test_the_preview_is_turned_as_the_raw_file_says(tmp_path: Path) -> None:
    made = render(tmp_path, dng(preview=jpeg(800, 600, GREEN), orientation=6))
    assert (made.width, made.height, made.orientation) == (SENSOR[1], SENSOR[0], 6)
    assert decode_rgb(made.preview).shape == (800, 600, 3)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_without_a_preview_the_sensors_data_become_a_picture(tmp_path: Path, orientation: int) -> None:
    made = render(tmp_path, dng(orientation=orientation))
    red, green, blue = middle(made.preview)
    assert red > 200
    assert red > green + 100
    assert red > blue + 100
    shape = decode_rgb(made.preview).shape[:2]
    assert shape == (made.height, made.width)
    assert (made.width > made.height) == (orientation in (1, 3))


def test_a_stamp_is_no_preview(tmp_path: Path) -> None:
    made = render(tmp_path, dng(preview=jpeg(160, 120, GREEN)))
    assert decode_rgb(made.preview).shape == (SENSOR[1], SENSOR[0], 3)


def test_time_and_camera_of_a_raw_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / "photo.dng"
    path.write_bytes(dng(preview=jpeg(800, 600)))
    assert read_metadata(path).camera_model == "Pinhole 1"


def test_jpeg_bytes_under_a_raw_name_are_a_jpeg(tmp_path: Path) -> None:
    path = tmp_path / "DSC00001.ARW"
    path.write_bytes(jpeg(320, 240, GREEN))
    assert middle(make_renditions(path, max_pixels=10**8).preview) == pytest.approx(GREEN, abs=6)


@pytest.mark.parametrize("keep", [0.0001, 0.001, 0.1, 0.5, 0.9])
def test_a_raw_file_cut_short_has_a_reason_or_its_preview(tmp_path: Path, keep: float) -> None:
    with pytest.raises(UndecodableImage, match=r".{10}"):
        render(tmp_path, truncated(dng(), keep))


def test_a_raw_file_whose_last_rows_are_missing_does_not_pass_for_a_dark_photo(tmp_path: Path) -> None:
    with pytest.raises(UndecodableImage, match="cut short"):
        render(tmp_path, without_end(dng()))


def test_the_limit_of_pixels_holds_for_raw_files(tmp_path: Path) -> None:
    with pytest.raises(TooManyPixels):
        render(tmp_path, dng(), max_pixels=1000)


def test_directories_that_canon_keeps_apart_are_joined() -> None:
    main = b"II*\0\x08\0\0\0" + b"\x01\0" + b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0" + bytes(4)
    text = b"2024:05:01 12:34:56\0"
    entry = b"\x03\x90\x02\0" + len(text).to_bytes(4, "little") + (26).to_bytes(4, "little")
    exposure = b"II*\0\x08\0\0\0" + b"\x01\0" + entry + bytes(4) + text
    joined = raw.join_directories(main, {0x8769: exposure, 0x8825: b""})
    import io

    from photos.formats.exif import read_exif

    tags = read_exif(io.BytesIO(joined))
    assert tags.text("DateTimeOriginal") == "2024:05:01 12:34:56"
    assert tags.number("Orientation") == 6
