"""EXIF tags from untrusted bytes, at a bounded price.

Only the tags named here are read, each up to 4 KB, from the three directories that hold them, so no loop
or huge count costs anything. Pillow's reader copies the value of every entry: 60 KB of EXIF made to hurt
take it 300 MB.
"""

import math
import struct
from dataclasses import dataclass, field
from typing import BinaryIO

Value = str | bytes | tuple[float, ...]

_MAX_ENTRIES = 4096
_MAX_VALUE_BYTES = 4096
_MAX_OFFSET = 1 << 40  # farther than any file; file systems refuse to seek much farther

_IMAGE_TAGS = {
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0112: "Orientation",
    0x0132: "DateTime",
    0x4746: "Rating",
    0x4749: "RatingPercent",
    0x8769: "ExifIFD",
    0x8825: "GPSIFD",
}
_EXIF_TAGS = {
    0x829A: "ExposureTime",
    0x829D: "FNumber",
    0x8827: "PhotographicSensitivity",
    0x8831: "StandardOutputSensitivity",
    0x8832: "RecommendedExposureIndex",
    0x8833: "ISOSpeed",
    0x9003: "DateTimeOriginal",
    0x9004: "DateTimeDigitized",
    0x9010: "OffsetTime",
    0x9011: "OffsetTimeOriginal",
    0x9012: "OffsetTimeDigitized",
    0x9290: "SubSecTime",
    0x9291: "SubSecTimeOriginal",
    0x9292: "SubSecTimeDigitized",
    0x920A: "FocalLength",
    0xA434: "LensModel",
}
_GPS_TAGS = {
    0x01: "GPSLatitudeRef",
    0x02: "GPSLatitude",
    0x03: "GPSLongitudeRef",
    0x04: "GPSLongitude",
    0x05: "GPSAltitudeRef",
    0x06: "GPSAltitude",
    0x07: "GPSTimeStamp",
    0x1D: "GPSDateStamp",
}
# Field types and the struct letter of one number; a rational is two.
_NUMBERS = dict(zip((1, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 16, 17, 18), "BHIIbhiifdIQqQ", strict=True))
_RATIONALS = frozenset({5, 10})
_ASCII, _UNDEFINED, _UTF8 = 2, 7, 129


@dataclass(frozen=True)
class ExifTags:
    """Values by the standard's tag names; what is missing or unreadable is not there."""

    values: dict[str, Value] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Up to the first NUL, without blanks around; "" when missing or not text."""
        value = self.values.get(name)
        return value.partition("\0")[0].strip() if isinstance(value, str) else ""

    def numbers(self, name: str) -> tuple[float, ...]:
        """All numbers of a tag; an undefined rational (x/0) is NaN."""
        value = self.values.get(name)
        if isinstance(value, bytes):
            return tuple(value)
        return value if isinstance(value, tuple) else ()

    def number(self, name: str) -> float | None:
        """The first number of a tag when it is finite."""
        value = next(iter(self.numbers(name)), math.nan)
        return value if math.isfinite(value) else None


def read_exif(source: BinaryIO) -> ExifTags:
    """The tags of a TIFF structure: a TIFF or BigTIFF file, or an EXIF block without its `Exif` mark.

    Nonsense gives no tags; only the disk's own errors are raised.
    """
    layout = _Layout.of(source)
    if layout is None:
        return ExifTags()
    values = layout.directory(layout.first_directory, _IMAGE_TAGS)
    for pointer, names in (("ExifIFD", _EXIF_TAGS), ("GPSIFD", _GPS_TAGS)):
        offset = ExifTags(values).number(pointer)
        if offset is not None and offset > 0:
            # The image directory wins: nothing the others hold has a name of its.
            values = layout.directory(int(offset), names) | values
    return ExifTags(values)


@dataclass(frozen=True)
class _Layout:
    """How the directories of one file are written."""

    source: BinaryIO
    order: str
    count_format: str
    entry_format: str
    first_directory: int

    @classmethod
    def of(cls, source: BinaryIO) -> "_Layout | None":
        source.seek(0)
        head = source.read(16)
        order = {b"II": "<", b"MM": ">"}.get(head[:2])
        if order is None or len(head) < 8:
            return None
        (version,) = struct.unpack_from(order + "H", head, 2)
        if version == 43 and len(head) == 16:
            (first,) = struct.unpack_from(order + "Q", head, 8)
            return cls(source, order, order + "Q", order + "HHQ8s", first)
        (first,) = struct.unpack_from(order + "I", head, 4)
        return cls(source, order, order + "H", order + "HHI4s", first)

    def _read(self, offset: int, size: int) -> bytes:
        if not 0 <= offset < _MAX_OFFSET:
            return b""
        self.source.seek(offset)
        return self.source.read(size)

    def directory(self, offset: int, names: dict[int, str]) -> dict[str, Value]:
        count_size, entry_size = struct.calcsize(self.count_format), struct.calcsize(self.entry_format)
        head = self._read(offset, count_size)
        if len(head) < count_size:
            return {}
        (count,) = struct.unpack(self.count_format, head)
        table = self._read(offset + count_size, min(count, _MAX_ENTRIES) * entry_size)
        values: dict[str, Value] = {}
        whole = len(table) - len(table) % entry_size
        for tag, kind, length, content in struct.iter_unpack(self.entry_format, table[:whole]):
            name = names.get(tag)
            if name is not None and name not in values:
                value = self._value(kind, length, content)
                if value is not None:
                    values[name] = value
        return values

    def _value(self, kind: int, length: int, content: bytes) -> Value | None:
        letter = _NUMBERS.get(kind, "B")
        per_item = 2 if kind in _RATIONALS else 1
        item_size = struct.calcsize("=" + letter) * per_item
        if kind not in _NUMBERS and kind not in (_ASCII, _UNDEFINED, _UTF8):
            return None
        size = length * item_size
        if size > len(content):
            (offset,) = struct.unpack(self.order + ("Q" if len(content) == 8 else "I"), content)
            content = self._read(offset, min(size, _MAX_VALUE_BYTES))
        content = content[:size]
        if kind in (_ASCII, _UTF8):
            return _decode(content)
        if kind == _UNDEFINED:
            return content
        amount = len(content) // item_size
        numbers = struct.unpack_from(f"{self.order}{amount * per_item}{letter}", content)
        if kind in _RATIONALS:
            pairs = zip(numbers[::2], numbers[1::2], strict=True)
            return tuple(above / below if below else math.nan for above, below in pairs)
        return tuple(numbers)


def _decode(content: bytes) -> str:
    """The standard says ASCII; cameras and editors write UTF-8, and older ones Latin-1."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")
