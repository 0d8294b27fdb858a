"""What an XMP sidecar of another program says about a photo. Bytes in; no Django."""

from xml.etree import ElementTree

from chitra.sources.details import Details, clean_texts
from photos.metadata.xmp import parse_packet, read_xmp

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
XMP = "{http://ns.adobe.com/xap/1.0/}"
KEYWORDS = (
    "{http://www.digikam.org/ns/1.0/}TagsList",
    "{http://ns.adobe.com/lightroom/1.0/}hierarchicalSubject",
    "{http://purl.org/dc/elements/1.1/}subject",
)


def details_of(packet: bytes) -> Details | None:
    """None for a packet that is missing, too large or not well-formed."""
    root = parse_packet(packet)
    if root is None:
        return None
    properties = read_xmp(packet)
    return Details(
        title=properties.title,
        description=properties.description,
        latitude=properties.latitude,
        longitude=properties.longitude,
        rating=rating_of(root),
        tags=keywords_of(root),
        xmp=packet,
    )


def rating_of(root: ElementTree.Element) -> int | None:
    """0 to 5; -1 (rejected) and nonsense are none."""
    for description in root.iter(RDF + "Description"):
        child = description.find(XMP + "Rating")
        text = description.get(XMP + "Rating") or (child.text if child is not None else None) or ""
        if text.strip().isdecimal() and int(text) <= 5:
            return int(text)
    return None


def keywords_of(root: ElementTree.Element) -> tuple[str, ...]:
    """Keywords; of a hierarchy (“places|Italy” or “places/Italy”) the whole path, with “/”, not its parts."""
    texts: list[str] = []
    for name in KEYWORDS:
        for holder in root.iter(name):
            texts += [(item.text or "").replace("|", "/") for item in holder.iter(RDF + "li")]
    found = clean_texts(texts)
    return tuple(text for text in found if not any(other.endswith("/" + text) for other in found))
