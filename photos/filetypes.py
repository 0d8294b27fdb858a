"""What kind of picture some bytes are, told from their content; names and browser headers lie.

The table is our own because the maintained libraries (`filetype`, `puremagic`) take text that starts with
"BM" for a bitmap, miss BigTIFF and some brands of HEIC and AVIF, and call camera raw files TIFF.
"""

import struct
from dataclasses import dataclass

HEAD_BYTES = 4096
"""How many leading bytes `sniff` wants; fewer are fine when the file has no more."""


@dataclass(frozen=True)
class FileType:
    mime: str
    extension: str
    """The canonical one, with its dot."""


JPEG = FileType("image/jpeg", ".jpg")
PNG = FileType("image/png", ".png")
GIF = FileType("image/gif", ".gif")
WEBP = FileType("image/webp", ".webp")
HEIC = FileType("image/heic", ".heic")
HEIF = FileType("image/heif", ".heif")
AVIF = FileType("image/avif", ".avif")
TIFF = FileType("image/tiff", ".tif")
BMP = FileType("image/bmp", ".bmp")

_SIGNATURES = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
)
_HEVC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_GENERIC_BRANDS = frozenset({b"mif1", b"mif2", b"msf1"})
_BMP_HEADER_SIZES = frozenset({12, 16, 40, 52, 56, 64, 108, 124})


def sniff(head: bytes) -> FileType | None:
    """The kind of picture that starts so, or None for what Chitra does not show (SVG, PDF, video, raw)."""
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[4:8] == b"ftyp":
        return _sniff_heif(head)
    if head[:4] in (b"II*\0", b"MM\0*"):
        return None if _is_camera_raw(head) else TIFF
    if head[:8] in (b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0"):
        return TIFF
    if head[:2] == b"BM" and len(head) >= 18 and int.from_bytes(head[14:18], "little") in _BMP_HEADER_SIZES:
        return BMP
    return None


def _sniff_heif(head: bytes) -> FileType | None:
    """These boxes hold video (isom, mp42, qt) and raw (crx) too, so the major brand must be a picture's."""
    size = int.from_bytes(head[:4], "big")
    major = head[8:12]
    brands = {major} | {head[at : at + 4] for at in range(16, min(size, len(head)) - 3, 4)}
    if major not in _HEVC_BRANDS | _AVIF_BRANDS | _GENERIC_BRANDS:
        return None
    for accepted, kind in ((_AVIF_BRANDS, AVIF), (_HEVC_BRANDS, HEIC)):
        if major in accepted:
            return kind
    if brands & _AVIF_BRANDS:
        return AVIF
    return HEIC if brands & _HEVC_BRANDS else HEIF


def _is_camera_raw(head: bytes) -> bool:
    """Whether a TIFF is a raw file in disguise (CR2, NEF, ARW, DNG), whose first image is a postage stamp.

    Told by Canon's mark, or by a first directory with a DNGVersion or with a reduced image beside sub-images.
    """
    if head[8:10] == b"CR":
        return True
    order = "<" if head[:1] == b"I" else ">"
    if len(head) < 10:
        return False
    (start,) = struct.unpack_from(order + "I", head, 4)
    if start + 2 > len(head):
        return False
    (count,) = struct.unpack_from(order + "H", head, start)
    tags: dict[int, bytes] = {}
    for at in range(start + 2, min(start + 2 + 12 * count, len(head) - 11), 12):
        (tag,) = struct.unpack_from(order + "H", head, at)
        tags[tag] = head[at + 8 : at + 12]
    new_subfile_type, sub_ifds, dng_version = 254, 330, 0xC612
    is_reduced = any(tags.get(new_subfile_type, b"")[:4])
    return dng_version in tags or (is_reduced and sub_ifds in tags)
