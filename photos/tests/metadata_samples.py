"""What is known of a photo and what is to be read of it: for docs/formats.md and its test."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from photos.dates.capture_time import CaptureTime, Surroundings
from photos.tests import pictures
from photos.tests.films import film
from photos.tests.raws import dng
from photos.tests.test_iptc import FIELDS, photoshop
from photos.tests.test_xmp import PACKET

ORIGINAL, DIGITIZED, CHANGED, OFFSET = 0x9003, 0x9004, 0x0132, 0x9011
NOON = "2024:05:01 12:34:56"
PARIS = (48.8566, 2.3522)
APPLE = "com.apple.quicktime."


@dataclass(frozen=True)
class MetadataSample:
    """`says` is the time by `time_in_words`; `texts` what else is read, as attribute and value."""

    name: str
    make: Callable[[], bytes]
    says: str
    around: Surroundings = field(default_factory=Surroundings)
    sidecar: bytes = b""
    texts: dict[str, object] = field(default_factory=dict)


def time_in_words(time: CaptureTime | None) -> str:
    """The wall clock, its distance from UTC, and where each comes from."""
    if time is None:
        return "no time"
    zone = "zone unknown"
    if time.offset_minutes is not None:
        sign, minutes = ("-", -time.offset_minutes) if time.offset_minutes < 0 else ("+", time.offset_minutes)
        zone = f"UTC{sign}{minutes // 60}:{minutes % 60:02} ({time.zone_source})"
    return f"{time.wall:%Y-%m-%d %H:%M:%S} ({time.source}), {zone}"


def tagged(tags: dict[int, object] | None = None, **others: dict[int, object]) -> Callable[[], bytes]:
    return lambda: pictures.jpeg(64, 48, exif=pictures.exif(tags=tags, **others))


def with_block(marker: int, payload: bytes, *, exif: bytes | None = None) -> bytes:
    """A JPEG with one more block behind its start."""
    data = pictures.jpeg(64, 48, exif=exif)
    return data[:2] + struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload + data[2:]


def with_xmp(packet: str, **options: bytes) -> bytes:
    return with_block(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet.encode(), **options)


def described(**properties: str) -> str:
    """An XMP packet of simple properties, with `_` for the colon."""
    namespaces = {
        "xmp": "http://ns.adobe.com/xap/1.0/",
        "exif": "http://ns.adobe.com/exif/1.0/",
        "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    }
    declared = " ".join(f'xmlns:{name}="{address}"' for name, address in namespaces.items())
    said = " ".join(f'{name.replace("_", ":", 1)}="{value}"' for name, value in properties.items())
    return (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f"<rdf:Description {declared} {said}/></rdf:RDF>"
    )


KEYWORDS = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:lr="http://ns.adobe.com/lightroom/1.0/">'
    "<dc:subject><rdf:Bag><rdf:li>Paris</rdf:li><rdf:li>sea</rdf:li></rdf:Bag></dc:subject>"
    "<lr:hierarchicalSubject><rdf:Bag><rdf:li>Places|France|Paris</rdf:li></rdf:Bag>"
    "</lr:hierarchicalSubject></rdf:Description></rdf:RDF>"
)


def looping_exif() -> bytes:
    """Directories that point at themselves, and 4 GB of text."""
    entries = ((0x010F, 2, 0xFFFFFFFF, 8), (0x8769, 4, 1, 8), (0x8825, 4, 1, 8))
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    block = b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + struct.pack("<I", 8)
    return with_block(0xE1, b"Exif\0\0" + block)


def metadata_samples() -> Iterator[MetadataSample]:
    """Every rule of docs/metadata.md once."""
    plain = tagged({}, details={ORIGINAL: NOON})
    bare = lambda: pictures.jpeg(64, 48)  # noqa: E731
    yield MetadataSample(
        "EXIF with its offset",
        tagged({}, details={ORIGINAL: NOON, OFFSET: "+02:00"}),
        "2024-05-01 12:34:56 (exif_original), UTC+2:00 (offset)",
    )
    yield MetadataSample(
        "EXIF and the GPS clock",
        tagged({}, details={ORIGINAL: NOON}, gps={7: (7.0, 4.0, 50.0), 29: "2024:05:01"}),
        "2024-05-01 12:34:56 (exif_original), UTC+5:30 (gps)",
    )
    yield MetadataSample(
        "EXIF and the GPS clock, full hours from the zone of the place",
        tagged({}, details={ORIGINAL: NOON}, gps={7: (7.0, 34.0, 50.0), 29: "2024:05:01"}),
        "2024-05-01 12:34:56 (exif_original), zone unknown",
        Surroundings(place=PARIS),
    )
    yield MetadataSample(
        "EXIF, zone of the place",
        plain,
        "2024-05-01 12:34:56 (exif_original), UTC+2:00 (place)",
        Surroundings(place=PARIS, library_zone="Asia/Tokyo"),
    )
    yield MetadataSample(
        "EXIF, zone of the library",
        plain,
        "2024-05-01 12:34:56 (exif_original), UTC+9:00 (library)",
        Surroundings(library_zone="Asia/Tokyo"),
    )
    yield MetadataSample(
        "EXIF alone", plain, "2024-05-01 12:34:56 (exif_original), zone unknown", Surroundings()
    )
    yield MetadataSample(
        "EXIF, time of digitisation before that of change",
        tagged({CHANGED: "2025:01:01 00:00:01"}, details={DIGITIZED: NOON}),
        "2024-05-01 12:34:56 (exif_digitized), zone unknown",
    )
    yield MetadataSample(
        "EXIF before XMP",
        lambda: with_xmp(
            described(exif_DateTimeOriginal="2019-01-01T00:00:01"),
            exif=pictures.exif(details={ORIGINAL: NOON}),
        ),
        "2024-05-01 12:34:56 (exif_original), zone unknown",
    )
    yield MetadataSample(
        "XMP before IPTC and EXIF’s time of change",
        lambda: with_xmp(
            described(photoshop_DateCreated="2024-05-01T12:34:56+02:00"),
            exif=pictures.exif(tags={CHANGED: "2025:01:01 00:00:01"}),
        ),
        "2024-05-01 12:34:56 (xmp), UTC+2:00 (offset)",
    )
    yield MetadataSample(
        "IPTC with title, caption, keywords and place",
        lambda: with_block(0xED, photoshop((0x0404, FIELDS))),
        "2024-05-01 12:34:56 (iptc), UTC+2:00 (offset)",
        texts={"title": "The lake", "city": "Lucerne", "keywords": ("water", "früh")},
    )
    yield MetadataSample(
        "A sidecar before everything",
        plain,
        "2018-01-02 03:04:05 (xmp), zone unknown",
        sidecar=PACKET.encode(),
        texts={"title": "The lake", "latitude": 48.1375},
    )
    yield MetadataSample(
        "The GPS clock alone, zone of the place",
        tagged({}, gps={7: (10.0, 34.0, 56.0), 29: "2024:05:01"}),
        "2024-05-01 12:34:56 (gps), UTC+2:00 (place)",
        Surroundings(place=PARIS),
    )
    for name, says in (
        ("IMG_20240501_123456.jpg", "2024-05-01 12:34:56 (name), zone unknown"),
        ("IMG-20240501-WA0001.jpg", "2024-05-01 00:00:00 (name), zone unknown"),
        ("Screenshot 2024-05-01 at 12.34.56.png", "2024-05-01 12:34:56 (name), zone unknown"),
        ("signal-2024-05-01-123456.jpg", "2024-05-01 12:34:56 (name), zone unknown"),
    ):
        yield MetadataSample(f"Name: {name}", bare, says, Surroundings(name=name))
    yield MetadataSample(
        "Name in UTC: PXL_20240501_103456789.jpg",
        bare,
        "2024-05-01 12:34:56 (name), UTC+2:00 (library)",
        Surroundings(name="PXL_20240501_103456789.jpg", library_zone="Europe/Paris"),
    )
    yield MetadataSample(
        "Time of the file, last",
        bare,
        "2024-05-01 12:34:56 (file), UTC+2:00 (library)",
        Surroundings(
            name="photo.jpg",
            file_at=datetime(2024, 5, 1, 10, 34, 56, tzinfo=UTC),
            library_zone="Europe/Paris",
        ),
    )
    for stamp in ("0000:00:00 00:00:00", "1700:01:01 12:00:00", "2999:01:01 12:00:00", "1970:01:01 00:00:00"):
        yield MetadataSample(f"Impossible: {stamp}", tagged({}, details={ORIGINAL: stamp}), "no time")
    yield MetadataSample(
        "Apple’s video with offset and place",
        lambda: film(
            "mov",
            seconds=0.2,
            tags=(
                (APPLE + "creationdate", "2024-05-01T12:34:56+0200"),
                (APPLE + "location.ISO6709", "+48.1372+011.5755+519.0/"),
            ),
        ),
        "2024-05-01 12:34:56 (video), UTC+2:00 (offset)",
        texts={"latitude": 48.1372, "altitude": 519.0},
    )
    for format in ("mp4", "matroska"):
        yield MetadataSample(
            f"The clock of {format}, zone of the place",
            lambda format=format: film(  # type: ignore[misc]
                format, seconds=0.2, tags=(("creation_time", "2024-05-01T10:34:56Z"),)
            ),
            "2024-05-01 12:34:56 (video), UTC+2:00 (place)",
            Surroundings(place=PARIS),
        )
    yield MetadataSample(
        "Stars of XMP",
        lambda: with_xmp(described(xmp_Rating="4")),
        "no time",
        texts={"rating": 4},
    )
    yield MetadataSample(
        "Rejected in XMP", lambda: with_xmp(described(xmp_Rating="-1")), "no time", texts={"rating": None}
    )
    yield MetadataSample(
        "A hierarchy of keywords",
        lambda: with_xmp(KEYWORDS),
        "no time",
        texts={"keywords": ("Places/France/Paris", "sea")},
    )
    yield MetadataSample(
        "XMP and IPTC inside a DNG",
        lambda: dng(preview=pictures.jpeg(64, 48), packets=((700, 1, PACKET.encode()), (33723, 7, FIELDS))),
        "2018-01-02 03:04:05 (xmp), zone unknown",
        texts={"title": "The lake", "city": "Lucerne"},
    )
    yield MetadataSample(
        "Text with NUL and HTML",
        tagged({0x010F: "Chitra\0junk", 0x010E: "<b>a</b>\x07b"}),
        "no time",
        texts={"camera_make": "Chitra", "description": "<b>a</b> b"},
    )
    yield MetadataSample("Zeros instead of a place", tagged({}, gps=pictures.gps_tags(0, 0)), "no time")
    yield MetadataSample("EXIF that loops and claims 4 GB", looping_exif, "no time")
    yield MetadataSample(
        "XMP that refers to itself",
        lambda: with_xmp(
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            '<rdf:Description rdf:about="" rdf:nodeID="a" rdf:resource="#a"/></rdf:RDF>'
        ),
        "no time",
    )
    yield MetadataSample(
        "XMP that expands entities",
        lambda: with_xmp('<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'),
        "no time",
    )
