"""Metadata made to hurt, and the collected samples of many cameras where they lie beside the project."""

import io
import resource
import struct
import time
from pathlib import Path

import pytest

from photos.formats.exif import ExifTags, read_exif
from photos.formats.imaging import UndecodableImage
from photos.metadata.pictures import read_metadata
from photos.metadata.xmp import XmpProperties, read_xmp
from photos.tests import pictures

PARENTS = Path(__file__).resolve().parents
SAMPLES = next((at for up in PARENTS if (at := up / "shared/photos/exif").is_dir()), Path("none"))
LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))


def tiff(*entries: tuple[int, int, int, int]) -> bytes:
    """A little-endian TIFF with one directory of these entries: tag, type, count, value or offset."""
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + struct.pack("<I", 8)


@pytest.mark.parametrize(
    "block",
    [
        tiff((0x8769, 4, 1, 8), (0x8825, 4, 1, 8)),
        tiff((0x010E, 2, 0xFFFFFFFF, 8), (0x9003, 2, 0xFFFFFFFF, 0)),
        tiff((0x010F, 5, 0xFFFFFFFF, 8)),
        tiff(*((0x010E, 2, 4096, 8) for _ in range(5000))),
        tiff((0x8769, 4, 1, 0xFFFFFFFF), (0x8825, 13, 1, 0xFFFFFFF0)),
        b"II*\0" + struct.pack("<I", 0xFFFFFFFF),
        b"II+\0\x08\0\0\0" + struct.pack("<Q", 2**64 - 1),
    ],
    ids=["loops", "4 GB of text", "4 GB of numbers", "many", "far", "nowhere", "bigtiff"],
)
def test_hostile_directories_cost_nothing(block: bytes) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    assert isinstance(read_exif(io.BytesIO(block)), ExifTags)
    assert time.process_time() - began < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 * 1024


@pytest.mark.parametrize(
    "packet",
    [
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">{LAUGHS}]><x>&a9;</x>'.encode(),
        f'<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x [<!ENTITY a0 "ha">{LAUGHS}]><x>&a9;</x>'.encode(
            "utf-16"
        ),
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
        b'<x xmlns:a="' + b"a" * 1_000_000 + b'"/>',
        b"<a>" * 200_000,
    ],
    ids=["billion laughs", "laughs in utf-16", "outside entity", "long name", "deep"],
)
def test_hostile_packets_say_nothing(packet: bytes) -> None:
    began = time.process_time()
    assert read_xmp(packet) == XmpProperties()
    assert time.process_time() - began < 2


def test_a_packet_that_refers_to_itself_ends() -> None:
    rdf = (
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    )
    packet = (
        f'<rdf:RDF {rdf}><rdf:Description rdf:about="" rdf:nodeID="a">'
        '<dc:title rdf:nodeID="a"/><dc:subject><rdf:Bag><rdf:li rdf:nodeID="a"/></rdf:Bag></dc:subject>'
        "</rdf:Description></rdf:RDF>"
    )
    assert read_xmp(packet.encode()).title == ""


def test_strings_with_nul_and_html_come_out_as_plain_text(tmp_path: Path) -> None:
    tags = {0x010F: "Chitra\0<script>", 0x0110: "<img src=x onerror=alert(1)>", 0x010E: "a\x07b\rc"}
    path = tmp_path / "a.jpg"
    path.write_bytes(pictures.jpeg(16, 16, exif=pictures.exif(tags=tags)))
    found = read_metadata(path)
    assert found.camera_make == "Chitra"
    assert found.camera_model == "<img src=x onerror=alert(1)>"  # templates escape it
    assert found.description == "a b c"


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not part of the project")
def test_every_sample_is_read_or_refused() -> None:
    dated = placed = read = 0
    for path in sorted(path for path in SAMPLES.rglob("*") if path.is_file()):
        try:
            found = read_metadata(path)
        except UndecodableImage:
            continue
        read += 1
        dated += found.time is not None
        placed += found.latitude is not None
    assert read > 90
    assert dated > 50
    assert placed > 15
