"""The XMP properties that say when, where and what a picture is, from a file or from a sidecar beside it."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from xml.etree import ElementTree

_MAX_BYTES = 4 * 1024 * 1024
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_EXIF = "{http://ns.adobe.com/exif/1.0/}"
_XMP = "{http://ns.adobe.com/xap/1.0/}"
_PHOTOSHOP = "{http://ns.adobe.com/photoshop/1.0/}"
_LIGHTROOM = "{http://ns.adobe.com/lightroom/1.0/}"
_TIFF = "{http://ns.adobe.com/tiff/1.0/}"
_EXIF_2 = "{http://cipa.jp/exif/1.0/}"
_AUX = "{http://ns.adobe.com/exif/1.0/aux/}"
_DIGIKAM = "{http://www.digikam.org/ns/1.0/}"
_DATES = (_EXIF + "DateTimeOriginal", _PHOTOSHOP + "DateCreated", _XMP + "CreateDate")
_END = "</x:xmpmeta>"
_MAX_ITEMS = 1000
_MAX_TAGS = 100_000  # 200,000 nested ones took three seconds to refuse
_COORDINATE = re.compile(r"(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?([NSEW])$")
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def without_forbidden(text: str) -> str:
    """The text without the characters that XML cannot hold."""
    return _NO_XML.sub("", text)


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
    camera_make: str = ""
    camera_model: str = ""
    lens_model: str = ""
    exposure_seconds: float | None = None
    f_number: float | None = None
    focal_length_mm: float | None = None
    iso: float | None = None

    def or_else(self, other: "XmpProperties") -> "XmpProperties":
        """These, and what the other says where these say nothing."""
        said = {each.name: getattr(self, each.name) for each in fields(self)}
        return replace(other, **{name: value for name, value in said.items() if value not in (None, "", ())})


def parse_packet(packet: bytes) -> ElementTree.Element | None:
    """The root of an XMP packet; None for one that is missing, too large or not well-formed."""
    if not packet or len(packet) > _MAX_BYTES:
        return None
    text = _decode(packet).strip("\ufeff\0 \r\n\t")
    # An XMP packet has no document type; one that has wants to expand entities.
    if text.count("<") > _MAX_TAGS or "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None
    # What some programs leave behind the packet is no part of it.
    end = text.find(_END) + len(_END)
    try:
        return ElementTree.fromstring(text[:end] if end >= len(_END) else text)
    except (ElementTree.ParseError, ValueError, LookupError):
        return None


def _decode(packet: bytes) -> str:
    """UTF-8, or UTF-16, which the standard allows and which need not say so."""
    if packet[:2] in (b"\xff\xfe", b"<\0"):
        return packet.decode("utf-16-le", "replace")
    if packet[:2] in (b"\xfe\xff", b"\0<"):
        return packet.decode("utf-16-be", "replace")
    return packet.decode("utf-8", "replace")


def read_xmp(packet: bytes) -> XmpProperties:
    """Properties of an XMP packet; none of one that `parse_packet` refuses."""
    root = parse_packet(packet)
    if root is None:
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
        camera_make=properties.get(_TIFF + "Make", ""),
        camera_model=properties.get(_TIFF + "Model", ""),
        lens_model=properties.get(_EXIF_2 + "LensModel", "") or properties.get(_AUX + "Lens", ""),
        exposure_seconds=_fraction(properties.get(_EXIF + "ExposureTime", "")),
        f_number=_fraction(properties.get(_EXIF + "FNumber", "")),
        focal_length_mm=_fraction(properties.get(_EXIF + "FocalLength", "")),
        iso=_fraction(next(iter(lists.get(_EXIF + "ISOSpeedRatings", ())), "")),
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


def _fraction(text: str) -> float | None:
    """The positive number of `1/250` or `0.004`."""
    above, slash, below = text.partition("/")
    value, divisor = _number(above), _number(below) if slash else 1.0
    return value / divisor if value and divisor and value / divisor > 0 else None


def _coordinate(text: str, directions: str, limit: int) -> float | None:
    """Signed degrees of `48,12.5N` or `48,12,30N`."""
    match = _COORDINATE.match(text)
    if match is None or match[4] not in directions:
        return None
    value = int(match[1]) + float(match[2]) / 60 + float(match[3] or 0) / 3600
    if value > limit:
        return None
    return -value if match[4] == directions[1] and value else value
