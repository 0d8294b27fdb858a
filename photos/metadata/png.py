"""What PNG files say in ways of their own: texts, and EXIF where libvips does not look.

The chunk for EXIF may stand behind the pixels, and before there was one, ImageMagick and ExifTool wrote EXIF
and IPTC as text.
"""

import io
import re
import struct
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any

from photos.metadata.xmp import XmpProperties

_MOST_CHUNKS = 100_000
_COMMENT = re.compile(r"png-comment-\d+-(.+)", re.S)
_PROFILE = re.compile(r"\s*[^\n]{1,80}\n\s*(\d{1,9})\s*\n([0-9a-fA-F\s]*)")


def texts_of(header: Any) -> dict[str, str]:
    """The texts of a libvips image by their keyword in lower case; of several the first."""
    texts: dict[str, str] = {}
    for name in header.get_fields():
        if match := _COMMENT.fullmatch(name):
            texts.setdefault(match[1].casefold(), header.get(name))
    return texts


def properties_of(texts: dict[str, str]) -> XmpProperties:
    """Title, description and time of creation, whose keywords are the standard's."""
    created = texts.get("creation time", "").strip()
    # RFC 1123 is what the standard suggests; programs write ISO 8601 and EXIF's form as well.
    with suppress(ValueError):
        created = parsedate_to_datetime(created).isoformat()
    return XmpProperties(
        dates=(created,) if created else (),
        title=texts.get("title", "").strip(),
        description=texts.get("description", "").strip(),
    )


def profile_of(texts: dict[str, str], *names: str) -> bytes:
    """A block that was written as text in hexadecimal digits: a name, its length, the digits."""
    for name in names:
        if match := _PROFILE.match(texts.get(f"raw profile type {name}", "")):
            digits = "".join(match[2].split())[: 2 * int(match[1])]
            return bytes.fromhex(digits[: len(digits) & ~1])
    return b""


def late_exif(file: io.FileIO) -> bytes:
    """The EXIF chunk, wherever it stands; b"" for none."""
    at = 8
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            break
        length, kind = struct.unpack(">I4s", head)
        if kind == b"eXIf":
            return file.read(length)
        at += length + 12
    return b""
