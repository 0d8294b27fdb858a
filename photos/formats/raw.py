"""Camera raw files: the camera's own JPEG in them, else the sensor's data demosaiced by LibRaw."""

import io
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from photos.formats import filetypes
from photos.formats.embedded_jpeg import ends_in, jpeg_size, largest_jpeg
from photos.formats.exif import read_exif
from photos.formats.filetypes import FileType
from photos.formats.imaging import UndecodableImage, check_pixels

if TYPE_CHECKING:
    import numpy as np

LEAST_PREVIEW_PIXELS = 640
"""Longest side below which an embedded picture is a stamp and no preview."""
_ORIENTATION_OF_FLIP = {0: 1, 3: 3, 5: 8, 6: 6}
_LEAST_BITS_OF_ANY = 0.25
"""For each pixel of the sensor: less than what the strongest lossy compression of a DNG leaves."""
_LEAST_BITS = {filetypes.RW2: 4}
"""Panasonic's packs 12 or 14 bits into 9 and more."""
_RAF_JPEG_PLACE = 84  # offset and length of the JPEG, big-endian


@dataclass(frozen=True)
class RawPreview:
    width: int
    """Of the photo, turned upright; 0 where only the preview tells."""
    height: int
    orientation: int
    """EXIF's, how an embedded preview without an orientation of its own is to be turned."""
    preview: "bytes | np.ndarray[Any, Any]"
    """JPEG, or upright height x width x 3 uint8 of sRGB."""


def read_preview(file: BinaryIO, kind: FileType, max_pixels: int) -> RawPreview:
    """What is to be shown of a raw file. Raises UndecodableImage."""
    import rawpy

    try:
        return _by_libraw(file, kind, max_pixels)
    except rawpy.LibRawError as error:
        # A camera newer than LibRaw, or damage in the sensor's data: what the camera shows of it will do.
        preview = largest_jpeg(file, LEAST_PREVIEW_PIXELS)
        if preview is None:
            raise UndecodableImage(_reason(error)) from error
        orientation = int(read_exif(exif_block(file, kind)).number("Orientation") or 1)
        return RawPreview(0, 0, orientation if 1 <= orientation <= 8 else 1, preview)


def _by_libraw(file: BinaryIO, kind: FileType, max_pixels: int) -> RawPreview:
    import rawpy

    file.seek(0)
    with rawpy.imread(file) as opened:
        sizes = opened.sizes
        check_pixels(sizes.raw_width, sizes.raw_height, max_pixels)
        turned = sizes.flip in (5, 6)
        width, height = (sizes.height, sizes.width) if turned else (sizes.width, sizes.height)
        preview = _embedded(opened, file)
        if preview is None:
            _check_whole(opened, file, kind)
            # One pixel of each Bayer cell is plenty for a preview, and four times faster.
            is_large = max(width, height) >= 3200
            preview = opened.postprocess(half_size=is_large, use_camera_wb=True)
    return RawPreview(width, height, _ORIENTATION_OF_FLIP.get(sizes.flip, 1), preview)


