"""Where the metadata of a picture lies in its file: EXIF, XMP and IPTC as they stand there, not yet read."""

import io
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from photos.formats import avif, filetypes, jxl, raw
from photos.formats.exif import ExifTags, read_exif
from photos.formats.filetypes import FileType
from photos.formats.imaging import read_header
from photos.metadata import png

_EXIF_MARK = b"Exif\0\0"


@dataclass(frozen=True)
class Packets:
    exif: ExifTags = field(default_factory=ExifTags)
    xmp: bytes = b""
    iptc: bytes = b""
    texts: dict[str, str] = field(default_factory=dict)
    """Texts of a PNG by their keyword in lower case."""


def read_packets(file: io.FileIO, kind: FileType) -> Packets:
    """All of them; nothing is decoded. Raises what `imaging.decoding` turns into UndecodableImage."""
    if kind == filetypes.BMP:
        return Packets()
    if kind == filetypes.TIFF:
        read_header(file)  # refuses what is none
        return _of_tiff(file)
    if kind.family == "raw":
        return _of_tiff(raw.exif_block(file, kind))
    if kind == filetypes.JXL:
        return _of_blocks(*jxl.metadata_blocks(file.read()))
    if kind == filetypes.AVIF and avif.is_sequence(file):
        return _of_blocks(*avif.metadata_blocks(file))
    header = read_header(file)
    exif, xmp, iptc = (_block(header, name) for name in ("exif-data", "xmp-data", "iptc-data"))
    if kind != filetypes.PNG:
        return _of_blocks(exif, xmp, iptc)
    texts = png.texts_of(header)
    exif = exif or png.late_exif(file) or png.profile_of(texts, "exif", "app1")
    xmp = xmp or png.profile_of(texts, "xmp")
    return _of_blocks(exif, xmp, iptc or png.profile_of(texts, "iptc"), texts)


def _block(header: Any, name: str) -> bytes:
    return bytes(header.get(name)) if header.get_typeof(name) else b""


def _of_blocks(exif: bytes, xmp: bytes, iptc: bytes = b"", texts: dict[str, str] | None = None) -> Packets:
    return Packets(read_exif(io.BytesIO(exif.removeprefix(_EXIF_MARK))), xmp, iptc, texts or {})


def _of_tiff(source: BinaryIO) -> Packets:
    """TIFF and its raw cousins have the others as tags of the image."""
    tags = read_exif(source)
    return Packets(tags, tags.block("XMP"), tags.block("IPTC"))
