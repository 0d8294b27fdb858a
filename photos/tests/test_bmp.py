"""BMP: rows of any length, from the top or the bottom, of three or four bytes, packed or not."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photos.formats.imaging import UndecodableImage, decode_rgb
from photos.formats.rendering import make_renditions
from photos.tests.pictures import encode, quadrants, truncated


def preview(folder: Path, data: bytes) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    path = folder / "picture.bmp"
    path.write_bytes(data)
    return decode_rgb(make_renditions(path, max_pixels=10**8).preview)


def from_the_top(data: bytes) -> bytes:
    """The same file with its rows in the other order, which a negative height says."""
    (offset,), (height,) = struct.unpack_from("<I", data, 10), struct.unpack_from("<i", data, 22)
    rows = np.frombuffer(data[offset:], np.uint8).reshape(height, -1)[::-1]
    return data[:22] + struct.pack("<i", -height) + data[26:offset] + rows.tobytes()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "1"])
@pytest.mark.parametrize("width", [640, 641, 642, 643])
def test_every_layout_is_shown_as_it_is(tmp_path: Path, mode: str, width: int) -> None:
    picture = quadrants(width, 480)
    picture = picture.quantize(16) if mode == "P" else picture.convert(mode)
    expected = np.asarray(picture.convert("RGB")).astype(int)
    data = encode(picture, "BMP")
    for made in (data, from_the_top(data)):
        shown = preview(tmp_path, made)
        assert shown.shape == expected.shape
        assert np.abs(shown - expected).mean() < 4


def test_zeros_beside_the_colours_do_not_hide_the_picture(tmp_path: Path) -> None:
    shown = preview(tmp_path, encode(Image.new("RGBA", (64, 48), (200, 30, 30, 0)), "BMP"))
    assert shown.mean(axis=(0, 1)) == pytest.approx((200, 30, 30), abs=4)


@pytest.mark.parametrize("keep", [0.01, 0.5, 0.99])
def test_a_file_cut_short_says_so(tmp_path: Path, keep: float) -> None:
    with pytest.raises(UndecodableImage, match="cut short"):
        preview(tmp_path, truncated(encode(quadrants(), "BMP"), keep))
