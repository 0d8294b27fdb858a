"""Motion photos of Google and Samsung, and what Apple's photo and film have in common."""

import io
import struct
from pathlib import Path

import pytest

from photos.formats import filetypes
from photos.formats.clips import Clip, clean_id, find_clip, live_photo_id
from photos.tests.films import film
from photos.tests.pictures import heic, jpeg

LIVE_ID = "0A1B2C3D-0000-1111-2222-333344445555"


def with_xmp(picture: bytes, text: str) -> bytes:
    """A JPEG with an XMP packet behind its start."""
    packet = b"http://ns.adobe.com/xap/1.0/\0" + text.encode()
    return picture[:2] + b"\xff\xe1" + struct.pack(">H", len(packet) + 2) + packet + picture[2:]


def micro_video(picture: bytes, clip: bytes) -> bytes:
    """As Google's cameras wrote it first."""
    xmp = f'<rdf:Description GCamera:MicroVideo="1" GCamera:MicroVideoOffset="{len(clip)}"/>'
    return with_xmp(picture, xmp) + clip


def motion_photo(picture: bytes, clip: bytes) -> bytes:
    """As Google's cameras write it now."""
    items = (
        '<rdf:li><Container:Item Item:Mime="image/jpeg" Item:Semantic="Primary" Item:Length="0"/></rdf:li>'
        f'<rdf:li><Container:Item Item:Mime="video/mp4" Item:Semantic="MotionPhoto" Item:Length="{len(clip)}"'
        ' Item:Padding="0"/></rdf:li>'
    )
    return with_xmp(picture, f'<rdf:Description GCamera:MotionPhoto="1">{items}</rdf:Description>') + clip


def samsung(picture: bytes, clip: bytes) -> bytes:
    """A picture, a block with the film, the directory of blocks, and its length."""
    block = b"\0\0\x30\x0a" + struct.pack("<I", 16) + b"MotionPhoto_Data" + clip
    directory = b"SEFH" + struct.pack("<II", 107, 1) + struct.pack("<HHII", 0, 0x0A30, len(block), len(block))
    return picture + block + directory + struct.pack("<I", len(directory)) + b"SEFT"


def heic_motion_photo(picture: bytes, clip: bytes) -> bytes:
    """As Samsung writes it: the film in a box, and one more behind it."""
    trailer = struct.pack(">I4s", 20, b"sefd") + bytes(12)
    return picture + struct.pack(">I4s", 8 + len(clip), b"mpvd") + clip + trailer


def apple_note(identifier: str = LIVE_ID) -> bytes:
    text = identifier.encode() + b"\0"
    entry = struct.pack(">HHII", 0x11, 2, len(text), 16 + 12)
    return b"Apple iOS\0\0\1MM" + struct.pack(">H", 1) + entry + text


def opened(folder: Path, data: bytes) -> io.FileIO:
    path = folder / "photo.jpg"
    path.write_bytes(data)
    return path.open("rb", buffering=0)


@pytest.mark.parametrize("make", [micro_video, motion_photo, samsung])
def test_the_film_of_a_motion_photo_is_found(tmp_path: Path, make: object) -> None:
    assert callable(make)
    clip = film(seconds=0.4)
    with opened(tmp_path, make(jpeg(), clip)) as file:
        found = find_clip(file, filetypes.JPEG)
        assert found is not None
        file.seek(found.offset)
        assert file.read(found.size) == clip


def test_the_film_of_a_heic_is_in_a_box_of_its_own(tmp_path: Path) -> None:
    clip = film(seconds=0.4)
    with opened(tmp_path, heic_motion_photo(heic(), clip)) as file:
        found = find_clip(file, filetypes.HEIC)
        assert found is not None
        file.seek(found.offset)
        assert file.read(found.size) == clip


@pytest.mark.parametrize("size", [0, 1, 7, 0xFFFFFFFF])
def test_boxes_that_lie_about_their_size_end_the_search(tmp_path: Path, size: int) -> None:
    data = heic() + struct.pack(">I4s", size, b"free") + struct.pack(">I4s", 100, b"mpvd")
    with opened(tmp_path, data) as file:
        assert find_clip(file, filetypes.HEIC) is None


def test_an_ordinary_photo_has_no_film(tmp_path: Path) -> None:
    with opened(tmp_path, jpeg()) as file:
        assert find_clip(file, filetypes.JPEG) is None
        assert live_photo_id(file) == ""


@pytest.mark.parametrize(
    "data",
    [
        with_xmp(jpeg(), 'GCamera:MicroVideoOffset="99999999"'),
        with_xmp(jpeg(), 'GCamera:MicroVideoOffset="0"'),
        with_xmp(jpeg(), 'GCamera:MicroVideoOffset="100"') + bytes(100),
        jpeg() + b"SEFT",
        jpeg() + struct.pack("<I", 0xFFFFFFFF) + b"SEFT",
        jpeg() + b"SEFH" + struct.pack("<IIHHIII", 107, 1, 0, 0, 0xFFFFFFFF, 5, 24) + b"SEFT",
    ],
)
def test_a_lie_about_a_film_is_no_film(tmp_path: Path, data: bytes) -> None:
    with opened(tmp_path, data) as file:
        assert find_clip(file, filetypes.JPEG) is None


def test_apples_identifier_is_in_the_maker_note(tmp_path: Path) -> None:
    with opened(tmp_path, jpeg() + apple_note()) as file:
        assert live_photo_id(file) == LIVE_ID


@pytest.mark.parametrize(
    "note", [b"Apple iOS\0\0\1MM", b"Apple iOS\0\0\1MM\xff\xff" + b"\0\x11\0\2\0\0\0\x25\0\0\xff\xff"]
)
def test_a_broken_maker_note_has_no_identifier(tmp_path: Path, note: bytes) -> None:
    with opened(tmp_path, jpeg() + note) as file:
        assert live_photo_id(file) == ""


def test_identifiers_are_compared_in_one_spelling() -> None:
    assert clean_id(LIVE_ID.lower() + "\0") == LIVE_ID
    assert clean_id("<b>") == clean_id("") == ""


def test_places_in_files_are_compared_by_value() -> None:
    assert Clip(1, 2) == Clip(1, 2)
