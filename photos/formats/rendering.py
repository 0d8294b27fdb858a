"""One decode of an original becomes its preview, thumbnail, thumbhash and perceptual hash."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photos.formats.clips import Clip, burst_id, clean_id, find_clip, live_photo_id
from photos.formats.imaging import THUMBNAIL_PIXELS, WEBP, fit, open_picture, to_srgb
from photos.formats.loaders import load
from photos.formats.video import VideoFacts
from photos.hashing import perceptual_hash

if TYPE_CHECKING:
    import numpy as np

_THUMBHASH_PIXELS = 32


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
    is_animated: bool = False
    video: VideoFacts | None = None
    """Of a video, what it is besides its poster."""
    clip: Clip | None = None
    """Of a motion photo, where its film lies in the file."""
    live_id: str = ""
    """What Apple's photo and film have in common."""
    burst_id: str = ""
    """What the photos of one of Apple's bursts have in common."""


def make_renditions(path: Path, *, max_pixels: int) -> Renditions:
    """Decode the original once and make everything that is shown or compared of it.

    Raises TooManyPixels by what the header says, before any pixel is decoded, and UndecodableImage for what
    cannot be shown, a file cut short included: half a picture must not pass for the whole. Of an animation
    the first frame counts.
    """
    with open_picture(path) as (file, kind):
        loaded = load(path, file, kind, max_pixels)
        preview = to_srgb(loaded.image).copy_memory()
        thumbnail = fit(preview, THUMBNAIL_PIXELS).copy_memory()
        preview_webp: bytes = preview.webpsave_buffer(**WEBP)
        is_small = (thumbnail.width, thumbnail.height) == (preview.width, preview.height)
        return Renditions(
            width=loaded.width,
            height=loaded.height,
            orientation=loaded.orientation,
            thumbnail=preview_webp if is_small else thumbnail.webpsave_buffer(**WEBP),
            preview=preview_webp,
            thumbhash=_thumbhash(thumbnail),
            perceptual_hash=perceptual_hash(_gray_32(thumbnail)),
            is_animated=loaded.is_animated,
            video=loaded.video,
            clip=find_clip(file, kind),
            live_id=clean_id(loaded.video.tags.content_id) if loaded.video else live_photo_id(file),
            burst_id="" if loaded.video else burst_id(file),
        )


def larger_picture(path: Path, *, side: int, max_pixels: int) -> "np.ndarray[Any, Any]":
    """Pixels of the original, at most `side` long: uint8, height x width x 3, sRGB, upright.

    Raises as `make_renditions` does. For what a preview is too small for.
    """
    with open_picture(path) as (file, kind):
        pixels: np.ndarray[Any, Any] = to_srgb(load(path, file, kind, max_pixels, side=side).image).numpy()
        return pixels


def _thumbhash(image: Any) -> bytes:
    import numpy as np
    import thumbhash

    rgb = fit(image, _THUMBHASH_PIXELS).numpy()
    height, width = rgb.shape[:2]
    rgba = np.dstack([rgb, np.full((height, width), 255, np.uint8)])
    return bytes(thumbhash.rgba_to_thumb_hash(width, height, rgba.reshape(-1).tolist()))


def _gray_32(image: Any) -> "np.ndarray[Any, Any]":
    """32x32 luminance as ImageHash takes it: Pillow's weights, Pillow's Lanczos."""
    import numpy as np
    from PIL import Image

    gray = Image.fromarray(image.numpy()).convert("L")
    return np.asarray(gray.resize((32, 32), Image.Resampling.LANCZOS))
