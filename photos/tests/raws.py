"""Camera raw files made by hand: DNG, which is TIFF with the sensor's data."""

import struct
from typing import Any

import numpy as np

SENSOR = (1280, 960)
RED, GREEN, BLUE = 0, 1, 2
_FORMATS = {1: "B", 2: "s", 3: "H", 4: "I", 5: "II", 10: "ii", 12: "d"}

Entry = tuple[int, int, Any]


def dng(
    *,
    preview: bytes | None = None,
    width: int = SENSOR[0],
    height: int = SENSOR[1],
    orientation: int = 1,
    packets: tuple[Entry, ...] = (),
) -> bytes:
    """A DNG of an orange field; `preview` is a JPEG in it, `packets` are tags beside its own."""
    sensor = mosaic(width, height)
    main: list[Entry] = [
        (254, 4, (0,) if preview is None else (1,)),
        (271, 2, b"Chitra\0"),
        (272, 2, b"Pinhole 1\0"),
        (274, 3, (orientation,)),
        (306, 2, b"2024:05:01 12:34:56\0"),
        (0xC612, 1, (1, 4, 0, 0)),
        (0xC613, 1, (1, 1, 0, 0)),
        (0xC614, 2, b"Chitra Pinhole 1\0"),
        (0xC621, 10, (1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1)),
        (0xC628, 5, (1, 1, 1, 1, 1, 1)),
        (0xC65A, 3, (21,)),
        *packets,
    ]
    colours: list[Entry] = [
        (256, 4, (width,)),
        (257, 4, (height,)),
        (258, 3, (16,)),
        (259, 3, (1,)),
        (262, 3, (32803,)),
        (277, 3, (1,)),
        (278, 4, (height,)),
        (279, 4, (len(sensor),)),
        (33421, 3, (2, 2)),
        (33422, 1, (RED, GREEN, GREEN, BLUE)),
        (0xC61D, 4, (65535,)),
    ]
    if preview is None:
        return _tiff([*main, *colours], [], {273: sensor})
    stamp: list[Entry] = [
        (256, 4, (800,)),
        (257, 4, (600,)),
        (258, 3, (8, 8, 8)),
        (259, 3, (7,)),
        (262, 3, (6,)),
        (277, 3, (3,)),
        (278, 4, (600,)),
        (279, 4, (len(preview),)),
    ]
    return _tiff([*main, *stamp], [(254, 4, (0,)), *colours], {273: preview}, {273: sensor})


def mosaic(width: int, height: int) -> bytes:
    """16-bit RGGB of an even orange."""
    pixels = np.zeros((height, width), "<u2")
    pixels[0::2, 0::2] = 40_000
    pixels[0::2, 1::2] = pixels[1::2, 0::2] = 20_000
    pixels[1::2, 1::2] = 5_000
    return pixels.tobytes()


def _tiff(
    main: list[Entry], sub: list[Entry], data: dict[int, bytes], sub_data: dict[int, bytes] | None = None
) -> bytes:
    """A little-endian TIFF of one directory, or of one with a sub-directory."""
    body = bytearray(b"II*\0" + struct.pack("<I", 8))

    def put(block: bytes) -> int:
        body.extend(bytes(len(body) % 2))
        body.extend(block)
        return len(body) - len(block)

    def directory(entries: list[Entry], blocks: dict[int, bytes]) -> int:
        """The directory in front of what it points to, as cameras write it."""
        entries = sorted([*entries, *((tag, 4, block) for tag, block in blocks.items())], key=lambda e: e[0])
        start = put(bytes(2 + 12 * len(entries) + 4))
        packed = struct.pack("<H", len(entries))
        for tag, kind, values in entries:
            if tag in blocks:
                count, raw = 1, struct.pack("<I", put(values))
            elif isinstance(values, bytes):
                count, raw = len(values), values
            else:
                count = len(values) // len(_FORMATS[kind])
                raw = struct.pack("<" + _FORMATS[kind] * count, *values)
            field = raw.ljust(4, b"\0") if len(raw) <= 4 else struct.pack("<I", put(raw))
            packed += struct.pack("<HHI", tag, kind, count) + field
        body[start : start + len(packed)] = packed
        return start

    directory([*main, *([(330, 4, (0,))] if sub else [])], data)
    if sub:
        (count,) = struct.unpack_from("<H", body, 8)
        pointer = next(at for at in range(10, 10 + 12 * count, 12) if body[at : at + 2] == b"\x4a\x01")
        struct.pack_into("<I", body, pointer + 8, directory(sub, sub_data or {}))
    return bytes(body)
