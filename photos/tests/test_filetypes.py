import struct
from collections.abc import Callable

import pytest

from photos.filetypes import HEAD_BYTES, sniff
from photos.tests import pictures

Make = Callable[..., bytes]


@pytest.mark.parametrize(
    ("make", "mime", "extension"),
    [
        (pictures.jpeg, "image/jpeg", ".jpg"),
        (pictures.png, "image/png", ".png"),
        (pictures.webp, "image/webp", ".webp"),
        (pictures.gif, "image/gif", ".gif"),
        (pictures.heic, "image/heic", ".heic"),
        (pictures.avif, "image/avif", ".avif"),
        (pictures.tiff, "image/tiff", ".tif"),
        (pictures.bmp, "image/bmp", ".bmp"),
    ],
)
def test_a_picture_is_told_from_its_first_bytes(make: Make, mime: str, extension: str) -> None:
    kind = sniff(make(32, 24)[:HEAD_BYTES])
    assert kind is not None
    assert (kind.mime, kind.extension) == (mime, extension)


def _ftyp(major: bytes, *compatible: bytes) -> bytes:
    body = b"ftyp" + major + bytes(4) + b"".join(compatible)
    return struct.pack(">I", len(body) + 4) + body + b"\0\0\0\x08meta"


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (_ftyp(b"heic", b"mif1"), "image/heic"),
        (_ftyp(b"heix", b"mif1"), "image/heic"),
        (_ftyp(b"hevc", b"msf1"), "image/heic"),
        (_ftyp(b"mif1", b"mif1", b"heic"), "image/heic"),
        (_ftyp(b"msf1", b"hevc"), "image/heic"),
        (_ftyp(b"mif1", b"miaf"), "image/heif"),
        (_ftyp(b"avis", b"avif"), "image/avif"),
        (_ftyp(b"mif1", b"miaf", b"avif"), "image/avif"),
        (b"GIF87a" + bytes(20), "image/gif"),
        (b"MM\0*\0\0\0\x08", "image/tiff"),
        (b"II+\0\x08\0\0\0" + bytes(8), "image/tiff"),
        (b"MM\0+\0\x08\0\0" + bytes(8), "image/tiff"),
    ],
)
def test_every_brand_of_a_picture_is_known(head: bytes, mime: str) -> None:
    kind = sniff(head)
    assert kind is not None
    assert kind.mime == mime


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xff\xd8",
        b"BM is how this text begins, so it is no bitmap",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<?xml version='1.0'?><svg/>",
        b"<!doctype html><title>a page</title>",
        b"%PDF-1.7",
        b"PK\x03\x04" + bytes(30),
        b"RIFF\0\0\0\0WAVEfmt ",
        _ftyp(b"isom", b"mp41"),
        _ftyp(b"mp42", b"heic"),
        _ftyp(b"qt  "),
        _ftyp(b"crx "),
        b"\0\0\0\x0cJXL \r\n\x87\n",
    ],
)
def test_what_is_not_a_picture_is_nothing(head: bytes) -> None:
    assert sniff(head) is None


def _tiff_directory(*tags: tuple[int, int]) -> bytes:
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4)


def test_camera_raw_files_do_not_pass_for_tiff() -> None:
    assert sniff(b"II*\0\x10\0\0\0CR\x02\0" + bytes(20)) is None
    assert sniff(_tiff_directory((254, 1), (330, 4000))) is None
    assert sniff(_tiff_directory((254, 0), (0xC612, 0x104))) is None
    assert sniff(_tiff_directory((254, 0), (330, 4000))) is not None


@pytest.mark.parametrize("length", range(0, 40, 3))
def test_the_first_bytes_of_anything_are_never_too_few(length: int) -> None:
    for make in (pictures.heic, pictures.tiff, pictures.bmp, pictures.webp):
        sniff(make(16, 16)[:length])
