"""Pixels: how pictures are opened, scaled, brought to sRGB and written, and what is said of broken ones.

Nothing here enlarges a picture, and none of its metadata (place, owner) gets into a rendition.
"""

import io
import math
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photos.formats import filetypes
from photos.formats.filetypes import FileType

if TYPE_CHECKING:
    import numpy as np

PREVIEW_PIXELS = 1600
"""Longest side of a preview."""
THUMBNAIL_PIXELS = 480
"""Longest side of a thumbnail."""
# Effort 1 of 6 takes a third of the time of the default 4 for a sixth more bytes.
WEBP = {"Q": 80, "effort": 1, "keep": "none"}


class UndecodableImage(ValueError):
    """The file cannot be shown; the text says why in words for its owner."""


class TooManyPixels(UndecodableImage):
    """More than the limit, told from the header."""


def check_pixels(width: int, height: int, limit: int) -> None:
    """Raise TooManyPixels for a picture that is larger than `limit` pixels."""
    if width * height > limit:
        raise TooManyPixels(f"{width} x {height} pixels are more than the limit of {limit:,} pixels")


@cache
def libvips() -> Any:
    """pyvips, loaded and set up once per process, on first use."""
    # Broken files are reported by exceptions; the default is to print them to stderr as well.
    os.environ.setdefault("VIPS_WARNING", "0")
    import pyvips

    # Every picture is opened once: what a cache of operations holds is never asked for again.
    pyvips.cache_set_max(0)
    # Loaders its authors do not trust with strangers' files stay shut, whatever a file claims to be.
    pyvips.block_untrusted_set(True)
    if "VIPS_CONCURRENCY" not in os.environ:
        # A decoder is one thread; one more to shrink its rows is all that helps, and workers share a machine.
        pyvips.concurrency_set(2)
    return pyvips


@contextmanager
def open_picture(path: Path) -> Iterator[tuple[io.FileIO, FileType]]:
    """The file and its kind, told from its content.

    libvips gets the descriptor, because in its file names `[...]` has a meaning; unbuffered, because it moves
    the position behind Python's back.
    """
    with path.open("rb", buffering=0) as file:
        if not file.read(1):
            raise UndecodableImage("the file is empty")
        file.seek(0)
        kind = filetypes.sniff_file(file)
        file.seek(0)
        if kind is None:
            raise UndecodableImage("the file is not a picture of a supported kind")
        with decoding():
            yield file, kind


@contextmanager
def decoding() -> Iterator[None]:
    """Turn what decoders raise into an UndecodableImage with a reason in one line."""
    # What Pillow and pillow-heif raise for broken files; an OSError with a number is the disk's.
    broken = (
        libvips().Error,
        ValueError,
        SyntaxError,
        EOFError,
        LookupError,
        OSError,
        RuntimeError,
        struct.error,
    )
    try:
        yield
    except UndecodableImage:
        raise
    except broken as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UndecodableImage(_reason(error)) from error


_CUT_SHORT = (
    "premature end",
    "unexpected end",
    "end of file",
    "end of input",
    "read error",
    "truncated",
    "not enough data",
    "cannot read full",
    "bad seek",
    "greater than file size",
    "unable to parse image",
)


def _reason(error: BaseException) -> str:
    # libvips quotes bytes of the file, and pyvips stumbles over those that are not UTF-8. Which index or name
    # a decoder looked for in vain tells nobody anything.
    text = "" if isinstance(error, UnicodeError | LookupError) else str(error)
    if any(sign in text.lower() for sign in _CUT_SHORT):
        return "the file is cut short or damaged"
    lines = [line.strip() for line in text.splitlines() if line.strip() and "unable to " not in line]
    # A line with a path in it tells about this machine, not about the picture.
    detail = next((line for line in lines if os.sep not in line), "")
    return f"the picture cannot be decoded ({detail[:200]})" if detail else "the picture cannot be decoded"


def fit(image: Any, pixels: int) -> Any:
    return image.thumbnail_image(pixels, height=pixels, size="down")


def read_header(file: io.FileIO) -> Any:
    """The libvips image of a file, from the first byte; no pixel is decoded."""
    file.seek(0)
    source = libvips().Source.new_from_descriptor(file.fileno())
    return libvips().Image.new_from_source(source, "", access="sequential")


def stored_size(path: Path) -> tuple[int, int]:
    """Width and height before any turning. Raises UndecodableImage also for what libvips does not read."""
    with open_picture(path) as (file, _):
        header = read_header(file)
        return header.width, header.height


