"""The first decode of an original of any kind, already shrunk towards its preview.

libvips reads most kinds. HEVC (HEIC) is libheif's, which the wheel of libvips lacks, BMP and moving AVIF are
Pillow's, JPEG XL libjxl's, camera raw LibRaw's, and of a video FFmpeg gives one frame.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photos.formats import avif, filetypes, jxl, raw, video
from photos.formats.filetypes import FileType
from photos.formats.imaging import (
    PREVIEW_PIXELS,
    UndecodableImage,
    check_pixels,
    fit,
    from_array,
    libvips,
    read_header,
)
from photos.formats.video import VideoFacts

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Loaded:
    """A decoded original: `image` is the preview, perhaps still to be computed, in the original's colours."""

    width: int
    """Of the original, turned upright."""
    height: int
    orientation: int
    """EXIF's, 1 to 8, by which the pixels were turned; 1 where the container tells it."""
    image: Any
    is_animated: bool = False
    video: VideoFacts | None = None


def load(
    path: Path, file: io.FileIO, kind: FileType, max_pixels: int, *, side: int = PREVIEW_PIXELS
) -> Loaded:
    """Decode a file of a known kind, its longest side shrunk to `side`.

    Raises UndecodableImage and what `decoding` turns into one.
    """
    if kind.family == "video":
        return load_video(path, kind, max_pixels, side)
    if kind.family == "raw":
        return load_raw(file, kind, max_pixels, side)
    if kind in (filetypes.HEIC, filetypes.HEIF):
        return load_heic(file, max_pixels, side)
    if kind == filetypes.BMP:
        return load_bmp(path, max_pixels, side)
    if kind == filetypes.JXL:
        return load_jxl(file, max_pixels, side)
    if kind == filetypes.AVIF and avif.is_sequence(file):
        return load_avif_sequence(file, max_pixels, side)
    return load_with_vips(file, kind, max_pixels, side)


def load_with_vips(file: io.FileIO, kind: FileType, max_pixels: int, side: int) -> Loaded:
    """JPEG, PNG, WebP, GIF, TIFF and AVIF; of an animation the first frame counts."""
    vips = libvips()
    header = read_header(file)
    check_pixels(header.width, header.height, max_pixels)
    orientation = header.get("orientation") if header.get_typeof("orientation") else 1
    width, height = (header.height, header.width) if orientation >= 5 else (header.width, header.height)
    pages = header.get("n-pages") if header.get_typeof("n-pages") else 1
    del header
    file.seek(0)
    preview = vips.Image.thumbnail_source(
        vips.Source.new_from_descriptor(file.fileno()),
        side,
        height=side,
        size="down",
        # As a loader's option, because this call's own `fail_on` does not reach the loader (libvips 8.18).
        # The TIFF loader reports a file cut short only among its errors.
        option_string="fail_on=" + ("error" if kind == filetypes.TIFF else "truncated"),
    )
    return Loaded(
        width, height, orientation, preview, is_animated=pages > 1 and kind in (filetypes.GIF, filetypes.WEBP)
    )


def load_heic(file: io.FileIO, max_pixels: int, side: int) -> Loaded:
    """The primary picture of the file; other ones, depth and gain maps are left alone."""
    import numpy as np
    import pi_heif

    picture = pi_heif.open_heif(file)
    width, height = picture.size
    check_pixels(width, height, max_pixels)
    # A copy: the view would outlive the decoder that owns the memory.
    image = with_profile(from_array(np.array(picture)), picture.info.get("icc_profile"))
    # libheif has turned the pixels as the container says; the EXIF orientation beside it says it once more.
    return Loaded(width, height, 1, fit(image, side))


def load_bmp(path: Path, max_pixels: int, side: int) -> Loaded:
    """Pillow reads the header; pixels that nothing compresses are then shrunk where they lie in the file."""
    import numpy as np
    from PIL.BmpImagePlugin import BmpImageFile

    # The plug-in itself: Image.open would meddle with a pixel limit of its own.
    with BmpImageFile(path) as picture:
        width, height = picture.size
        check_pixels(width, height, max_pixels)
        codec, _, offset, arguments = picture.tile[0]
        if codec == "raw" and isinstance(arguments, tuple) and arguments[0] in _BMP_BANDS:
            layout, stride, direction = arguments
            rows = np.memmap(path, np.uint8, "r", offset, (height, stride))
            image = fit(from_rows(rows, width, _BMP_BANDS[layout]), side)
            image = image[2].bandjoin([image[1], image[0]]).copy(interpretation="srgb")
            return Loaded(width, height, 1, image.flipver() if direction < 0 else image)
        # Without alpha: many programs leave zeros where others would read "invisible".
        pixels = np.asarray(picture if picture.mode == "RGB" else picture.convert("RGB"))
    return Loaded(width, height, 1, fit(from_array(pixels), side))