def _check_whole(opened: Any, file: BinaryIO, kind: FileType) -> None:
    """Raise UndecodableImage when the sensor's last rows are missing.

    LibRaw takes them for black, or shows what was in its memory before.
    """
    import rawpy

    size = file.seek(0, io.SEEK_END)
    pixels = opened.sizes.raw_width * opened.sizes.raw_height
    if size * 8 < pixels * _LEAST_BITS.get(kind, _LEAST_BITS_OF_ANY):
        raise UndecodableImage("the file is cut short or damaged")
    if opened.raw_type == rawpy.RawType.Flat:
        rows = opened.raw_image_visible
        if not rows[-max(1, len(rows) // 50) :].any():
            raise UndecodableImage("the file is cut short or damaged")


def _embedded(opened: Any, file: BinaryIO) -> "bytes | np.ndarray[Any, Any] | None":
    """The largest picture in the file, None when there is none worth showing.

    Where the file ends before it, LibRaw gives what was in its memory: of another photo, perhaps.
    """
    import rawpy

    try:
        thumbnail = opened.extract_thumb()
    except (rawpy.LibRawNoThumbnailError, rawpy.LibRawUnsupportedThumbnailError):
        return None
    if thumbnail.format != rawpy.ThumbFormat.JPEG:
        return None
    data = bytes(thumbnail.data)
    is_worth_showing = max(jpeg_size(data)) >= LEAST_PREVIEW_PIXELS
    return data if is_worth_showing and ends_in(data, file) else None


def _reason(error: Exception) -> str:
    text = error.args[0] if error.args else ""
    words = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
    return f"the raw file cannot be decoded ({words or 'damaged'})"


def exif_block(file: BinaryIO, kind: FileType) -> BinaryIO:
    """Where the EXIF directories of a raw file are to be read, as a TIFF. Empty when they are not found."""
    file.seek(0)
    if kind == filetypes.RAF:
        offset, _ = struct.unpack(">II", (file.read(_RAF_JPEG_PLACE + 8)[_RAF_JPEG_PLACE:]).ljust(8, b"\0"))
        file.seek(offset)
        return io.BytesIO(_exif_of_jpeg(file.read(1 << 17)))
    if kind == filetypes.CR3:
        return io.BytesIO(_exif_of_cr3(file.read(1 << 17)))
    if kind in (filetypes.ORF, filetypes.RW2):
        head = file.read(1 << 20)
        # Both are TIFFs whose magic number is the maker's own.
        return io.BytesIO((b"MM\0*" if head[:1] == b"M" else b"II*\0") + head[4:])
    return file


def _exif_of_jpeg(data: bytes) -> bytes:
    at = data.find(b"Exif\0\0", 0, 4096)
    return data[at + 6 :] if at >= 0 else b""


def _exif_of_cr3(data: bytes) -> bytes:
    """Canon keeps each directory as a TIFF of its own; the one with the exposure has the most to tell.

    What the main directory says (maker, model) is joined in front of it by pointing it there.
    """
    blocks = {}
    for name in (b"CMT1", b"CMT2", b"CMT4"):
        at = data.find(name)
        if at >= 4:
            (size,) = struct.unpack_from(">I", data, at - 4)
            blocks[name] = data[at + 4 : at - 4 + size]
    main = blocks.get(b"CMT1", b"")
    if main[:4] != b"II*\0":
        return main
    return join_directories(main, {0x8769: blocks.get(b"CMT2", b""), 0x8825: blocks.get(b"CMT4", b"")})


def join_directories(main: bytes, others: dict[int, bytes]) -> bytes:
    """One little-endian TIFF of several: pointers to the others' first directories, their offsets moved."""
    joined = bytearray(main)
    pointers = []
    for tag, block in others.items():
        if block[:4] == b"II*\0" and len(block) > 8:
            start = len(joined)
            joined += _moved(block, start)
            pointers.append(struct.pack("<HHII", tag, 4, 1, start + int.from_bytes(block[4:8], "little")))
    (first,) = struct.unpack_from("<I", main, 4)
    (count,) = struct.unpack_from("<H", main, first)
    entries = main[first + 2 : first + 2 + 12 * count]
    struct.pack_into("<I", joined, 4, len(joined))
    joined += struct.pack("<H", count + len(pointers)) + entries + b"".join(pointers) + bytes(4)
    return bytes(joined)


_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}


def _moved(block: bytes, by: int) -> bytes:
    """A TIFF whose first directory points `by` bytes further."""
    moved = bytearray(block)
    (first,) = struct.unpack_from("<I", block, 4)
    if first + 2 > len(block):
        return bytes(moved)
    (count,) = struct.unpack_from("<H", block, first)
    for at in range(first + 2, min(first + 2 + 12 * count, len(block) - 11), 12):
        kind, number, value = struct.unpack_from("<HII", block, at + 2)
        if _TYPE_BYTES.get(kind, 1) * number > 4 and value + by < 1 << 32:
            struct.pack_into("<I", moved, at + 8, value + by)
    return bytes(moved)
