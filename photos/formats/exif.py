"""EXIF tags by Pillow, which reads the directories; here is which tags count and what their values are.

No value costs more than the file is long: Pillow passes over what does not fit into it, however large a count
or how often two values claim the same bytes.
"""

import io
import math
import struct
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, BinaryIO

Value = str | bytes | tuple[float, ...]

_EXIF, _GPS = 0x8769, 0x8825
_ANY = 0
"""No group of tags that Pillow knows: values come as they stand there, not as few as a tag should have."""
_IMAGE_TAGS = {
    0x0017: "PanasonicISO",
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0112: "Orientation",
    0x0132: "DateTime",
    0x02BC: "XMP",
    0x83BB: "IPTC",
    0x4746: "Rating",
    0x4749: "RatingPercent",
    0x9C9B: "XPTitle",
    0x9C9C: "XPComment",
    0x9C9E: "XPKeywords",
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
_UTF8 = 129
"""The type of text in EXIF 3, which Pillow does not know yet."""
# What Pillow raises for values that are not what their type says.
_UNREADABLE = (LookupError, ValueError, TypeError, ArithmeticError, struct.error)


@dataclass(frozen=True)
class ExifTags:
    """Values by the standard's tag names; what is missing or unreadable is not there."""

    values: dict[str, Value] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Up to the first NUL, without blanks around; "" when missing or not text."""
        value = self.values.get(name)
        return value.partition("\0")[0].strip() if isinstance(value, str) else ""

    def wide_text(self, name: str) -> str:
        """Of the tags that Windows writes: UTF-16 in bytes."""
        value = self.values.get(name)
        text = value.decode("utf-16-le", "ignore") if isinstance(value, bytes) else ""
        return text.partition("\0")[0].strip()

    def block(self, name: str) -> bytes:
        """Of a tag that holds another packet; numbers of four bytes are taken as written little end first."""
        value = self.values.get(name, b"")
        if isinstance(value, tuple):
            return b"".join(int(number).to_bytes(4, "little") for number in value if 0 <= number < 1 << 32)
        return value if isinstance(value, bytes) else b""

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
    source.seek(0)
    head = source.read(8)
    if head[2:4] in (b"+\0", b"\0+"):  # BigTIFF's is twice as long
        head += source.read(8)
    try:
        first = _directory_class()(head, group=_ANY)
    except (SyntaxError, *_UNREADABLE):
        return ExifTags()
    image = _load(source, first, first.next)
    values = dict(_named(image, _IMAGE_TAGS))
    for pointer, names in ((_EXIF, _EXIF_TAGS), (_GPS, _GPS_TAGS)):
        offset = _value(image, pointer)
        if isinstance(offset, tuple) and offset:
            directory = _load(source, _directory_class()(head, group=_ANY), int(offset[0]))
            # The image directory wins: nothing the others hold has a name of its.
            values = dict(_named(directory, names)) | values
    return ExifTags(values)


@cache
def _directory_class() -> Any:
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    class Directory(ImageFileDirectory_v2):
        _load_dispatch = ImageFileDirectory_v2._load_dispatch | {
            _UTF8: (1, ImageFileDirectory_v2.load_string),
        }

    # It warns of every tag that it passes over.
    warnings.filterwarnings("ignore", module=r"PIL\.TiffImagePlugin")
    return Directory


def _load(source: BinaryIO, directory: Any, offset: int) -> Mapping[int, Any]:
    """The directory at this place; without tags when none can be read there."""
    end = source.seek(0, io.SEEK_END)
    if 0 < offset < end:
        source.seek(offset)
        directory.load(source)
    loaded: Mapping[int, Any] = directory
    return loaded


def _named(directory: Mapping[int, Any], names: dict[int, str]) -> Iterator[tuple[str, Value]]:
    for tag, name in names.items():
        value = _value(directory, tag)
        if value is not None:
            yield name, value


def _value(directory: Mapping[int, Any], tag: int) -> Value | None:
    if tag not in directory:
        return None
    try:
        value = directory[tag]
        if isinstance(value, tuple) and len(value) == 1:
            value = value[0]
        if isinstance(value, str):
            return _decode(value.encode("latin-1", "replace"))  # Pillow takes all text for Latin-1
        if isinstance(value, bytes):
            return value
        return tuple(float(number) for number in (value if isinstance(value, tuple) else (value,)))
    except _UNREADABLE:
        return None


def _decode(content: bytes) -> str:
    """The standard says ASCII; cameras and editors write UTF-8, and older ones Latin-1."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")
