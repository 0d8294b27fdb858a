import pytest

from photos.metadata.xmp import XmpProperties, read_xmp

PACKET = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
 <rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
   xmlns:dc="http://purl.org/dc/elements/1.1/" xmp:CreateDate="2019-07-20T10:00:00+02:00"
   exif:GPSLatitude="48,8.2500N" exif:GPSLongitude="11,34,30W">
  <exif:DateTimeOriginal>2018-01-02T03:04:05</exif:DateTimeOriginal>
  <dc:title><rdf:Alt><rdf:li xml:lang="x-default">The lake</rdf:li></rdf:Alt></dc:title>
  <dc:description><rdf:Alt>
   <rdf:li xml:lang="x-default"> Early in the morning </rdf:li>
  </rdf:Alt></dc:description>
 </rdf:Description>
</rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


def test_attributes_and_elements_are_read_alike() -> None:
    found = read_xmp(PACKET.encode())
    assert found.dates == ("2018-01-02T03:04:05", "2019-07-20T10:00:00+02:00")
    assert found.latitude == pytest.approx(48.1375)
    assert found.longitude == pytest.approx(-11.575)
    assert found.title == "The lake"
    assert found.description == "Early in the morning"


def test_camera_lens_and_exposure_are_read() -> None:
    camera = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
      xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:aux="http://ns.adobe.com/exif/1.0/aux/"
      xmlns:exif="http://ns.adobe.com/exif/1.0/" tiff:Make="Chitra" tiff:Model="Pinhole 1" aux:Lens="35 mm"
      exif:ExposureTime="1/250" exif:FNumber="28/10" exif:FocalLength="0/0">
      <exif:ISOSpeedRatings><rdf:Seq><rdf:li>200</rdf:li></rdf:Seq></exif:ISOSpeedRatings>
      </rdf:Description></rdf:RDF>"""
    found = read_xmp(camera.encode())
    assert (found.camera_make, found.camera_model, found.lens_model) == ("Chitra", "Pinhole 1", "35 mm")
    assert (found.exposure_seconds, found.f_number, found.iso) == pytest.approx((0.004, 2.8, 200))
    assert found.focal_length_mm is None


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_the_standards_encodings_are_read_with_and_without_their_mark(encoding: str) -> None:
    assert read_xmp(PACKET.encode(encoding)).title == "The lake"


def test_what_stands_behind_the_packet_does_not_matter() -> None:
    assert read_xmp(PACKET.encode() + b"ESTUFF\xff<").title == "The lake"


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\0\0",
        b"not xml",
        PACKET.encode()[:400],
        b"<?xml version='1.0' encoding='no-such-encoding'?><a/>",
        b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>',
        b"<a>" * 100_000,
        b"x" * 5_000_000,
    ],
)
def test_nonsense_has_no_properties(packet: bytes) -> None:
    assert read_xmp(packet) == XmpProperties()


@pytest.mark.parametrize("text", ["95,0N", "48.1", "48,8.25", "48,8.25E", "N", "48,8.25N junk"])
def test_an_impossible_place_is_left_out(text: str) -> None:
    assert read_xmp(PACKET.replace("48,8.2500N", text).encode()).latitude is None
