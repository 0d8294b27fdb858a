import io
import struct
from collections.abc import Callable

import pytest

from photos.formats import filetypes
from photos.formats.filetypes import HEAD_BYTES, describe_stranger, sniff
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
        _ftyp(b"M4A ", b"mp42"),
        b"\x1aE\xdf\xa3\x84\x42\x86\x81\x01",
        b"\0\0\0\x0cjP  \r\n\x87\n",
    ],
)
def test_what_is_not_a_picture_is_nothing(head: bytes) -> None:
    assert sniff(head) is None


def _tiff_directory(*tags: tuple[int, int]) -> bytes:
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4)


def test_camera_raw_files_do_not_pass_for_tiff() -> None:
    assert sniff(b"II*\0\x10\0\0\0CR\x02\0" + bytes(20)) == filetypes.CR2
    assert sniff(_tiff_directory((254, 1), (330, 4000))) == filetypes.OTHER_RAW
    assert sniff(_tiff_directory((254, 0), (0xC612, 0x104))) == filetypes.DNG
    assert sniff(_tiff_directory((259, 34713))) == filetypes.OTHER_RAW
    assert sniff(_tiff_directory((262, 32803))) == filetypes.OTHER_RAW
    assert sniff(_tiff_directory((254, 0), (330, 4000))) == filetypes.TIFF


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (b"NIKON CORPORATION", filetypes.NEF),
        (b"SONY", filetypes.ARW),
        (b"PENTAX", filetypes.PEF),
        (b"RICOH IMAGING COMPANY, LTD.", filetypes.PEF),
        (b"SAMSUNG", filetypes.SRW),
        (b"Hasselblad", filetypes.OTHER_RAW),
    ],
)
def test_the_maker_tells_which_raw_file_a_tiff_is(make: bytes, kind: filetypes.FileType) -> None:
    head = _tiff_directory((254, 1), (271, 8 + 2 + 3 * 12 + 4), (330, 4000)) + make + b"\0"
    assert sniff(head) == kind


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"FUJIFILMCCD-RAW 0201FF383501", filetypes.RAF),
        (b"IIU\0\x18\0\0\0", filetypes.RW2),
        (b"IIRO\x08\0\0\0", filetypes.ORF),
        (b"IIRS\x08\0\0\0", filetypes.ORF),
        (b"MMOR\0\0\0\x08", filetypes.ORF),
        (_ftyp(b"crx ", b"isom"), filetypes.CR3),
        (_ftyp(b"isom", b"mp41"), filetypes.MP4),
        (_ftyp(b"mp42", b"heic"), filetypes.MP4),
        (_ftyp(b"3gp5"), filetypes.MP4),
        (_ftyp(b"mp4v"), filetypes.MP4),
        (_ftyp(b"jpeg", b"mif1"), filetypes.HEIF),
        (_ftyp(b"M4V "), filetypes.M4V),
        (_ftyp(b"qt  "), filetypes.MOV),
        (b"\0\0\0\x08wide\0\0\x10\0mdat", filetypes.MOV),
        (b"\xff\x0a\xf8\x02", filetypes.JXL),
        (b"\0\0\0\x0cJXL \r\n\x87\n", filetypes.JXL),
        (b"RIFF\0\x10\0\0AVI LIST", filetypes.AVI),
    ],
)
def test_raw_files_and_videos_are_told_from_their_first_bytes(head: bytes, kind: filetypes.FileType) -> None:
    assert sniff(head) == kind


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"%PDF-1.7", "a PDF document"),
        (b"PK\x03\x04" + bytes(30), "a ZIP archive"),
        (b"<?xml version='1.0'?><!-- drawn -->\n<svg xmlns='x'/>", "an SVG drawing"),
        (b"<!DOCTYPE html><title>a page</title>", "a web page"),
        (_ftyp(b"M4A "), "a sound file"),
        (bytes(4096), "empty: nothing but zeros"),
        (b"notes\n", "text"),
        (b"\x01\x02\x03", ""),
    ],
)
def test_a_stranger_is_called_by_its_name(head: bytes, words: str) -> None:
    assert sniff(head) is None
    assert describe_stranger(head) == words


def test_a_raw_file_with_its_directory_at_the_end_is_told_from_the_whole_file() -> None:
    directory = _tiff_directory((254, 0), (0xC612, 0x104))[8:]
    file = io.BytesIO(b"II*\0" + struct.pack("<I", 9000) + bytes(8992) + directory)
    assert sniff(file.getvalue()[:HEAD_BYTES]) == filetypes.TIFF
    assert filetypes.sniff_file(file) == filetypes.DNG


@pytest.mark.parametrize("length", range(0, 40, 3))
def test_the_first_bytes_of_anything_are_never_too_few(length: int) -> None:
    for make in (pictures.heic, pictures.tiff, pictures.bmp, pictures.webp):
        sniff(make(16, 16)[:length])
