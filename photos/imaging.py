"""Pixels: one decode of an original becomes its preview, thumbnail, thumbhash and perceptual hash.

libvips decodes everything but HEVC (HEIC), which its wheel lacks and libheif's has, and BMP, which Pillow
reads. Nothing here enlarges a picture, and none of its metadata (place, owner) gets into a rendition.
"""

import io
import math
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photos import filetypes
from photos.filetypes import FileType
from photos.hashing import perceptual_hash

if TYPE_CHECKING:
    import numpy as np

PREVIEW_PIXELS = 1600
"""Longest side of a preview."""
THUMBNAIL_PIXELS = 480
"""Longest side of a thumbnail."""
_THUMBHASH_PIXELS = 32
# Effort 1 of 6 takes a third of the time of the default 4 for a sixth more bytes.
_WEBP = {"Q": 80, "effort": 1, "keep": "none"}


class UndecodableImage(ValueError):
    """The file cannot be shown; the text says why in words for its owner."""


class TooManyPixels(UndecodableImage):
    def __init__(self, width: int, height: int, limit: int) -> None:
        super().__init__(f"{width} x {height} pixels are more than the limit of {limit:,} pixels")


@dataclass(frozen=True)
class Renditions:
    width: int
    """Of the original, turned upright."""
    height: int
    orientation: int
    """EXIF's, 1 to 8, by which the pixels were turned; 1 where the container tells it (HEIC, AVIF)."""
    thumbnail: bytes
    """WebP that fits THUMBNAIL_PIXELS."""
    preview: bytes
    """WebP that fits PREVIEW_PIXELS."""
    thumbhash: bytes
    perceptual_hash: int
    """Unsigned 64 bits."""


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
        head = file.read(filetypes.HEAD_BYTES)
        file.seek(0)
        if not head:
            raise UndecodableImage("the file is empty")
        kind = filetypes.sniff(head)
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
    "unable to parse image",
)


def _reason(error: BaseException) -> str:
    # libvips quotes bytes of the file, and pyvips stumbles over those that are not UTF-8.
    text = "" if isinstance(error, UnicodeError) else str(error)
    if any(sign in text.lower() for sign in _CUT_SHORT):
        return "the file is cut short or damaged"
    lines = [line.strip() for line in text.splitlines() if line.strip() and "unable to " not in line]
    # A line with a path in it tells about this machine, not about the picture.
    detail = next((line for line in lines if os.sep not in line), "")
    return f"the picture cannot be decoded ({detail[:200]})" if detail else "the picture cannot be decoded"


def make_renditions(path: Path, *, max_pixels: int) -> Renditions:
    """Decode the original once and make everything that is shown or compared of it.

    Raises TooManyPixels by what the header says, before any pixel is decoded, and UndecodableImage for what
    cannot be shown, a file cut short included: half a picture must not pass for the whole. Of an animation
    the first frame counts.
    """
    with open_picture(path) as (file, kind):
        if kind in (filetypes.HEIC, filetypes.HEIF):
            width, height, orientation, preview = _shrink_heic(file, max_pixels)
        elif kind == filetypes.BMP:
            width, height, orientation, preview = _shrink_bmp(file, max_pixels)
        else:
            width, height, orientation, preview = _shrink(file, kind, max_pixels)
        preview = _to_srgb(preview).copy_memory()
        thumbnail = _fit(preview, THUMBNAIL_PIXELS).copy_memory()
        preview_webp: bytes = preview.webpsave_buffer(**_WEBP)
        is_small = (thumbnail.width, thumbnail.height) == (preview.width, preview.height)
        return Renditions(
            width=width,
            height=height,
            orientation=orientation,
            thumbnail=preview_webp if is_small else thumbnail.webpsave_buffer(**_WEBP),
            preview=preview_webp,
            thumbhash=_thumbhash(thumbnail),
            perceptual_hash=perceptual_hash(_gray_32(thumbnail)),
        )


def _fit(image: Any, pixels: int) -> Any:
    return image.thumbnail_image(pixels, height=pixels, size="down")


def read_header(file: io.FileIO) -> Any:
    """The libvips image of a file, from the first byte; no pixel is decoded."""
    file.seek(0)
    source = libvips().Source.new_from_descriptor(file.fileno())
    return libvips().Image.new_from_source(source, "", access="sequential")


