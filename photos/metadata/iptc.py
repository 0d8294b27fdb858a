"""The IPTC fields that newspapers and older programs write, from untrusted bytes at a bounded price."""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass

_MAX_BYTES = 1 << 20
_MAX_RESOURCES = 1000
_IPTC, _DIGEST = 0x0404, 0x0425
_UTF8_MARK = b"\x1b%G"
_TITLE, _KEYWORD, _DATE, _TIME, _CITY, _REGION, _COUNTRY, _CAPTION = 5, 25, 55, 60, 90, 95, 101, 120


@dataclass(frozen=True)
class IptcFields:
    title: str = ""
    caption: str = ""
    keywords: tuple[str, ...] = ()
    created: str = ""
    """`2024-05-01T12:34:56+0200`, the time and its offset as far as they are there."""
    city: str = ""
    region: str = ""
    country: str = ""
    is_outdated: bool = False
    """Whether a program that only knew XMP changed the file since: the checksum beside it does not fit."""


def read_iptc(block: bytes) -> IptcFields:
    """The fields of a Photoshop block (JPEG) or of bare records (TIFF); none of nonsense."""
    block = block[:_MAX_BYTES]
    resources = dict(_resources(block)) if b"8BIM" in block[:64] else {_IPTC: block}
    data = resources.get(_IPTC, b"")
    if data[3:4] == b"\x1c" != data[:1]:
        data = _swapped(data)
    if not data.startswith(b"\x1c"):
        return IptcFields()
    values: dict[int, list[bytes]] = {}
    is_utf8 = False
    for record, dataset, value in _datasets(data):
        if (record, dataset) == (1, 90):
            is_utf8 = value == _UTF8_MARK
        elif record == 2:
            values.setdefault(dataset, []).append(value)

    def first(dataset: int) -> str:
        return _decode(values.get(dataset, [b""])[0], is_utf8)

    digest = resources.get(_DIGEST, b"")
    return IptcFields(
        title=first(_TITLE),
        caption=first(_CAPTION),
        keywords=tuple(_decode(value, is_utf8) for value in values.get(_KEYWORD, [])[:1000]),
        created=_moment(first(_DATE), first(_TIME)),
        city=first(_CITY),
        region=first(_REGION),
        country=first(_COUNTRY),
        # Eight digits in a row are made for comparing, and no secret.
        is_outdated=len(digest) == 16 and digest != hashlib.md5(data, usedforsecurity=False).digest(),
    )


def _swapped(data: bytes) -> bytes:
    """Some TIFF files have the records as numbers of four bytes, the big end first."""
    count = len(data) // 4
    return struct.pack(f"<{count}I", *struct.unpack_from(f">{count}I", data))


def _resources(block: bytes) -> Iterator[tuple[int, bytes]]:
    """Photoshop's resources: 8BIM, number, name of even length, size, data of even length."""
    at = block.find(b"8BIM")
    for _ in range(_MAX_RESOURCES):
        if at < 0 or block[at : at + 4] != b"8BIM" or at + 7 > len(block):
            return
        (number,) = struct.unpack_from(">H", block, at + 4)
        at += 6 + (block[at + 6] + 2 & ~1)
        if at + 4 > len(block):
            return
        (size,) = struct.unpack_from(">I", block, at)
        yield number, block[at + 4 : at + 4 + size]
        at += 4 + size + (size & 1)


def _datasets(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at + 5 <= len(data) and data[at] == 0x1C:
        record, dataset, size = struct.unpack_from(">BBH", data, at + 1)
        if size & 0x8000:  # longer than any text we want
            return
        yield record, dataset, data[at + 5 : at + 5 + size]
        at += 5 + size


def _decode(value: bytes, is_utf8: bool) -> str:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = value.decode("utf-8", "replace") if is_utf8 else value.decode("latin-1")
    return text.partition("\0")[0].strip()


def _moment(date: str, time: str) -> str:
    """`20240501` and `123456+0200` as ISO 8601; a date without a time is one of midnight."""
    if len(date) != 8 or not date.isdigit():
        return ""
    day = f"{date[:4]}-{date[4:6]}-{date[6:]}"
    if len(time) < 6 or not time[:6].isdigit():
        return day
    return f"{day}T{time[:2]}:{time[2:4]}:{time[4:6]}{time[6:11]}"
