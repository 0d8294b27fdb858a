"""PNG: EXIF behind the pixels and as text, and what its own texts say."""

import struct
import zlib
from datetime import datetime
from pathlib import Path

import pytest

from photos.metadata.pictures import Metadata, read_metadata
from photos.tests import pictures
from photos.tests.test_iptc import FIELDS
from photos.tests.test_xmp import PACKET

BLOCK = pictures.exif(tags={0x010F: "Chitra", 0x0132: "2024:05:01 12:34:56"}).removeprefix(b"Exif\0\0")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def text(keyword: str, words: str) -> bytes:
    return chunk(b"tEXt", keyword.encode() + b"\0" + words.encode("latin-1"))


def profile(name: str, data: bytes) -> bytes:
    """As ImageMagick writes it, compressed."""
    lines = f"\n{name} profile\n{len(data):8}\n{data.hex()}\n"
    keyword = f"Raw profile type {name}".encode()
    return chunk(b"zTXt", keyword + b"\0\0" + zlib.compress(lines.encode()))


def read(folder: Path, *, before: bytes = b"", behind: bytes = b"") -> Metadata:
    """A picture with these chunks before and behind its pixels."""
    data = pictures.png(16, 16)
    start, end = data.index(b"IDAT") - 4, data.index(b"IEND") - 4
    path = folder / "a.png"
    path.write_bytes(data[:start] + before + data[start:end] + behind + data[end:])
    return read_metadata(path)


def test_exif_is_found_before_and_behind_the_pixels(tmp_path: Path) -> None:
    for places in ({"before": chunk(b"eXIf", BLOCK)}, {"behind": chunk(b"eXIf", BLOCK)}):
        found = read(tmp_path, **places)
        assert (found.camera_make, found.taken_at) == ("Chitra", datetime(2024, 5, 1, 12, 34, 56))


@pytest.mark.parametrize("name", ["exif", "APP1"])
def test_exif_that_was_written_as_text_is_read(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, before=profile(name, b"Exif\0\0" + BLOCK)).camera_make == "Chitra"


def test_iptc_that_was_written_as_text_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, before=profile("iptc", FIELDS)).city == "Lucerne"


def test_xmp_that_was_written_as_text_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, before=profile("xmp", PACKET.encode())).title == "The lake"


@pytest.mark.parametrize("words", ["", "\nexif\n  4\nzz", "\nexif\n 99999999\n49492a", "\nexif\n3\n494"])
def test_a_damaged_profile_says_nothing(tmp_path: Path, words: str) -> None:
    assert read(tmp_path, before=text("Raw profile type exif", words)) == Metadata()


def test_texts_with_the_standards_keywords_are_read(tmp_path: Path) -> None:
    texts = text("Title", "The lake") + text("Description", "Early") + text("Software", "Chitra")
    found = read(tmp_path, before=texts)
    assert (found.title, found.description) == ("The lake", "Early")


@pytest.mark.parametrize(
    "words", ["Wed, 01 May 2024 12:34:56 GMT", "2024-05-01T12:34:56", "2024:05:01 12:34:56"]
)
def test_the_time_of_creation_is_read_in_all_its_forms(tmp_path: Path, words: str) -> None:
    assert read(tmp_path, before=text("Creation Time", words)).taken_at == datetime(2024, 5, 1, 12, 34, 56)
