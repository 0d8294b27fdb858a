"""An XMP sidecar with what people said about a photo, for other programs. Texts in, bytes out; no Django."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from faces.regions import Region
from faces.regions import write as write_regions
from photos.metadata.xmp import without_forbidden

START = b'  <rdf:Description rdf:about=""'
END = b" </rdf:RDF>"


@dataclass(frozen=True)
class Sidecar:
    """`taken_at` is naive wall clock, or aware when the distance from UTC is known."""

    taken_at: datetime
    title: str = ""
    description: str = ""
    rating: int | None = None
    tags: tuple[str, ...] = ()
    latitude: float | None = None
    longitude: float | None = None


def write(sidecar: Sidecar, regions: Iterable[Region], *, width: int, height: int) -> bytes:
    """The packet; regions are in fractions of the upright picture of `width` x `height` pixels."""
    named = list(regions)
    packet = write_regions(named, width=width, height=height)
    own = described(sidecar).encode()
    if named:
        return packet.replace(END, own + END)
    head, tail = packet[: packet.index(START)], packet[packet.index(END) :]
    return head + own + tail


def described(sidecar: Sidecar) -> str:
    """The description of everything but regions."""
    attributes = {"exif:DateTimeOriginal": sidecar.taken_at.isoformat()}
    if sidecar.rating is not None:
        attributes["xmp:Rating"] = str(sidecar.rating)
    if sidecar.latitude is not None and sidecar.longitude is not None:
        attributes["exif:GPSLatitude"] = coordinate(sidecar.latitude, "NS")
        attributes["exif:GPSLongitude"] = coordinate(sidecar.longitude, "EW")
    written = "".join(f"\n    {name}={quoteattr(value)}" for name, value in attributes.items())
    return (
        '  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"\n'
        '    xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"\n'
        f'    xmlns:digiKam="http://www.digikam.org/ns/1.0/"{written}>\n'
        f"{language('dc:title', sidecar.title)}{language('dc:description', sidecar.description)}"
        f"{words('dc:subject', 'Bag', [tag.rpartition('/')[2] for tag in sidecar.tags])}"
        f"{words('digiKam:TagsList', 'Seq', sidecar.tags)}  </rdf:Description>\n"
    )


def coordinate(degrees: float, directions: str) -> str:
    """`48,12.345678N`."""
    whole, fraction = divmod(abs(degrees), 1)
    return f"{int(whole)},{fraction * 60:.8f}{directions[degrees < 0]}"


def language(name: str, text: str) -> str:
    if not text:
        return ""
    item = f'<rdf:li xml:lang="x-default">{clean(text)}</rdf:li>'
    return f"   <{name}><rdf:Alt>{item}</rdf:Alt></{name}>\n"


def words(name: str, kind: str, texts: Iterable[str]) -> str:
    items = "".join(f"<rdf:li>{clean(text)}</rdf:li>" for text in texts)
    return f"   <{name}><rdf:{kind}>{items}</rdf:{kind}></{name}>\n" if items else ""


def clean(text: str) -> str:
    return escape(without_forbidden(text))