def from_array(pixels: "np.ndarray[Any, Any]") -> Any:
    """A libvips image of height x width (x bands) pixels, uint8 or uint16."""
    is_gray = pixels.ndim == 2 or pixels.shape[2] < 3
    kinds = ("grey16", "rgb16") if pixels.dtype.itemsize == 2 else ("b-w", "srgb")
    return libvips().Image.new_from_array(pixels, interpretation=kinds[not is_gray])


def to_srgb(image: Any) -> Any:
    """Any decoded picture as three 8-bit bands of sRGB, what is transparent on white."""
    if image.bands > 5:  # more than CMYK and alpha: planes that are no colour
        image = image.extract_band(0, n=3)
    if image.hasalpha():
        image = image.flatten(background=[65535 if image.interpretation in ("rgb16", "grey16") else 255])
    if image.get_typeof("icc-profile-data") and not _is_srgb(image.get("icc-profile-data")):
        # An embedded profile that does not fit its picture is passed over for the fallback.
        fallback = "cmyk" if image.interpretation == "cmyk" else "srgb"
        image = image.icc_transform("srgb", embedded=True, input_profile=fallback)
    if image.interpretation == "multiband":
        kind = "srgb" if image.bands >= 3 else "b-w"
        image = image.extract_band(0, n=min(image.bands, 3)).copy(interpretation=kind)
    image = image.colourspace("srgb")
    if image.bands > 3:
        image = image.extract_band(0, n=3)
    return image if image.format == "uchar" else image.cast("uchar")


def _is_srgb(profile: bytes) -> bool:
    """Most profiles say sRGB in their description, in ASCII or UTF-16; there is nothing to convert."""
    return b"sRGB" in profile or "sRGB".encode("utf-16-be") in profile


def decode_rgb(data: bytes) -> "np.ndarray[Any, Any]":
    """Pixels of a rendition: uint8, height x width x 3, sRGB. Raises UndecodableImage."""
    import numpy as np
    from PIL.WebPImagePlugin import WebPImageFile

    kind = filetypes.sniff(data[: filetypes.HEAD_BYTES])
    if kind is None:
        raise UndecodableImage("the file is not a picture of a supported kind")
    with decoding():
        if kind == filetypes.WEBP:  # what renditions are; for a small one libvips takes thrice the time
            with WebPImageFile(io.BytesIO(data)) as picture:
                return np.array(picture.convert("RGB"))
        pixels: np.ndarray[Any, Any] = to_srgb(libvips().Image.new_from_buffer(data, "")).numpy()
        return pixels


def to_jpeg(data: bytes) -> bytes:
    """A rendition as JPEG. Raises UndecodableImage."""
    with decoding():
        image = to_srgb(libvips().Image.new_from_buffer(data, ""))
        return bytes(image.jpegsave_buffer(Q=85, keep="none"))


def crop_square(
    rgb: "np.ndarray[Any, Any]",
    box: tuple[float, float, float, float],
    *,
    size: int = 256,
    margin: float = 0.3,
) -> bytes:
    """WebP of the square around a box, at most `size` pixels a side.

    `rgb` is uint8, height x width x 3; `box` is x1, y1, x2, y2 in fractions of it, clipped to it. `margin` is
    added on each side as a fraction of the box's longer side. Near an edge the square is moved inside; where
    the picture is too narrow it shrinks, and only a box longer than the picture is wide makes a crop that is
    not square.
    """
    height, width = rgb.shape[:2]
    x1, x2 = (min(max(value, 0.0), 1.0) * width for value in (box[0], box[2]))
    y1, y2 = (min(max(value, 0.0), 1.0) * height for value in (box[1], box[3]))
    if not (x2 > x1 and y2 > y1):
        raise ValueError(f"an empty box: {box}")
    longer = max(x2 - x1, y2 - y1)
    side = max(1, math.ceil(min(longer * (1 + 2 * margin), max(longer, min(width, height)))))
    columns, left = _place(side, (x1 + x2) / 2, width)
    rows, top = _place(side, (y1 + y2) / 2, height)
    crop = from_array(rgb[top : top + rows, left : left + columns].copy())
    webp: bytes = fit(crop, size).webpsave_buffer(**WEBP)
    return webp


def _place(side: int, centre: float, limit: int) -> tuple[int, int]:
    """Length and start of a stretch around `centre`, moved to lie inside 0 to `limit`."""
    length = min(side, limit)
    return length, min(max(round(centre - length / 2), 0), limit - length)