def _check_pixels(width: int, height: int, limit: int) -> None:
    if width * height > limit:
        raise TooManyPixels(width, height, limit)


def _shrink(file: io.FileIO, kind: FileType, max_pixels: int) -> tuple[int, int, int, Any]:
    """Upright width and height, EXIF orientation, and the preview still to be computed."""
    vips = libvips()
    header = read_header(file)
    _check_pixels(header.width, header.height, max_pixels)
    orientation = header.get("orientation") if header.get_typeof("orientation") else 1
    upright = (header.height, header.width) if orientation >= 5 else (header.width, header.height)
    del header
    file.seek(0)
    preview = vips.Image.thumbnail_source(
        vips.Source.new_from_descriptor(file.fileno()),
        PREVIEW_PIXELS,
        height=PREVIEW_PIXELS,
        size="down",
        # As a loader's option, because this call's own `fail_on` does not reach the loader (libvips 8.18).
        # The TIFF loader reports a file cut short only among its errors.
        option_string="fail_on=" + ("error" if kind == filetypes.TIFF else "truncated"),
    )
    return *upright, orientation, preview


def _shrink_heic(file: io.FileIO, max_pixels: int) -> tuple[int, int, int, Any]:
    import numpy as np
    import pi_heif

    picture = pi_heif.open_heif(file)
    width, height = picture.size
    _check_pixels(width, height, max_pixels)
    image = _from_array(np.array(picture))  # a copy: the view would outlive the decoder that owns the memory
    if profile := picture.info.get("icc_profile"):
        image = image.copy()
        image.set_type(libvips().GValue.blob_type, "icc-profile-data", profile)
    # libheif has turned the pixels as the container says; the EXIF orientation beside it says it once more.
    return width, height, 1, _fit(image, PREVIEW_PIXELS)


def _shrink_bmp(file: io.FileIO, max_pixels: int) -> tuple[int, int, int, Any]:
    import numpy as np
    from PIL.BmpImagePlugin import BmpImageFile

    # The plug-in itself: Image.open would meddle with a pixel limit of its own.
    with BmpImageFile(file) as picture:
        width, height = picture.size
        _check_pixels(width, height, max_pixels)
        # Without alpha: many programs leave zeros where others would read "invisible".
        pixels = np.asarray(picture.convert("RGB"))
    return width, height, 1, _fit(_from_array(pixels), PREVIEW_PIXELS)


def _from_array(pixels: "np.ndarray[Any, Any]") -> Any:
    """A libvips image of height x width (x bands) uint8 pixels."""
    is_gray = pixels.ndim == 2 or pixels.shape[2] < 3
    return libvips().Image.new_from_array(pixels, interpretation="b-w" if is_gray else "srgb")


def _to_srgb(image: Any) -> Any:
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


def _thumbhash(image: Any) -> bytes:
    import numpy as np
    import thumbhash

    rgb = _fit(image, _THUMBHASH_PIXELS).numpy()
    height, width = rgb.shape[:2]
    rgba = np.dstack([rgb, np.full((height, width), 255, np.uint8)])
    return bytes(thumbhash.rgba_to_thumb_hash(width, height, rgba.reshape(-1).tolist()))


def _gray_32(image: Any) -> "np.ndarray[Any, Any]":
    """32x32 luminance as ImageHash takes it: Pillow's weights, Pillow's Lanczos."""
    import numpy as np
    from PIL import Image

    gray = Image.fromarray(image.numpy()).convert("L")
    return np.asarray(gray.resize((32, 32), Image.Resampling.LANCZOS))


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
        pixels: np.ndarray[Any, Any] = _to_srgb(libvips().Image.new_from_buffer(data, "")).numpy()
        return pixels


def to_jpeg(data: bytes) -> bytes:
    """A rendition as JPEG. Raises UndecodableImage."""
    with decoding():
        image = _to_srgb(libvips().Image.new_from_buffer(data, ""))
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
    crop = _from_array(rgb[top : top + rows, left : left + columns].copy())
    webp: bytes = _fit(crop, size).webpsave_buffer(**_WEBP)
    return webp


def _place(side: int, centre: float, limit: int) -> tuple[int, int]:
    """Length and start of a stretch around `centre`, moved to lie inside 0 to `limit`."""
    length = min(side, limit)
    return length, min(max(round(centre - length / 2), 0), limit - length)
