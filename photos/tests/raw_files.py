"""Camera raw files laid out as each maker's cameras write them: orange beside blue, with or without a JPEG.

The sensor's data are uncompressed or packed where the maker knows such a form, Canon's are lossless JPEG, and
CR3 has a preview alone.
"""

import struct
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from photos.formats import filetypes
from photos.formats.filetypes import FileType
from photos.tests import pictures
from photos.tests.raws import BLUE, GREEN, RED, SENSOR
from photos.tests.tiffs import ASCII, BYTE, LONG, SHORT, UNDEFINED, Block, Directory, bare_directory, tiff

TAKEN = "2024:05:01 12:34:56"
CAMERA = "Pinhole 1"
WIDTH, HEIGHT = SENSOR
Writer = Callable[[bytes | None, int], bytes]
"""From a JPEG, or None for a file without one, and an orientation."""


def levels(bits: int) -> "np.ndarray[Any, np.dtype[np.uint16]]":
    """What the sensor saw, RGGB: orange on the left, blue on the right, grey on the whole."""
    pixels = np.full((HEIGHT, WIDTH), 20_000, np.uint16)
    half = WIDTH // 2
    pixels[0::2, 0:half:2] = pixels[1::2, half + 1 :: 2] = 40_000
    pixels[0::2, half::2] = pixels[1::2, 1:half:2] = 5_000
    return pixels >> np.uint16(16 - bits)


def words(bits: int, order: str = "<") -> bytes:
    """Two bytes a pixel."""
    return levels(bits).astype(order + "u2").tobytes()


def packed(*, swapped: bool = False) -> bytes:
    """Two pixels of 12 bits in three bytes, high bits first; Olympus swaps each word of 32 bits."""
    first, second = levels(12)[:, 0::2], levels(12)[:, 1::2]
    triples = (first >> 4, (first & 15) << 4 | second >> 8, second & 255)
    data = np.stack(triples, axis=-1).astype(np.uint8).tobytes()
    return np.frombuffer(data, "<u4").byteswap().tobytes() if swapped else data