_BMP_BANDS = {"BGR": 3, "BGRX": 4, "BGRA": 4}
"""Pillow's names of what lies in a row, blue first; the fourth byte is left away."""


def from_rows(rows: "np.ndarray[Any, Any]", width: int, bands: int) -> Any:
    """A libvips image of rows of bytes, which may be longer than their pixels; nothing is copied."""
    height, stride = rows.shape
    bytes_ = libvips().Image.new_from_memory(rows, stride, height, 1, "uchar")
    pixels = bytes_.crop(0, 0, width * bands, height).bandfold(factor=bands)
    return pixels.extract_band(0, n=3).copy(interpretation="srgb")


def load_avif_sequence(file: io.FileIO, max_pixels: int, side: int) -> Loaded:
    """The first frame."""
    import numpy as np

    with avif.open_sequence(file) as picture:
        width, height = picture.size
        check_pixels(width, height, max_pixels)
        image = with_profile(from_array(np.array(picture)), picture.info.get("icc_profile"))
        return Loaded(width, height, 1, fit(image, side), is_animated=picture.n_frames > 1)


def load_jxl(file: io.FileIO, max_pixels: int, side: int) -> Loaded:
    """JPEG XL; what was a JPEG once is decoded from the JPEG it gives back."""
    data = file.read()
    check_pixels(*jxl.read_size(data), max_pixels)
    decoded = jxl.decode(data)
    if isinstance(decoded, bytes):
        return load_jpeg_bytes(decoded, max_pixels, side)
    image = with_profile(from_array(decoded.pixels), decoded.icc_profile)
    height, width = decoded.pixels.shape[:2]
    return Loaded(width, height, 1, fit(image, side))


def load_raw(file: io.FileIO, kind: FileType, max_pixels: int, side: int) -> Loaded:
    """The JPEG that the camera put into its raw file, else the sensor's data made a picture.

    Width and height are those of the photo, which mostly has more pixels than the embedded preview.
    """
    opened = raw.read_preview(file, kind, max_pixels)
    if isinstance(opened.preview, bytes):
        loaded = load_jpeg_bytes(opened.preview, max_pixels, side, turn=opened.orientation)
        width, height = opened.width or loaded.width, opened.height or loaded.height
        return Loaded(width, height, loaded.orientation, loaded.image)
    return Loaded(opened.width, opened.height, 1, fit(from_array(opened.preview), side))


def load_jpeg_bytes(data: bytes, max_pixels: int, side: int, *, turn: int = 1) -> Loaded:
    """A JPEG in memory, turned by its own EXIF orientation, or by `turn` when it has none."""
    vips = libvips()
    header = vips.Image.new_from_buffer(data, "")
    check_pixels(header.width, header.height, max_pixels)
    has_own = bool(header.get_typeof("orientation"))
    orientation = header.get("orientation") if has_own else turn
    width, height = (header.height, header.width) if orientation >= 5 else (header.width, header.height)
    image = vips.Image.thumbnail_buffer(
        data, side, height=side, size="down", option_string="fail_on=truncated"
    )
    if not has_own and turn != 1:
        image = image.copy_memory()  # turning asks for rows in another order than a decoder gives them
        image.set_type(vips.GValue.gint_type, "orientation", turn)
        image = image.autorot()
    return Loaded(width, height, orientation, image)


def load_video(path: Path, kind: FileType, max_pixels: int, side: int) -> Loaded:
    """A frame from near the start that shows something."""
    facts, frame = video.read_poster(path, kind, max_pixels)
    if frame is None:
        raise UndecodableImage(facts.problem)
    return Loaded(facts.width, facts.height, 1, fit(from_array(frame), side), video=facts)


def with_profile(image: Any, profile: bytes | None) -> Any:
    """The image with a colour profile, if there is one."""
    if not profile:
        return image
    image = image.copy()
    image.set_type(libvips().GValue.blob_type, "icc-profile-data", profile)
    return image
