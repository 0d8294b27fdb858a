"""JPEGs inside other files: how large they are, and the largest of a raw file that no decoder opens."""

import mmap
import struct
from collections import Counter
from typing import BinaryIO

_START = b"\xff\xd8\xff"
_END = b"\xff\xd9"
_SCAN = 0xDA
_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended and progressive; the lossless ones are sensor's data."""
_MOST_SEGMENTS = 1000

Bytes = bytes | mmap.mmap


def jpeg_size(data: Bytes, at: int = 0) -> tuple[int, int]:
    """Width and height of the JPEG that begins there, from its frame header; (0, 0) when there is none."""
    return _headers(data, at)[0]


def largest_jpeg(file: BinaryIO, least_pixels: int) -> bytes | None:
    """The whole JPEG with the most pixels in a file, its longest side at least that; None without one.

    Found by its marks, as other programs find the previews of cameras they do not know.
    """
    file.seek(0)
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        sizes: dict[int, tuple[int, int]] = {}
        at = data.find(_START)
        while at >= 0:
            sizes[at] = jpeg_size(data, at)
            at = data.find(_START, at + len(_START))
        times = Counter(sizes.values())
        # Tiles of a larger picture are many of one size.
        single = (at for at, size in sizes.items() if times[size] == 1 and max(size) >= least_pixels)
        for at in sorted(single, key=lambda at: sizes[at][0] * sizes[at][1], reverse=True):
            end = data.find(_END, _headers(data, at)[1])
            if end >= 0:
                return data[at : end + len(_END)]
    return None


def ends_in(jpeg: bytes, file: BinaryIO) -> bool:
    """Whether the latter half of the JPEG, its end mark included, is in the file.

    Not the whole, because LibRaw puts EXIF of its own in front of some.
    """
    half = len(jpeg) // 2
    end = jpeg.rfind(_END, half)
    file.seek(0)
    return end >= 0 and jpeg[half : end + len(_END)] in file.read()


def _headers(data: Bytes, at: int) -> tuple[tuple[int, int], int]:
    """The size of the frame, and where the compressed pixels begin."""
    size = (0, 0)
    at += 2
    for _ in range(_MOST_SEGMENTS):
        if at + 9 >= len(data) or data[at] != 0xFF:
            break
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            size = (width, height)
        elif marker == _SCAN:
            return size, at
        at += 2 + max(2, length)
    return (0, 0), at
