"""Named regions in XMP, of several programs."""

import pytest

from faces.regions import Region, Regions, parse, upright, write

MWG = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
 xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#" xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#">
<mwg-rs:Regions rdf:parseType="Resource">
 <mwg-rs:AppliedToDimensions stDim:w="4000" stDim:h="3000" stDim:unit="pixel"/>
 <mwg-rs:RegionList><rdf:Bag>
  <rdf:li><rdf:Description mwg-rs:Name="Zo\xc3\xab &amp; co" mwg-rs:Type="Face">
   <mwg-rs:Area stArea:x="0.5" stArea:y="0.4" stArea:w="0.2" stArea:h="0.2" stArea:unit="normalized"/>
  </rdf:Description></rdf:li>
  <rdf:li rdf:parseType="Resource"><mwg-rs:Name>Rex</mwg-rs:Name><mwg-rs:Type>Pet</mwg-rs:Type>
   <mwg-rs:Area rdf:parseType="Resource"><stArea:x>0.1</stArea:x><stArea:y>0.1</stArea:y>
    <stArea:w>0.4</stArea:w><stArea:h>0.1</stArea:h></mwg-rs:Area></rdf:li>
  <rdf:li><rdf:Description mwg-rs:Name="broken"><mwg-rs:Area stArea:x="nan" stArea:y="1"/>
  </rdf:Description></rdf:li>
 </rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions></rdf:Description></rdf:RDF></x:xmpmeta>"""

MICROSOFT = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:MP="http://ns.microsoft.com/photo/1.2/"
 xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#"
 xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#">
<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag>
<rdf:li MPReg:PersonDisplayName="Asha" MPReg:Rectangle="0.25, 0.5, 0.125, 0.25"/>
<rdf:li MPReg:PersonDisplayName="Bela" MPReg:Rectangle="0.25, 0.5"/>
</rdf:Bag></MPRI:Regions></MP:RegionInfo></rdf:Description></rdf:RDF></x:xmpmeta>"""


def test_mwg_regions_are_read_as_attributes_or_elements() -> None:
    assert parse(MWG) == Regions(
        (Region("Zoë & co", (0.4, 0.3, 0.6, 0.5), "face"), Region("Rex", (0.0, 0.05, 0.3, 0.15), "pet")),
        4000,
        3000,
    )


def test_microsofts_regions_are_read() -> None:
    assert parse(MICROSOFT).regions == (Region("Asha", (0.25, 0.5, 0.375, 0.75)),)


@pytest.mark.parametrize(
    "packet",
    [b"", b"<x", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"\xff\xfe", b"<a/>" + b" " * 5_000_000],
)
def test_what_is_no_packet_has_no_regions(packet: bytes) -> None:
    assert parse(packet) == Regions()


def test_what_is_written_is_read_again() -> None:
    regions = (
        Region('<b>"Zoë" & \U0001f469\u200d\U0001f467', (0.1, 0.2, 0.3, 0.5)),
        Region("Asha", (0, 0, 1, 1)),
    )
    assert parse(write(regions, width=400, height=300)) == Regions(regions, 400, 300)


@pytest.mark.parametrize(
    ("orientation", "box"),
    [
        (1, (0.1, 0.2, 0.3, 0.5)),
        (3, (0.7, 0.5, 0.9, 0.8)),
        (6, (0.5, 0.1, 0.8, 0.3)),
        (8, (0.2, 0.7, 0.5, 0.9)),
    ],
)
def test_boxes_turn_with_the_picture(orientation: int, box: tuple[float, ...]) -> None:
    stored = Regions((Region("Asha", (0.1, 0.2, 0.3, 0.5)),), 400, 300)
    size = (300, 400) if orientation >= 5 else (400, 300)
    [region] = upright(stored, orientation=orientation, width=size[0], height=size[1])
    assert region.box == pytest.approx(box)


def test_boxes_drawn_on_the_upright_picture_are_not_turned_again() -> None:
    drawn = Regions((Region("Asha", (0.1, 0.2, 0.3, 0.5)),), 300, 400)
    [region] = upright(drawn, orientation=6, width=300, height=400)
    assert region.box == (0.1, 0.2, 0.3, 0.5)
