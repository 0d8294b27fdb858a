"""AVIF that moves, by Pillow: libvips and libheif read only files with a picture in them, not sequences."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def is_sequence(file: io.FileIO) -> bool:
    """Whether the file says that it is more film than picture."""
    file.seek(0)
    return file.read(12)[4:] == b"ftypavis"


@contextmanager
def open_sequence(file: io.FileIO) -> Iterator[Any]:
    """Pillow's image, at its first frame. Raises SyntaxError for a broken file."""
    # The plug-in itself: Image.open would meddle with a pixel limit of its own.
    from PIL.AvifImagePlugin import AvifImageFile

    file.seek(0)
    with AvifImageFile(io.BytesIO(file.read())) as picture:
        yield picture


def metadata_blocks(file: io.FileIO) -> tuple[bytes, bytes]:
    """EXIF and XMP, b"" for what is not there. Raises SyntaxError for a broken file."""
    with open_sequence(file) as picture:
        return picture.info.get("exif", b""), picture.info.get("xmp", b"")
