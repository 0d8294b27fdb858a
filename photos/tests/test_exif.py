import io
import math
import struct
import time
import tracemalloc

import numpy as np
import pytest

from photos.formats.exif import ExifTags, read_exif
from photos.tests import pictures

BLOCK = pictures.exif(
    tags={0x010F: "Chitra", 0x0112: 6},
    details={0x9003: "2024:05:01 12:34:56", 0x829A: 0.01, 0x8827: 200},
    gps=pictures.gps_tags(48.1, 11.5, 500),
).removeprefix(b"Exif\0\0")


def read(data: bytes) -> ExifTags:
    return read_exif(io.BytesIO(data))


def directory(*entries: tuple[int, int, int, int], order: str = "<") -> bytes:
    """A TIFF structure with one directory of (tag, type, count, value)."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    body = b"".join(struct.pack(order + "HHII", *entry) for entry in entries)
    return head + struct.pack(order + "H", len(entries)) + body + bytes(4)


def test_all_three_directories_are_read() -> None:
    tags = read(BLOCK)
    assert tags.text("Make") == "Chitra"
    assert tags.number("Orientation") == 6
    assert tags.text("DateTimeOriginal") == "2024:05:01 12:34:56"
    assert tags.number("ExposureTime") == pytest.approx(0.01)
    assert tags.numbers("GPSLatitude") == pytest.approx((48, 6, 0))


def test_a_big_endian_block_reads_alike() -> None:
    # A SHORT stands left in its four bytes.
    assert read(directory((0x0112, 3, 1, 6 << 16), order=">")).number("Orientation") == 6


def test_a_bigtiff_reads_alike() -> None:
    entry = struct.pack("<HHQQ", 0x0112, 3, 1, 8)
    data = b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 1) + entry + bytes(8)
    assert read(data).number("Orientation") == 8


def test_text_ends_at_the_first_nul_and_may_be_utf8_or_latin1() -> None:
    for raw, text in ((b"Zo\xc3\xab \0junk", "Zoë"), (b"Zo\xeb\0\0\0\0\0", "Zoë")):
        data = directory((0x010F, 2, len(raw), 26)) + raw
        assert read(data).text("Make") == text


def test_text_of_the_newer_type_for_utf8_is_read() -> None:
    text = "Zoë’s".encode()
    assert read(directory((0x010F, 129, len(text), 26)) + text).text("Make") == "Zoë’s"


def test_the_wide_texts_of_windows_are_read() -> None:
    text = "Zoë 🙂\0".encode("utf-16-le")
    assert read(directory((0x9C9B, 1, len(text), 26)) + text).wide_text("XPTitle") == "Zoë 🙂"
    assert read(directory((0x9C9B, 4, 1, 7))).wide_text("XPTitle") == ""


def test_values_that_claim_the_same_bytes_cost_no_more_than_the_file() -> None:
    block = directory(*((0x9003 + number, 2, 60_000, 8) for number in range(5000)))
    tracemalloc.start()
    read(block)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000


def test_a_rational_over_zero_is_no_number() -> None:
    data = directory((0x8769, 4, 1, 26)) + directory((0x829D, 5, 1, 60))[8:] + bytes(16)
    tags = read(data)
    assert all(math.isnan(value) for value in tags.numbers("FNumber"))
    assert tags.number("FNumber") is None


def test_a_tag_of_the_wrong_type_is_not_there() -> None:
    tags = read(directory((0x010F, 4, 1, 5), (0x0112, 2, 3, 0x414141)))
    assert tags.text("Make") == ""
    assert tags.number("Orientation") is None


@pytest.mark.parametrize(
    "data", [b"", b"II", b"II*\0", b"II*\0\xff\xff\xff\xff", b"XX*\0\x08\0\0\0", b"MM\0*\0\0\0\0"]
)
def test_nonsense_has_no_tags(data: bytes) -> None:
    assert read(data).values == {}


def test_a_directory_that_points_at_itself_ends() -> None:
    assert read(directory((0x8769, 4, 1, 8), (0x8825, 4, 1, 8))).text("DateTimeOriginal") == ""


def test_huge_counts_cost_nothing() -> None:
    entries = [
        (tag, kind, 0xFFFFFFFF, 8) for kind in (1, 2, 5, 7, 12) for tag in range(0x9003, 0x9003 + 5000)
    ]
    data = directory((0x8769, 4, 1, 26)) + directory(*entries)[8:]
    start = time.process_time()
    read(data)
    assert time.process_time() - start < 1


def test_damaged_blocks_never_raise() -> None:
    random = np.random.default_rng(3)
    for _ in range(3000):
        data = bytearray(BLOCK)
        for _ in range(random.integers(1, 10)):
            data[random.integers(len(data))] = random.integers(256)
        read(bytes(data[: random.integers(len(data))]))
        read(bytes(data))