def lossless_jpeg() -> bytes:
    """Two components, the even and the odd columns, each pixel as its difference from the one before."""
    pixels = levels(14).tolist()
    above = [[1 << 13, 1 << 13], *pixels[:-1]]
    bits = "".join(_row_bits(tuple(row), tuple(up[:2])) for row, up in zip(pixels, above, strict=True))
    bits += "1" * (-len(bits) % 8)
    scan = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    # Sixteen sizes of differences, each named by five bits.
    tables = b"".join(bytes([number]) + bytes([0, 0, 0, 0, 16, *bytes(11), *range(16)]) for number in (0, 1))
    frame = struct.pack(">BHHB", 14, HEIGHT, WIDTH // 2, 2) + bytes([1, 0x11, 0, 2, 0x11, 0])
    parts = ((0xC4, tables), (0xC3, frame), (0xDA, bytes([2, 1, 0, 2, 0x10, 1, 0, 0])))
    head = b"".join(struct.pack(">BBH", 0xFF, mark, len(part) + 2) + part for mark, part in parts)
    return b"\xff\xd8" + head + scan + b"\xff\xd9"


@cache
def _row_bits(row: tuple[int, ...], above: tuple[int, ...]) -> str:
    bits = []
    for column, value in enumerate(row):
        difference = value - (above[column] if column < 2 else row[column - 2])
        size = abs(difference).bit_length()
        stored = difference if difference >= 0 else difference + (1 << size) - 1
        bits.append(f"{size:05b}" + (f"{stored:0{size}b}" if size else ""))
    return "".join(bits)


def about(maker: str, orientation: int) -> Directory:
    """What every camera says of itself and of the shot."""
    exposure: Directory = [(0x9003, ASCII, TAKEN), (0x920A, 5, (50, 1))]
    return [
        (271, ASCII, maker),
        (272, ASCII, CAMERA),
        (274, SHORT, (orientation,)),
        (306, ASCII, "2024:05:02 00:00:00"),
        (0x8769, LONG, [exposure]),
    ]


def sensor(data: bytes, *, bits: int, compression: int = 1, photometric: int = 32803) -> Directory:
    return [
        (254, LONG, (0,)),
        (256, LONG, (WIDTH,)),
        (257, LONG, (HEIGHT,)),
        (258, SHORT, (bits,)),
        (259, SHORT, (compression,)),
        (262, SHORT, (photometric,)),
        (273, LONG, Block(data)),
        (277, SHORT, (1,)),
        (278, LONG, (HEIGHT,)),
        (279, LONG, (len(data),)),
        (33421, SHORT, (2, 2)),
        (33422, BYTE, (RED, GREEN, GREEN, BLUE)),
    ]


def shown(jpeg: bytes) -> Directory:
    """A directory that points to a JPEG."""
    return [(254, LONG, (1,)), (259, SHORT, (6,)), (513, LONG, Block(jpeg)), (514, LONG, (len(jpeg),))]


def stamp() -> Directory:
    """160 x 120 pixels of grey that nothing compresses, as the first directory of many kinds has it."""
    data = bytes([128]) * (160 * 120 * 3)
    return [
        (254, LONG, (1,)),
        (256, LONG, (160,)),
        (257, LONG, (120,)),
        (258, SHORT, (8, 8, 8)),
        (259, SHORT, (1,)),
        (262, SHORT, (2,)),
        (273, LONG, Block(data)),
        (277, SHORT, (3,)),
        (278, LONG, (120,)),
        (279, LONG, (len(data),)),
    ]


def nef(jpeg: bytes | None, orientation: int = 1) -> bytes:
    """Nikon: a stamp, and below it the preview and the sensor; the big end first."""
    subs = [*([shown(jpeg)] if jpeg else []), sensor(words(14, ">"), bits=14)]
    return tiff([*about("NIKON CORPORATION", orientation), *stamp(), (330, LONG, subs)], order=">")


def arw(jpeg: bytes | None, orientation: int = 1) -> bytes:
    """Sony: the preview first, the sensor below it."""
    first = shown(jpeg) if jpeg else stamp()
    return tiff([*about("SONY", orientation), *first, (330, LONG, [sensor(words(14), bits=14)])])


def pef(jpeg: bytes | None, orientation: int = 1) -> bytes:
    """Pentax: the sensor first, the preview in a directory behind it."""
    first = [*about("PENTAX", orientation), *sensor(packed(), bits=12)]
    return tiff(first, *([shown(jpeg)] if jpeg else []), order=">")


def srw(jpeg: bytes | None, orientation: int = 1) -> bytes:
    """Samsung: a stamp, and below it the preview and the sensor in Samsung's own packing."""
    subs = [*([shown(jpeg)] if jpeg else []), sensor(packed(), bits=12, compression=32770)]
    return tiff([*about("SAMSUNG", orientation), *stamp(), (330, LONG, subs)])


def orf(jpeg: bytes | None, orientation: int = 1) -> bytes:
    """Olympus: a TIFF under a magic of its own; the maker's note says where the preview is."""
    main = [*about("OLYMPUS IMAGING CORP.", orientation), *sensor(packed(swapped=True), bits=12)]
    if jpeg is None:
        return tiff(main, head=b"IIRO")
    settings: Directory = [(0x100, LONG, (1,)), (0x101, LONG, (0,)), (0x102, LONG, (len(jpeg),))]
    note = bare_directory([(0x2020, LONG, [settings])], head=b"OLYMPUS\0II\x03\0")
    exif: Directory = [(0x9003, ASCII, TAKEN), (0x927C, UNDEFINED, note)]
    main = [*(entry for entry in main if entry[0] != 0x8769), (0x8769, LONG, [exif])]
    made = tiff(main, head=b"IIRO")
    # The preview lies behind everything; its place counts from the start of the note.
    place = struct.pack("<HHII", 0x101, LONG, 1, len(made) - made.index(note))
    return made.replace(struct.pack("<HHII", 0x101, LONG, 1, 0), place) + jpeg


def rw2(jpeg: bytes | None, orientation: int = 1) -> bytes:
    """Panasonic: tags of its own, the preview as one of them, the sensor's data last."""
    data = (levels(12) << 4).astype("<u2").tobytes()
    main: Directory = [
        *about("Panasonic", orientation),
        (1, UNDEFINED, b"0310"),
        *((tag, SHORT, (value,)) for tag, value in ((2, WIDTH), (3, HEIGHT), (4, 0), (5, 0))),
        *((tag, SHORT, (value,)) for tag, value in ((6, HEIGHT), (7, WIDTH), (8, 1), (9, 1), (10, 12))),
        (273, LONG, Block(data)),
    ]
    return tiff([*main, *([(46, UNDEFINED, Block(jpeg))] if jpeg else [])], head=b"IIU\0", start=24)


def cr2(jpeg: bytes | None, orientation: int = 1) -> bytes:
    """Canon: the preview, a stamp, a small picture, and the sensor as lossless JPEG."""
    first = [(259, SHORT, (6,)), (273, LONG, Block(jpeg)), (279, LONG, (len(jpeg),))] if jpeg else stamp()
    raw = lossless_jpeg()
    last: Directory = [
        (259, SHORT, (6,)),
        (273, LONG, Block(raw)),
        (279, LONG, (len(raw),)),
        (0xC640, SHORT, (0, 0, WIDTH)),
    ]
    directories = [[*about("Canon", orientation), *first], stamp(), stamp(), last]
    return tiff(*directories, head=b"II*\0" + bytes(4) + b"CR\x02\0" + bytes(4))


def raf(jpeg: bytes | None, orientation: int = 1) -> bytes:
    """Fujifilm: a header that points to a JPEG (or a stamp) with the EXIF, to the sensor's sizes and data."""
    whole = with_exif(jpeg or pictures.jpeg(160, 120), tiff(about("FUJIFILM", orientation)))
    sizes = struct.pack(">I", 3) + b"".join(
        struct.pack(">HHHH", tag, 4, first, second)
        for tag, first, second in ((0x100, HEIGHT, WIDTH), (0x121, HEIGHT, WIDTH), (0x130, 0x0C0C, 0))
    )
    data = words(14)
    at_jpeg = 160
    at_sizes = at_jpeg + len(whole)
    at_data = at_sizes + len(sizes)
    head = b"FUJIFILMCCD-RAW 0201FF000001" + CAMERA.encode().ljust(32, b"\0") + b"0100" + bytes(20)
    places = (at_jpeg, len(whole), at_sizes, len(sizes), at_data, len(data))
    return (head + struct.pack(">6I", *places)).ljust(at_jpeg, b"\0") + whole + sizes + data


def with_exif(jpeg: bytes, exif: bytes) -> bytes:
    return jpeg[:2] + struct.pack(">BBH", 0xFF, 0xE1, len(exif) + 8) + b"Exif\0\0" + exif + jpeg[2:]


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, name) + content


_CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_PREVIEW = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")


def cr3(jpeg: bytes | None, orientation: int = 1) -> bytes:
    """Canon's newer kind: boxes, each directory a TIFF of its own; no sensor's data here."""
    tags = about("Canon", orientation)
    exposure = next(value for tag, _, value in tags if tag == 0x8769)
    assert isinstance(exposure, list)
    directories = box(b"CMT1", tiff([entry for entry in tags if entry[0] != 0x8769]))
    directories += box(b"CMT2", tiff(exposure[0]))
    moov = box(b"moov", box(b"uuid", _CANON + box(b"CNCV", b"CanonCR3_001/00.09.00/00.00.00") + directories))
    shown = b""
    if jpeg:
        head = struct.pack(">IHHHHI", 0, 1, 1620, 1080, 1, len(jpeg))
        shown = box(b"uuid", _PREVIEW + bytes(8) + box(b"PRVW", head + jpeg))
    return box(b"ftyp", b"crx \0\0\0\1crx isom") + moov + shown + box(b"mdat", bytes(1000))


WRITERS: dict[FileType, Writer] = {
    filetypes.NEF: nef,
    filetypes.ARW: arw,
    filetypes.PEF: pef,
    filetypes.SRW: srw,
    filetypes.ORF: orf,
    filetypes.RW2: rw2,
    filetypes.CR2: cr2,
    filetypes.RAF: raf,
    filetypes.CR3: cr3,
}
