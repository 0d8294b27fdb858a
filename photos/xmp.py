"""The XMP properties that say when, where and what a picture is, from a file or from a sidecar beside it."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

_MAX_BYTES = 4 * 1024 * 1024
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_EXIF = "{http://ns.adobe.com/exif/1.0/}"
_XMP = "{http://ns.adobe.com/xap/1.0/}"
_PHOTOSHOP = "{http://ns.adobe.com/photoshop/1.0/}"
_LIGHTROOM = "{http://ns.adobe.com/lightroom/1.0/}"
_DIGIKAM = "{http://www.digikam.org/ns/1.0/}"
_DATES = (_EXIF + "DateTimeOriginal", _PHOTOSHOP + "DateCreated", _XMP + "CreateDate")
_MAX_ITEMS = 1000
_MAX_TAGS = 100_000  # 200,000 nested ones took three seconds to refuse
_COORDINATE = re.compile(r"(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?([NSEW])$")


@dataclass(frozen=True)
class XmpProperties:
    dates: tuple[str, ...] = ()
    """ISO 8601 texts, the most trustworthy first."""
    latitude: float | None = None
    longitude: float | None = None
    title: str = ""
    description: str = ""
    rating: float | None = None
    """Stars, 0 to 5; -1 says that it was rejected."""
    keywords: tuple[str, ...] = ()
    hierarchical_keywords: tuple[str, ...] = ()
    """Paths with `|` or `/` between their words."""
    city: str = ""
    region: str = ""
    country: str = ""


def read_xmp(packet: bytes) -> XmpProperties:
    """Properties of an XMP packet; none of one that is missing, too large or not well-formed."""
    # An XMP packet has no document type; one that has wants to expand entities.
    if not packet or len(packet) > _MAX_BYTES or packet.count(b"<") > _MAX_TAGS:
        return XmpProperties()
    if b"<!DOCTYPE" in packet or b"<!ENTITY" in packet:
        return XmpProperties()
    try:
        root = ElementTree.fromstring(packet.strip(b"\0 \r\n\t"))
    except (ElementTree.ParseError, ValueError, LookupError):
        return XmpProperties()
    properties: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    for name, text in _properties(root):
        properties.setdefault(name, text.strip())
    for name, texts in _lists(root):
        lists.setdefault(name, texts)
    return XmpProperties(
        dates=tuple(properties[name] for name in _DATES if properties.get(name)),
        latitude=_coordinate(properties.get(_EXIF + "GPSLatitude", ""), "NS", 90),
        longitude=_coordinate(properties.get(_EXIF + "GPSLongitude", ""), "EW", 180),
        title=properties.get(_DC + "title", ""),
        description=properties.get(_DC + "description", ""),
        rating=_number(properties.get(_XMP + "Rating", "")),
        keywords=tuple(lists.get(_DC + "subject", ())),
        hierarchical_keywords=tuple(
            lists.get(_LIGHTROOM + "hierarchicalSubject") or lists.get(_DIGIKAM + "TagsList") or ()
        ),
        city=properties.get(_PHOTOSHOP + "City", ""),
        region=properties.get(_PHOTOSHOP + "State", ""),
        country=properties.get(_PHOTOSHOP + "Country", ""),
    )


def _properties(root: ElementTree.Element) -> Iterator[tuple[str, str]]:
    """A property is an attribute or a child of a description; one with several languages gives its first."""
    for description in root.iter(_RDF + "Description"):
        yield from description.attrib.items()
        for child in description:
            item = child.find(f"{_RDF}Alt/{_RDF}li")
            yield child.tag, (child if item is None else item).text or ""


def _lists(root: ElementTree.Element) -> Iterator[tuple[str, list[str]]]:
    """Properties with several values, in their order."""
    for description in root.iter(_RDF + "Description"):
        for child in description:
            for kind in ("Bag", "Seq"):
                items = child.findall(f"{_RDF}{kind}/{_RDF}li")[:_MAX_ITEMS]
                if items:
                    yield child.tag, [(item.text or "").strip() for item in items]


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _coordinate(text: str, directions: str, limit: int) -> float | None:
    """Signed degrees of `48,12.5N` or `48,12,30N`."""
    match = _COORDINATE.match(text)
    if match is None or match[4] not in directions:
        return None
    value = int(match[1]) + float(match[2]) / 60 + float(match[3] or 0) / 3600
    if value > limit:
        return None
    return -value if match[4] == directions[1] and value else value
