import hashlib
import struct

import pytest

from photos.metadata.iptc import IptcFields, read_iptc
from photos.metadata.keywords import as_tags


def records(*fields: tuple[int, int, bytes]) -> bytes:
    return b"".join(
        b"\x1c" + struct.pack(">BBH", record, dataset, len(value)) + value
        for record, dataset, value in fields
    )


def photoshop(*resources: tuple[int, bytes]) -> bytes:
    """The payload of a JPEG's APP13."""
    return b"Photoshop 3.0\0" + b"".join(
        b"8BIM"
        + struct.pack(">H", number)
        + b"\0\0"
        + struct.pack(">I", len(data))
        + data
        + b"\0" * (len(data) % 2)
        for number, data in resources
    )


FIELDS = records(
    (1, 90, b"\x1b%G"),
    (2, 5, b"The lake"),
    (2, 25, b"water"),
    (2, 25, "früh".encode()),
    (2, 55, b"20240501"),
    (2, 60, b"123456+0200"),
    (2, 90, b"Lucerne"),
    (2, 101, b"Switzerland"),
    (2, 120, b"Early in the morning"),
)


@pytest.mark.parametrize("block", [FIELDS, photoshop((0x0425, b""), (0x0404, FIELDS))])
def test_fields_are_read_from_bare_records_and_from_photoshops_block(block: bytes) -> None:
    assert read_iptc(block) == IptcFields(
        title="The lake",
        caption="Early in the morning",
        keywords=("water", "früh"),
        created="2024-05-01T12:34:56+0200",
        city="Lucerne",
        country="Switzerland",
    )


def test_a_checksum_that_does_not_fit_says_outdated() -> None:
    right = photoshop((0x0404, FIELDS), (0x0425, hashlib.md5(FIELDS, usedforsecurity=False).digest()))
    assert not read_iptc(right).is_outdated
    assert read_iptc(photoshop((0x0404, FIELDS), (0x0425, b"x" * 16))).is_outdated


@pytest.mark.parametrize(
    "damage", [b"\x1b\x02\x5a\0\x01x", b"\x1c\x02\x5a\xff\x01x", b"\x1c\xff\x5a\0\x01x", b"\x1c\x02"]
)
def test_what_stands_before_a_damage_counts(damage: bytes) -> None:
    found = read_iptc(photoshop((0x0404, FIELDS + damage + FIELDS)))
    assert (found.title, found.keywords, found.city) == ("The lake", ("water", "früh"), "Lucerne")
    assert read_iptc(FIELDS + damage).title == "The lake"


def test_records_that_a_tiff_has_as_numbers_are_read() -> None:
    data = FIELDS + bytes(-len(FIELDS) % 4)
    turned = b"".join(data[at : at + 4][::-1] for at in range(0, len(data), 4))
    assert read_iptc(turned) == read_iptc(FIELDS)


def test_old_text_is_latin_1() -> None:
    assert read_iptc(records((2, 90, "Zürich".encode("latin-1")))).city == "Zürich"


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"8BIM",
        b"8BIM\x04\x04\xff",
        b"\x1c\x02",
        b"\x1c\x02\x05\xff\xff" + b"x" * 100,
        b"8BIM\x04\x04\0\0\xff\xff\xff\xff",
        b"8BIM\0\0\0\0\0\0\0\0" * 5000,
        b"x" * 5_000_000,
    ],
)
def test_nonsense_has_no_fields(block: bytes) -> None:
    assert read_iptc(block) == IptcFields()


def test_a_block_cut_anywhere_never_raises() -> None:
    block = photoshop((0x0404, FIELDS), (0x0425, b"x" * 16))
    for end in range(len(block)):
        read_iptc(block[:end])


@pytest.mark.parametrize("dataset", [60, 65])
def test_an_empty_record_that_pillow_needs_never_raises(dataset: int) -> None:
    read_iptc(FIELDS + records((3, dataset, b"")))


def test_records_cut_short_keep_those_before() -> None:
    found = read_iptc(FIELDS[:-3])
    assert (found.city, found.country) == ("Lucerne", "Switzerland")


def test_more_records_than_a_segment_holds_keep_the_first() -> None:
    assert read_iptc(FIELDS + records((8, 10, b"x" * 30_000)) * 3).caption == "Early in the morning"


def test_hierarchies_are_paths_and_their_words_are_not_doubled() -> None:
    assert as_tags(["Paris", "tower", "TOWER", " ", "a\0b"], ["Places|France|Paris"]) == [
        "Places/France/Paris",
        "tower",
        "a b",
    ]


def test_keywords_are_bounded() -> None:
    assert len(as_tags((f"k{n}" for n in range(5000)), [])) == 500
    assert len(as_tags(["x" * 1000], [])[0]) == 200
