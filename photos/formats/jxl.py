"""JPEG XL: its size before anything is decoded, its pixels by libjxl, and the boxes with its metadata."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

_CODESTREAM = b"\xff\x0a"
_BOX_HEAD = 8
_MOST_BOXES = 1000
_RATIOS = (None, (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_SIZE_BITS = (9, 13, 18, 30)
_THREADS = 2


@dataclass(frozen=True)
class Decoded:
    pixels: "np.ndarray[Any, Any]"
    """Height x width, or x bands; uint8 or uint16."""
    icc_profile: bytes | None


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and content of each box of the container; none for a bare codestream."""
    if data.startswith(_CODESTREAM):
        return
    at = 0
    for _ in range(_MOST_BOXES):
        if at + _BOX_HEAD > len(data):
            return
        size, kind = struct.unpack_from(">I4s", data, at)
        start = at + _BOX_HEAD
        if size == 1 and start + 8 <= len(data):
            (size,) = struct.unpack_from(">Q", data, start)
            start += 8
        end = len(data) if size == 0 else at + size
        if end < start:
            return
        yield kind, data[start : min(end, len(data))]
        at = end


def metadata_blocks(data: bytes) -> tuple[bytes, bytes]:
    """EXIF (a TIFF) and XMP of a container, b"" for what is not there or compressed."""
    exif = xmp = b""
    for kind, content in boxes(data):
        if kind == b"Exif" and len(content) > 4:
            # Some encoders leave out the offset that is to stand in front.
            is_bare = content[:4] in (b"II*\0", b"MM\0*")
            exif = content if is_bare else content[4 + int.from_bytes(content[:4], "big") :]
        elif kind == b"xml ":
            xmp = content
    return exif, xmp


def read_size(data: bytes) -> tuple[int, int]:
    """Width and height as the header says, before any turning. Raises ValueError for what is no JPEG XL."""
    stream = data
    if not data.startswith(_CODESTREAM):
        parts = ((kind, content) for kind, content in boxes(data) if kind in (b"jxlc", b"jxlp"))
        kind, content = next(parts, (b"", b""))
        stream = content[4:] if kind == b"jxlp" else content
    if not stream.startswith(_CODESTREAM) or len(stream) < 4:
        raise ValueError("truncated: the file has no picture in it")
    bits = _Bits(stream[2:16])
    is_small = bits.take(1)
    height = (bits.take(5) + 1) * 8 if is_small else _size(bits)
    ratio = _RATIOS[bits.take(3)]
    if ratio is not None:
        return height * ratio[0] // ratio[1], height
    return (bits.take(5) + 1) * 8 if is_small else _size(bits), height


def _size(bits: "_Bits") -> int:
    return 1 + bits.take(_SIZE_BITS[bits.take(2)])


class _Bits:
    """Numbers of some bits, the lowest bit first; zeros behind the end."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        value = self._value & ((1 << count) - 1)
        self._value >>= count
        return value


def decode(data: bytes) -> bytes | Decoded:
    """The pixels, turned upright, or the JPEG that the file was made of. Raises RuntimeError when broken."""
    import numpy as np
    from pillow_jxl import Decoder

    try:
        is_jpeg, info, content, icc_profile, _ = Decoder(num_threads=_THREADS)(data)
    except RuntimeError:
        raise RuntimeError("the JPEG XL decoder found it broken or cut short") from None
    if is_jpeg:
        return bytes(content)
    depth, bands = _layout(info.mode)
    pixels = np.frombuffer(content, depth)
    if depth == np.float32:
        pixels = (np.clip(pixels, 0, 1) * 65535).astype(np.uint16)
    shape = (info.height, info.width) if bands == 1 else (info.height, info.width, bands)
    return Decoded(pixels.reshape(shape), bytes(icc_profile) if icc_profile else None)


def _layout(mode: str) -> tuple[Any, int]:
    """numpy's type of a sample and the number of bands, from a mode such as "RGB", "I;16" or "F"."""
    import numpy as np

    name, _, depth = mode.partition(";")
    bands = {"L": 1, "I": 1, "F": 1, "LA": 2, "RGB": 3, "RGBA": 4}[name]
    if name == "F":
        return (np.float16 if depth == "16" else np.float32), bands
    return (np.uint16 if depth else np.uint8), bands
