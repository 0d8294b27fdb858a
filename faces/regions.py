"""Named regions in XMP: read from and written for other programs. Bytes in, names on boxes out; no Django.

Read are MWG regions (Lightroom, digiKam, Picasa, Apple) and Microsoft's (Windows, digiKam). Boxes are
fractions of the picture as it is stored; `upright` turns them as EXIF's orientation turns the picture.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from photos.metadata.xmp import parse_packet, without_forbidden

Box = tuple[float, float, float, float]  # x1, y1, x2, y2

MAX_REGIONS = 1000
MAX_NAME = 100

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
MWG = "{http://www.metadataworkinggroup.com/schemas/regions/}"
AREA = "{http://ns.adobe.com/xmp/sType/Area#}"
DIMENSIONS = "{http://ns.adobe.com/xap/1.0/sType/Dimensions#}"
MICROSOFT = "{http://ns.microsoft.com/photo/1.2/t/Region#}"


@dataclass(frozen=True)
class Region:
    """A box with what somebody called it; `kind` is “face”, or what else MWG knows (pet, focus, barcode)."""

    name: str
    box: Box
    kind: str = "face"


@dataclass(frozen=True)
class Regions:
    """`width` and `height` are those of the picture the boxes were drawn on, 0 when it is not said."""

    regions: tuple[Region, ...] = ()
    width: float = 0
    height: float = 0


def parse(packet: bytes) -> Regions:
    """The regions of an XMP packet; none of one that is missing, too large or not well-formed."""
    root = parse_packet(packet)
    if root is None:
        return Regions()
    found = list(dict.fromkeys([*_mwg_regions(root), *_microsoft_regions(root)]))
    width, height = _applied_to(root)
    return Regions(tuple(found[:MAX_REGIONS]), width, height)


def _value(element: ElementTree.Element, name: str) -> str:
    """A property is an attribute or a child, of the element or of a description in it."""
    for holder in (element, *element.findall(f"{RDF}Description")):
        if (text := holder.get(name)) is not None:
            return text.strip()
        if (child := holder.find(name)) is not None:
            return (child.text or "").strip()
    return ""


def _child(element: ElementTree.Element, name: str) -> ElementTree.Element | None:
    for holder in (element, *element.findall(f"{RDF}Description")):
        if (child := holder.find(name)) is not None:
            return child
    return None


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return float("nan")
    return value


def _applied_to(root: ElementTree.Element) -> tuple[float, float]:
    for element in root.iter(f"{MWG}AppliedToDimensions"):
        width, height = _number(_value(element, DIMENSIONS + "w")), _number(_value(element, DIMENSIONS + "h"))
        if width > 0 and height > 0:
            return width, height
    return 0, 0


def _mwg_regions(root: ElementTree.Element) -> Iterator[Region]:
    """`Area` has the centre and the size, in fractions."""
    for listed in root.iter(f"{MWG}RegionList"):
        for item in listed.iter(f"{RDF}li"):
            area = _child(item, f"{MWG}Area")
            if area is None:
                continue
            x, y, w, h = (_number(_value(area, AREA + name)) for name in "xywh")
            kind = _value(item, f"{MWG}Type").lower() or "face"
            if box := box_within(x - w / 2, y - h / 2, x + w / 2, y + h / 2):
                yield Region(_value(item, f"{MWG}Name")[:MAX_NAME], box, kind)


def _microsoft_regions(root: ElementTree.Element) -> Iterator[Region]:
    """`Rectangle` is “left, top, width, height”, in fractions."""
    for item in root.iter(f"{RDF}li"):
        parts = [_number(part) for part in _value(item, f"{MICROSOFT}Rectangle").split(",")]
        if len(parts) == 4 and (
            box := box_within(parts[0], parts[1], parts[0] + parts[2], parts[1] + parts[3])
        ):
            yield Region(_value(item, f"{MICROSOFT}PersonDisplayName")[:MAX_NAME], box)


def box_within(x1: float, y1: float, x2: float, y2: float) -> Box | None:
    """The part inside the picture, to six digits; None for nonsense."""
    clipped = [round(min(max(value, 0.0), 1.0), 6) if value == value else None for value in (x1, y1, x2, y2)]
    left, top, right, bottom = clipped
    if left is None or top is None or right is None or bottom is None or right <= left or bottom <= top:
        return None
    return left, top, right, bottom


def upright(regions: Regions, *, orientation: int, width: int, height: int) -> list[Region]:
    """The regions in the upright picture of `width` x `height` pixels; orientation is EXIF's, 1 to 8.

    Some programs write boxes of the upright picture already: then the dimensions they name lie like it.
    """
    lies_over = orientation >= 5
    is_wide, was_wide = width > height, regions.width > regions.height
    if orientation == 1 or (lies_over and regions.width and width != height and is_wide == was_wide):
        return list(regions.regions)
    return [Region(region.name, _turned(region.box, orientation), region.kind) for region in regions.regions]


def _turned(box: Box, orientation: int) -> Box:
    x1, y1, x2, y2 = box
    turned: Box = {
        2: (1 - x2, y1, 1 - x1, y2),
        3: (1 - x2, 1 - y2, 1 - x1, 1 - y1),
        4: (x1, 1 - y2, x2, 1 - y1),
        5: (y1, x1, y2, x2),
        6: (1 - y2, x1, 1 - y1, x2),
        7: (1 - y2, 1 - x2, 1 - y1, 1 - x1),
        8: (y1, 1 - x2, y2, 1 - x1),
    }.get(orientation, box)
    return turned


def write(regions: Iterable[Region], *, width: int, height: int) -> bytes:
    """An XMP packet with MWG regions for a picture that is stored upright, `width` x `height` pixels."""
    items = "".join(_item(region) for region in regions)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        '  <rdf:Description rdf:about="" xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"\n'
        '    xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"\n'
        '    xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#">\n'
        '   <mwg-rs:Regions rdf:parseType="Resource">\n'
        f'    <mwg-rs:AppliedToDimensions stDim:w="{width}" stDim:h="{height}" stDim:unit="pixel"/>\n'
        f"    <mwg-rs:RegionList><rdf:Bag>\n{items}    </rdf:Bag></mwg-rs:RegionList>\n"
        "   </mwg-rs:Regions>\n  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n"
        '<?xpacket end="w"?>\n'
    ).encode()


def _item(region: Region) -> str:
    x1, y1, x2, y2 = region.box
    name = without_forbidden(region.name)
    area = {"x": (x1 + x2) / 2, "y": (y1 + y2) / 2, "w": x2 - x1, "h": y2 - y1}
    numbers = " ".join(f'stArea:{key}="{value:.6f}"' for key, value in area.items())
    kind = quoteattr(region.kind.title())
    return (
        f"     <rdf:li><rdf:Description mwg-rs:Name={quoteattr(name)} mwg-rs:Type={kind}>"
        f'<mwg-rs:Area {numbers} stArea:unit="normalized"/></rdf:Description></rdf:li>\n'
    )
