"""TIFF directories, as camera raw files and EXIF are made of."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

BYTE, ASCII, SHORT, LONG, UNDEFINED = 1, 2, 3, 4, 7
_FORMATS = {BYTE: "B", SHORT: "H", LONG: "I", 5: "II", 10: "ii", 12: "d"}


@dataclass(frozen=True)
class Block:
    """Bytes that a tag points to, behind all directories, as cameras write them."""

    data: bytes


Value = Sequence[float] | bytes | str | Block | list["Directory"]
Entry = tuple[int, int, Value]
Directory = list[Entry]
Blocks = dict[int, bytes]
"""What is still to be put behind the directories, by where its place is to be written."""


def tiff(*directories: Directory, order: str = "<", head: bytes = b"", start: int = 8) -> bytes:
    """A chain of directories; a list of directories as a value is a pointer to each of them."""
    head = head or (b"II*\0" if order == "<" else b"MM\0*")
    body = bytearray(head.ljust(start, b"\0"))
    link = 4
    blocks: Blocks = {}
    for entries in directories:
        place, next_link = _directory(body, entries, order, blocks)
        struct.pack_into(order + "I", body, link, place)
        link = next_link
    for pointer, data in blocks.items():
        struct.pack_into(order + "I", body, pointer, _put(body, data))
    return bytes(body)


def bare_directory(entries: Directory, *, head: bytes) -> bytes:
    """One directory right behind a head, as in makers' notes; places count from the head."""
    body = bytearray(head)
    _directory(body, entries, "<", {})
    return bytes(body)


def _put(body: bytearray, block: bytes) -> int:
    body.extend(bytes(len(body) % 2))
    body.extend(block)
    return len(body) - len(block)


def _directory(body: bytearray, entries: Directory, order: str, blocks: Blocks) -> tuple[int, int]:
    """Where a directory begins, in front of what it points to, and where its link to the next one is."""
    start = _put(body, bytes(2 + 12 * len(entries) + 4))
    packed = struct.pack(order + "H", len(entries))
    for tag, kind, value in sorted(entries, key=lambda entry: entry[0]):
        if isinstance(value, Block):
            blocks[start + len(packed) + 8] = value.data
        count, raw = _content(body, kind, value, order, blocks)
        field = raw.ljust(4, b"\0") if len(raw) <= 4 else struct.pack(order + "I", _put(body, raw))
        packed += struct.pack(order + "HHI", tag, kind, count) + field
    body[start : start + len(packed)] = packed
    return start, start + len(packed)


def _content(body: bytearray, kind: int, value: Value, order: str, blocks: Blocks) -> tuple[int, bytes]:
    """How many values there are, and their bytes."""
    if isinstance(value, Block):
        return (len(value.data) if kind == UNDEFINED else 1), bytes(4)
    if isinstance(value, str):
        value = value.encode() + b"\0"
    if isinstance(value, bytes):
        return len(value), value
    if isinstance(value, list):
        places = [_directory(body, entries, order, blocks)[0] for entries in value]
        return len(places), struct.pack(f"{order}{len(places)}I", *places)
    count = len(value) // len(_FORMATS[kind])
    return count, struct.pack(order + _FORMATS[kind] * count, *value)
