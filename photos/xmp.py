"""The few XMP properties that say when, where and what a picture is."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

_MAX_BYTES = 4 * 1024 * 1024
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_EXIF = "{http://ns.adobe.com/exif/1.0/}"
_DATES = (
    _EXIF + "DateTimeOriginal",
    "{http://ns.adobe.com/photoshop/1.0/}DateCreated",
    "{http://ns.adobe.com/xap/1.0/}CreateDate",
)
_COORDINATE = re.compile(r"(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?([NSEW])$")


@dataclass(frozen=True)
class XmpProperties:
    dates: tuple[str, ...] = ()
    """ISO 8601 texts, the most trustworthy first."""
    latitude: float | None = None
    longitude: float | None = None
    title: str = ""
    description: str = ""


def read_xmp(packet: bytes) -> XmpProperties:
    """Properties of an XMP packet; none of one that is missing, too large or not well-formed."""
    # An XMP packet has no document type; one that has wants to expand entities.
    if not packet or len(packet) > _MAX_BYTES or b"<!DOCTYPE" in packet or b"<!ENTITY" in packet:
        return XmpProperties()
    try:
        root = ElementTree.fromstring(packet.strip(b"\0 \r\n\t"))
    except (ElementTree.ParseError, ValueError, LookupError):
        return XmpProperties()
    properties: dict[str, str] = {}
    for name, text in _properties(root):
        properties.setdefault(name, text.strip())
    return XmpProperties(
        dates=tuple(properties[name] for name in _DATES if properties.get(name)),
        latitude=_coordinate(properties.get(_EXIF + "GPSLatitude", ""), "NS", 90),
        longitude=_coordinate(properties.get(_EXIF + "GPSLongitude", ""), "EW", 180),
        title=properties.get(_DC + "title", ""),
        description=properties.get(_DC + "description", ""),
    )


def _properties(root: ElementTree.Element) -> Iterator[tuple[str, str]]:
    """A property is an attribute or a child of a description; one with several languages gives its first."""
    for description in root.iter(_RDF + "Description"):
        yield from description.attrib.items()
        for child in description:
            item = child.find(f"{_RDF}Alt/{_RDF}li")
            yield child.tag, (child if item is None else item).text or ""


def _coordinate(text: str, directions: str, limit: int) -> float | None:
    """Signed degrees of `48,12.5N` or `48,12,30N`."""
    match = _COORDINATE.match(text)
    if match is None or match[4] not in directions:
        return None
    value = int(match[1]) + float(match[2]) / 60 + float(match[3] or 0) / 3600
    if value > limit:
        return None
    return -value if match[4] == directions[1] and value else value
