"""What kind of picture or film some bytes are, told from their content; names and browser headers lie.

The table is our own because the maintained libraries (`filetype`, `puremagic`) take text that starts with
"BM" for a bitmap, miss BigTIFF and some brands of HEIC and AVIF, and call camera raw files TIFF.
"""

import re
import struct
from dataclasses import dataclass
from typing import BinaryIO, Literal

HEAD_BYTES = 4096
"""How many leading bytes `sniff` wants; fewer are fine when the file has no more."""


@dataclass(frozen=True)
class FileType:
    mime: str
    extension: str
    """The canonical one, with its dot."""
    family: Literal["image", "raw", "video"] = "image"


JPEG = FileType("image/jpeg", ".jpg")
PNG = FileType("image/png", ".png")
GIF = FileType("image/gif", ".gif")
WEBP = FileType("image/webp", ".webp")
HEIC = FileType("image/heic", ".heic")
HEIF = FileType("image/heif", ".heif")
AVIF = FileType("image/avif", ".avif")
TIFF = FileType("image/tiff", ".tif")
BMP = FileType("image/bmp", ".bmp")
JXL = FileType("image/jxl", ".jxl")

DNG = FileType("image/x-adobe-dng", ".dng", "raw")
CR2 = FileType("image/x-canon-cr2", ".cr2", "raw")
CR3 = FileType("image/x-canon-cr3", ".cr3", "raw")
NEF = FileType("image/x-nikon-nef", ".nef", "raw")
ARW = FileType("image/x-sony-arw", ".arw", "raw")
RAF = FileType("image/x-fuji-raf", ".raf", "raw")
RW2 = FileType("image/x-panasonic-rw2", ".rw2", "raw")
ORF = FileType("image/x-olympus-orf", ".orf", "raw")
SRW = FileType("image/x-samsung-srw", ".srw", "raw")
PEF = FileType("image/x-pentax-pef", ".pef", "raw")
OTHER_RAW = FileType("image/x-raw", ".raw", "raw")
"""A raw file in TIFF's clothes whose maker has no name of its own here (Hasselblad, Kodak, Leica)."""

MP4 = FileType("video/mp4", ".mp4", "video")
M4V = FileType("video/x-m4v", ".m4v", "video")
MOV = FileType("video/quicktime", ".mov", "video")
WEBM = FileType("video/webm", ".webm", "video")
MKV = FileType("video/x-matroska", ".mkv", "video")
AVI = FileType("video/x-msvideo", ".avi", "video")

RAW_TYPES = (DNG, CR2, CR3, NEF, ARW, RAF, RW2, ORF, SRW, PEF, OTHER_RAW)
VIDEO_TYPES = (MP4, M4V, MOV, WEBM, MKV, AVI)

_SIGNATURES = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"\xff\x0a", JXL),
    (b"\0\0\0\x0cJXL \r\n\x87\n", JXL),
    (b"FUJIFILMCCD-RAW", RAF),
    (b"IIU\0", RW2),
    (b"IIRO", ORF),
    (b"IIRS", ORF),
    (b"MMOR", ORF),
)
_HEVC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_GENERIC_BRANDS = frozenset({b"mif1", b"mif2", b"msf1", b"jpeg", b"jpgs", b"unif"})
_MP4_BRANDS = re.compile(
    rb"iso[0-9a-z]|mp4[0-9v]|avc1|hvc1|dash|cmf[a-z0-9]|piff|dby1|MSNV|XAVC|mmp4|f4v |3g[2gp][0-9a-z]|"
    rb"niko|CAEP|pana|ND[A-Z]{2}"
)
_M4V_BRANDS = frozenset({b"M4V ", b"M4VH", b"M4VP"})
_OLD_QUICKTIME = frozenset({b"moov", b"mdat", b"wide", b"skip", b"free", b"pnot"})
_EBML = b"\x1aE\xdf\xa3"
_BMP_HEADER_SIZES = frozenset({12, 16, 40, 52, 56, 64, 108, 124})


