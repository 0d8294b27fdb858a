"""Films that belong to photos: inside the file (Google, Samsung), or beside it (Apple).

A motion photo is a JPEG or HEIC with an MP4 behind the picture. XMP tells how long it is (Google), or a
trailer names it (Samsung). Of an Apple pair, both files carry the same identifier.
"""

import io
import re
import struct
from dataclasses import dataclass

from photos.formats import filetypes
from photos.formats.filetypes import FileType, sniff

_TAIL_BYTES = 64
_MOST_BOXES = 100
_SEARCHED_BYTES = 1 << 20
"""How much of the start of a file is searched for XMP and EXIF."""
_MICRO_VIDEO = re.compile(rb"MicroVideoOffset[^0-9]{1,4}(\d{1,10})")
_MOTION_ITEM = re.compile(
    rb"<(?:\w+:)?Item\b[^>]{0,600}?Semantic\s*=\s*[\"']MotionPhoto[\"'][^>]{0,600}", re.S
)
_LENGTH = re.compile(rb"Length\s*=\s*[\"'](\d{1,10})[\"']")
_PADDING = re.compile(rb"Padding\s*=\s*[\"'](\d{1,6})[\"']")
_SAMSUNG_MARK = b"MotionPhoto_Data"
_SAMSUNG_TAIL = b"SEFT"
_MOST_CLIP_BYTES = 200_000_000
_APPLE_NOTE = b"Apple iOS\0\0\1MM"
_BURST_UUID = 0x0B
_CONTENT_IDENTIFIER = 0x11


@dataclass(frozen=True)
class Clip:
    """A film inside a photo's file: `size` bytes from `offset`."""

    offset: int
    size: int


def find_clip(file: io.FileIO, kind: FileType) -> Clip | None:
    """Where the film of a motion photo lies; None for a photo without one."""
    if kind not in (filetypes.JPEG, filetypes.HEIC, filetypes.HEIF, filetypes.AVIF):
        return None
    file.seek(0)
    head = file.read(_SEARCHED_BYTES)
    end = file.seek(0, io.SEEK_END)
    for place in (_boxed_clip(file, kind), _google_clip(head, end), _samsung_clip(file, end)):
        if place is not None and _is_film(file, place, end):
            return place
    return None


def _boxed_clip(file: io.FileIO, kind: FileType) -> Clip | None:
    """HEIC has the film in a box of its own, whose size counts more than what XMP says of its padding."""
    at = 0
    for _ in range(_MOST_BOXES if kind != filetypes.JPEG else 0):
        file.seek(at)
        head = file.read(16)
        if len(head) < 16:
            break
        size, name, large = struct.unpack(">I4sQ", head)
        start, size = (at + 16, large) if size == 1 else (at + 8, size)
        if name == b"mpvd":
            return Clip(start, at + size - start)
        if size < 8:
            break
        at += size
    return None


def _google_clip(head: bytes, end: int) -> Clip | None:
    """MicroVideo counts from the end of the file; MotionPhoto gives the length of the last item."""
    if match := _MICRO_VIDEO.search(head):
        size = int(match[1])
        return Clip(end - size, size)
    if item := _MOTION_ITEM.search(head):
        length, padding = _LENGTH.search(item[0]), _PADDING.search(item[0])
        if length:
            size = int(length[1])
            return Clip(end - size - int(padding[1] if padding else 0), size)
    return None


def _samsung_clip(file: io.FileIO, end: int) -> Clip | None:
    """Samsung's trailer: blocks, then a directory (SEFH) of type, distance and size, its length, SEFT."""
    file.seek(max(0, end - _TAIL_BYTES))
    tail = file.read(_TAIL_BYTES)
    if tail[-4:] != _SAMSUNG_TAIL or len(tail) < 8:
        return None
    (directory_bytes,) = struct.unpack_from("<I", tail, len(tail) - 8)
    start = end - 8 - directory_bytes
    if not 12 <= directory_bytes <= 10_000 or start < 0:
        return None
    file.seek(start)
    directory = file.read(directory_bytes)
    if directory[:4] != b"SEFH":
        return None
    for at in range(12, len(directory) - 11, 12):
        distance, size = struct.unpack_from("<II", directory, at + 4)
        if start - distance < 0 or size > distance:
            continue
        file.seek(start - distance)
        block = file.read(64)
        if block[8 : 8 + len(_SAMSUNG_MARK)] == _SAMSUNG_MARK:
            skip = 8 + len(_SAMSUNG_MARK)
            return Clip(start - distance + skip, size - skip)
    return None


def _is_film(file: io.FileIO, clip: Clip, end: int) -> bool:
    if not (clip.offset > 0 and 0 < clip.size <= _MOST_CLIP_BYTES and clip.offset + clip.size <= end):
        return False
    file.seek(clip.offset)
    kind = sniff(file.read(filetypes.HEAD_BYTES))
    return kind is not None and kind.family == "video"


def live_photo_id(file: io.FileIO) -> str:
    """Apple's identifier of a live photo in its maker note, "" for none."""
    return apple_id(file, _CONTENT_IDENTIFIER)


def burst_id(file: io.FileIO) -> str:
    """What the photos of a burst share in Apple's maker note, "" for none."""
    return apple_id(file, _BURST_UUID)


def apple_id(file: io.FileIO, wanted: int) -> str:
    """An identifier in Apple's maker note by its tag, "" for none."""
    file.seek(0)
    head = file.read(_SEARCHED_BYTES)
    note_at = head.find(_APPLE_NOTE)
    if note_at < 0:
        return ""
    note = head[note_at : note_at + 65536]
    (count,) = struct.unpack_from(">H", note.ljust(16, b"\0"), 14)
    for at in range(16, min(16 + 12 * count, len(note) - 11), 12):
        tag, kind, size, offset = struct.unpack_from(">HHII", note, at)
        if tag == wanted and kind == 2 and 4 < size <= 64:
            return clean_id(note[offset : offset + size].decode("ascii", "replace"))
    return ""


def clean_id(text: str) -> str:
    """An identifier as both files write it: capital letters, digits and hyphens."""
    name = text.partition("\0")[0].strip().upper()
    return name if re.fullmatch(r"[0-9A-Z-]{8,64}", name) else ""
