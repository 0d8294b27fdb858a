"""The IPTC fields that newspapers and older programs write, from untrusted bytes at a bounded price."""

import hashlib
import io
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.JpegImagePlugin import JpegImageFile

_MAX_BYTES = 65_000
"""A segment of a JPEG holds 65,533; fields of text come first."""
_IPTC, _DIGEST = 0x0404, 0x0425
_PHOTOSHOP = b"Photoshop 3.0\0"
_ENCODING = (1, 90)
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
    start = block[:64].find(b"8BIM")
    picture = _picture_with(block[start:] if start >= 0 else _as_resource(block))
    resources = picture.info.get("photoshop", {}) if picture else {}
    data = resources.get(_IPTC, b"")
    if picture is None or not data.startswith(b"\x1c"):
        return IptcFields()
    values = _datasets(data)
    is_utf8 = values.get(_ENCODING) == [_UTF8_MARK]

    def first(dataset: int) -> str:
        return _decode(values.get((2, dataset), [b""])[0], is_utf8)

    digest = resources.get(_DIGEST, b"")
    return IptcFields(
        title=first(_TITLE),
        caption=first(_CAPTION),
        keywords=tuple(_decode(value, is_utf8) for value in values.get((2, _KEYWORD), [])[:1000]),
        created=_moment(first(_DATE), first(_TIME)),
        city=first(_CITY),
        region=first(_REGION),
        country=first(_COUNTRY),
        # Eight digits in a row are made for comparing, and no secret.
        is_outdated=len(digest) == 16 and digest != hashlib.md5(data, usedforsecurity=False).digest(),
    )


def _as_resource(records: bytes) -> bytes:
    """Bare records as a resource of Photoshop; with an end, so that cut ones keep those before them."""
    if records[3:4] == b"\x1c" != records[:1]:
        records = _swapped(records)
    records = records[:_MAX_BYTES] + bytes(5)
    return struct.pack(">4sHHI", b"8BIM", _IPTC, 0, len(records)) + records


def _swapped(data: bytes) -> bytes:
    """Some TIFF files have the records as numbers of four bytes, the big end first."""
    count = len(data) // 4
    return struct.pack(f"<{count}I", *struct.unpack_from(f">{count}I", data))


def _picture_with(resources: bytes) -> "JpegImageFile | None":
    """Pillow reads them only in a picture that it opened, so they get one of one pixel."""
    from PIL import Image
    from PIL.JpegImagePlugin import JpegImageFile

    segment = (_PHOTOSHOP + resources)[:65_533]
    file = io.BytesIO()
    Image.new("L", (1, 1)).save(file, "JPEG", extra=struct.pack(">HH", 0xFFED, len(segment) + 2) + segment)
    file.seek(0)
    try:
        return JpegImageFile(file)
    except SyntaxError:
        return None


def _datasets(data: bytes) -> dict[tuple[int, int], list[bytes]]:
    """Values by record and number, as far as the records are whole."""
    from PIL.IptcImagePlugin import IptcImageFile, getiptcinfo

    class Records(IptcImageFile):
        """Pillow's own class gives nothing of damaged records; here the first damage ends them."""

        def field(self) -> tuple[tuple[int, int] | None, int]:
            try:
                return super().field()
            except (SyntaxError, OSError, LookupError, struct.error):
                return None, 0

        def _open(self) -> None:
            with suppress(LookupError, TypeError, OSError):  # there is no picture in them
                super()._open()
            self._mode, self._size = "L", (1, 1)

    found = getiptcinfo(Records(io.BytesIO(data))) or {}
    values = {key: value if isinstance(value, list) else [value] for key, value in found.items()}
    return {key: [value or b"" for value in several] for key, several in values.items()}


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