def sniff(head: bytes) -> FileType | None:
    """The kind of picture or film that starts so, or None for what Chitra does not show (SVG, PDF, music)."""
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if head[:4] == b"RIFF":
        return {b"WEBP": WEBP, b"AVI ": AVI}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _sniff_boxes(head)
    if head[4:8] in _OLD_QUICKTIME and len(head) >= 16:
        return MOV
    if head.startswith(_EBML):
        return _sniff_matroska(head)
    if head[:4] in (b"II*\0", b"MM\0*"):
        return _sniff_tiff(head)
    if head[:8] in (b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0"):
        return TIFF
    if head[:2] == b"BM" and len(head) >= 18 and int.from_bytes(head[14:18], "little") in _BMP_HEADER_SIZES:
        return BMP
    return None


def _sniff_boxes(head: bytes) -> FileType | None:
    """ISO boxes hold pictures, films, raw and music; the major brand tells which."""
    size = int.from_bytes(head[:4], "big")
    major = head[8:12]
    brands = {major} | {head[at : at + 4] for at in range(16, min(size, len(head)) - 3, 4)}
    for accepted, kind in ((_AVIF_BRANDS, AVIF), (_HEVC_BRANDS, HEIC), (_M4V_BRANDS, M4V)):
        if major in accepted:
            return kind
    if major in _GENERIC_BRANDS:
        if brands & _AVIF_BRANDS:
            return AVIF
        return HEIC if brands & _HEVC_BRANDS else HEIF
    if major == b"crx ":
        return CR3
    if major == b"qt  ":
        return MOV
    return MP4 if _MP4_BRANDS.match(major) else None


def _sniff_matroska(head: bytes) -> FileType | None:
    """The document type is a short string near the start of the EBML header."""
    at = head.find(b"\x42\x82", 4, 100)
    if at < 0:
        return None
    name = head[at + 3 : at + 3 + (head[at + 2] & 0x7F if at + 2 < len(head) else 0)]
    return {b"webm": WEBM, b"matroska": MKV}.get(name.rstrip(b"\0"))


_RAW_MAKERS = (
    (b"NIKON", NEF),
    (b"SONY", ARW),
    (b"PENTAX", PEF),
    (b"RICOH", PEF),
    (b"SAMSUNG", SRW),
    (b"OLYMPUS", ORF),
    (b"Panasonic", RW2),
    (b"Canon", CR2),
)
_COMPRESSION, _PHOTOMETRIC, _MAKE = 259, 262, 271
_NEW_SUBFILE_TYPE, _SUB_IFDS, _DNG_VERSION = 254, 330, 0xC612
_COLOUR_FILTER_ARRAY, _LINEAR_RAW = 32803, 34892
# Nikon's, Pentax's, Sony's and Samsung's own ways to pack sensor data; no picture for people has them.
_RAW_COMPRESSIONS = frozenset({34713, 65535, 32767, 32770, 32772})


def _sniff_tiff(head: bytes) -> FileType:
    """A TIFF, or a raw file in its clothes, whose first image is a postage stamp or no picture at all.

    Told by Canon's mark, a DNGVersion, a reduced image beside sub-images, or sensor data.
    """
    if head[8:10] == b"CR":
        return CR2
    return _sniff_directory(head, _first_directory(head))


def sniff_file(file: BinaryIO) -> FileType | None:
    """As `sniff`, with the directory of a TIFF looked up where it lies: some writers put it last."""
    head = file.read(HEAD_BYTES)
    kind = sniff(head)
    if kind != TIFF or head[2:4] not in (b"*\0", b"\0*"):
        return kind
    start = int.from_bytes(head[4:8], "little" if head[:1] == b"I" else "big")
    if start < HEAD_BYTES // 2:
        return kind
    file.seek(start)
    moved = head[:4] + (8).to_bytes(4, "little" if head[:1] == b"I" else "big") + file.read(HEAD_BYTES)
    return _sniff_directory(b"", _first_directory(moved))


def _sniff_directory(head: bytes, tags: dict[int, bytes]) -> FileType:
    if _DNG_VERSION in tags:
        return DNG
    order = _order_of(tags)

    def short(tag: int) -> int:
        return int.from_bytes(tags.get(tag, b"")[8:10], order)

    is_reduced = any(tags.get(_NEW_SUBFILE_TYPE, b"")[8:12]) and _SUB_IFDS in tags
    is_sensor_data = (
        short(_PHOTOMETRIC) in (_COLOUR_FILTER_ARRAY, _LINEAR_RAW) or short(_COMPRESSION) in _RAW_COMPRESSIONS
    )
    if not (is_reduced or is_sensor_data):
        return TIFF
    make = head[int.from_bytes(tags.get(_MAKE, b"")[8:12], order) :][:16]
    return next((kind for maker, kind in _RAW_MAKERS if make.upper().startswith(maker.upper())), OTHER_RAW)


def _order_of(tags: dict[int, bytes]) -> Literal["little", "big"]:
    """Types are small numbers of two bytes, so the first one is zero only when the big end comes first."""
    return "little" if any(entry[2] for entry in tags.values()) else "big"


def _first_directory(head: bytes) -> dict[int, bytes]:
    """Entries of 12 bytes by tag, as far as they lie in the head."""
    order = "<" if head[:1] == b"I" else ">"
    if len(head) < 10:
        return {}
    (start,) = struct.unpack_from(order + "I", head, 4)
    if start + 2 > len(head):
        return {}
    (count,) = struct.unpack_from(order + "H", head, start)
    places = range(start + 2, min(start + 2 + 12 * count, len(head) - 11), 12)
    return {struct.unpack_from(order + "H", head, at)[0]: head[at : at + 12] for at in places}


_STRANGERS = (
    (re.compile(rb"%PDF-"), "a PDF document"),
    (re.compile(rb"PK\x03\x04|PK\x05\x06"), "a ZIP archive"),
    (
        re.compile(rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*|<!DOCTYPE svg[^>]*>\s*)*<svg[\s>]", re.S | re.I),
        "an SVG drawing",
    ),
    (re.compile(rb"\s*(<!doctype html|<html|<head|<body|<script)", re.I), "a web page"),
    (re.compile(rb"\x7fELF|MZ"), "a program"),
    (re.compile(rb"ID3|OggS|fLaC|RIFF....WAVE|....ftypM4[AB] ", re.S), "a sound file"),
    (re.compile(rb"8BPS"), "a Photoshop document"),
    (re.compile(rb"\x1f\x8b|7z\xbc\xaf|Rar!"), "an archive"),
    (re.compile(rb"\0+\Z"), "empty: nothing but zeros"),
    (re.compile(rb"[\t\n\r\x20-\x7e]+\Z"), "text"),
)


def describe_stranger(head: bytes) -> str:
    """What a file is that `sniff` does not know, in a few words ("a PDF document"), or ""."""
    return next((words for pattern, words in _STRANGERS if pattern.match(head)), "")
