"""JPEG XL: sizes from headers, pixels, what was a JPEG once, and metadata."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photos.formats import jxl
from photos.formats.imaging import TooManyPixels, UndecodableImage, decode_rgb
from photos.formats.rendering import Renditions, make_renditions
from photos.metadata.pictures import read_xmp_packet
from photos.metadata.reading import read_metadata
from photos.tests import pictures
from photos.tests.test_xmp import PACKET

BROWN = (200, 100, 50)
BROWN_LIST = list(BROWN)


def render(folder: Path, data: bytes, max_pixels: int = 100_000_000) -> Renditions:
    path = folder / "photo.jxl"
    path.write_bytes(data)
    return make_renditions(path, max_pixels=max_pixels)


@pytest.mark.parametrize(
    ("width", "height"), [(1, 1), (8, 8), (256, 256), (640, 480), (333, 777), (1600, 900), (4000, 10)]
)
def test_the_header_tells_the_size(width: int, height: int) -> None:
    assert jxl.read_size(pictures.jxl(width, height, BROWN)) == (width, height)
    assert jxl.read_size(pictures.jxl(width, height, BROWN, use_container=True)) == (width, height)


def test_colours_come_through(tmp_path: Path) -> None:
    made = render(tmp_path, pictures.jxl(320, 200, BROWN))
    assert (made.width, made.height) == (320, 200)
    assert decode_rgb(made.preview)[100, 100].tolist() == pytest.approx(BROWN_LIST, abs=4)


def test_sixteen_bits_are_scaled_and_their_profile_is_honoured(tmp_path: Path) -> None:
    gray = Image.fromarray(np.full((60, 80), 32768, np.uint16))
    pictures.jxl(8, 8)  # registers the encoder
    buffer = io.BytesIO()
    gray.save(buffer, "JXL", lossless=True)
    # The encoder writes 16 bits as linear light: half the light is 188 of 255 in sRGB.
    pixel = decode_rgb(render(tmp_path, buffer.getvalue()).preview)[30, 40].tolist()
    assert pixel == pytest.approx([188] * 3, abs=3)


def test_transparency_lies_on_white(tmp_path: Path) -> None:
    pictures.jxl(8, 8)
    buffer = io.BytesIO()
    Image.new("RGBA", (80, 60), (0, 0, 0, 0)).save(buffer, "JXL")
    assert decode_rgb(render(tmp_path, buffer.getvalue()).preview)[30, 40].tolist() == [255, 255, 255]


def test_what_was_a_jpeg_is_decoded_as_one(tmp_path: Path) -> None:
    pictures.jxl(8, 8)
    source = tmp_path / "source.jpg"
    source.write_bytes(pictures.jpeg(320, 200, BROWN))
    with Image.open(source) as image, pytest.warns(UserWarning, match="reconstruction"):
        image.save(tmp_path / "photo.jxl", "JXL", lossless_jpeg=None)
    data = (tmp_path / "photo.jxl").read_bytes()
    assert isinstance(jxl.decode(data), bytes)
    assert decode_rgb(render(tmp_path, data).preview)[100, 100].tolist() == pytest.approx(BROWN_LIST, abs=6)


def test_exif_in_the_container_is_read(tmp_path: Path) -> None:
    path = tmp_path / "photo.jxl"
    exif = pictures.taken("2024:05:01 12:34:56")
    path.write_bytes(pictures.jxl(64, 48, exif=exif, use_container=True))
    assert read_metadata(path).camera_model == "Pinhole 1"


def test_xmp_in_the_container_is_found_for_faces_too(tmp_path: Path) -> None:
    packet = PACKET.encode()
    box = (len(packet) + 8).to_bytes(4, "big") + b"xml " + packet
    path = tmp_path / "photo.jxl"
    path.write_bytes(pictures.jxl(64, 48, use_container=True) + box)
    assert read_metadata(path).title == "The lake"
    assert read_xmp_packet(path) == (packet, 1)


@pytest.mark.parametrize("keep", [0.01, 0.2, 0.5, 0.9])
def test_a_file_cut_short_says_so(tmp_path: Path, keep: float) -> None:
    with pytest.raises(UndecodableImage):
        render(tmp_path, pictures.truncated(pictures.jxl(640, 480), keep))


def test_a_bomb_is_told_from_its_header(tmp_path: Path) -> None:
    with pytest.raises(TooManyPixels, match="50000 x 50000"):
        render(tmp_path, bomb(50_000))


def bomb(side: int) -> bytes:
    """A header that promises a square of `side` pixels."""
    bits = 0 | 2 << 1 | (side - 1) << 3 | 1 << 21  # not small, 18 bits, the height, ratio 1:1
    return b"\xff\x0a" + struct.pack("<Q", bits) + bytes(100)


def test_boxes_with_nonsense_sizes_end_the_search() -> None:
    start = b"\0\0\0\x0cJXL \r\n\x87\n"
    for tail in (b"\0\0\0\x01jxlc", b"\0\0\0\x02jxlc", b"\xff\xff\xff\xffExif", b"\0" * 7):
        assert jxl.metadata_blocks(start + tail) == (b"", b"")
        with pytest.raises(ValueError):
            jxl.read_size(start + tail)
