"""Picture files made in memory, for tests of every app."""

import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

Color = tuple[int, int, int]
UPRIGHT_CORNERS: tuple[Color, Color, Color, Color] = (
    (220, 30, 30),
    (30, 200, 30),
    (30, 30, 220),
    (240, 240, 60),
)
"""Colours of `quadrants`: top left, top right, bottom left, bottom right."""

# What turns an upright picture into the stored pixels that an EXIF orientation turns back.
_STORED: Mapping[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def picture(width: int = 640, height: int = 480, color: Color | None = None, *, seed: int = 0) -> Image.Image:
    """A smooth colour field, different for each seed; or an even area of `color`."""
    if color is not None:
        return Image.new("RGB", (width, height), color)
    field = np.random.default_rng(seed).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    return Image.fromarray(field).resize((width, height), Image.Resampling.BICUBIC)


def quadrants(width: int = 640, height: int = 480) -> Image.Image:
    """Four colours in the corners, so that a test sees how a picture is turned."""
    pixels = np.asarray(UPRIGHT_CORNERS, np.uint8).reshape(2, 2, 3)
    return Image.fromarray(pixels).resize((width, height), Image.Resampling.NEAREST)


def exif(
    *,
    tags: Mapping[int, Any] | None = None,
    details: Mapping[int, Any] | None = None,
    gps: Mapping[int, Any] | None = None,
) -> bytes:
    """An EXIF block of tag numbers and Pillow values: image directory, EXIF directory, GPS directory."""
    block = Image.Exif()
    block.update(tags or {})
    for pointer, values in ((0x8769, details), (0x8825, gps)):
        if values:
            block.get_ifd(pointer).update(values)
    return block.tobytes()


def gps_tags(latitude: float, longitude: float, altitude: float | None = None) -> dict[int, Any]:
    def sexagesimal(value: float) -> tuple[float, float, float]:
        minutes, seconds = divmod(abs(value) * 3600, 60)
        return float(minutes // 60), float(minutes % 60), round(seconds, 4)

    tags: dict[int, Any] = {
        1: "S" if latitude < 0 else "N",
        2: sexagesimal(latitude),
        3: "W" if longitude < 0 else "E",
        4: sexagesimal(longitude),
    }
    if altitude is not None:
        tags |= {5: b"\1" if altitude < 0 else b"\0", 6: abs(altitude)}
    return tags


def taken(
    stamp: str = "2024:05:01 12:34:56",
    *,
    offset: str = "",
    place: tuple[float, float] | None = None,
    orientation: int = 1,
) -> bytes:
    """The EXIF block of an ordinary camera."""
    details = {0x9003: stamp} | ({0x9011: offset} if offset else {})
    gps = gps_tags(*place) if place else None
    return exif(tags={0x010F: "Chitra", 0x0110: "Pinhole 1", 0x0112: orientation}, details=details, gps=gps)


def encode(image: Image.Image, format: str, **options: Any) -> bytes:
    """`format` and `options` are Pillow's; an option that is None is left out."""
    buffer = io.BytesIO()
    image.save(buffer, format, **{name: value for name, value in options.items() if value is not None})
    return buffer.getvalue()


def jpeg(
    width: int = 640,
    height: int = 480,
    color: Color | None = None,
    *,
    exif: bytes | None = None,
    seed: int = 0,
    quality: int = 85,
) -> bytes:
    return encode(picture(width, height, color, seed=seed), "JPEG", exif=exif, quality=quality)


def turned_jpeg(orientation: int, width: int = 640, height: int = 480) -> bytes:
    """`quadrants`, upright once the EXIF orientation is honoured; `width` and `height` are upright."""
    image = quadrants(width, height)
    if orientation in _STORED:
        image = image.transpose(_STORED[orientation])
    return encode(image, "JPEG", exif=exif(tags={0x0112: orientation}), quality=90)


def png(
    width: int = 640,
    height: int = 480,
    color: Color | None = None,
    *,
    exif: bytes | None = None,
    seed: int = 0,
) -> bytes:
    return encode(picture(width, height, color, seed=seed), "PNG", exif=exif)


def webp(
    width: int = 640,
    height: int = 480,
    color: Color | None = None,
    *,
    exif: bytes | None = None,
    seed: int = 0,
) -> bytes:
    return encode(picture(width, height, color, seed=seed), "WEBP", exif=exif)


def avif(
    width: int = 640,
    height: int = 480,
    color: Color | None = None,
    *,
    exif: bytes | None = None,
    seed: int = 0,
) -> bytes:
    return encode(picture(width, height, color, seed=seed), "AVIF", exif=exif, speed=10)


HEIC_ENCODER = """
import io, sys
import pillow_heif
from PIL import Image

picture = Image.open(sys.stdin.buffer)
bare = Image.frombytes(picture.mode, picture.size, picture.tobytes())
pillow_heif.from_pillow(bare).save(sys.stdout.buffer, exif=picture.info.get("exif"))
"""


def heic(
    width: int = 640,
    height: int = 480,
    color: Color | None = None,
    *,
    exif: bytes | None = None,
    seed: int = 0,
) -> bytes:
    plain = io.BytesIO()
    picture(width, height, color, seed=seed).save(plain, "PNG", **({"exif": exif} if exif else {}))
    return _as_heic(plain.getvalue())


@cache
def _as_heic(png_bytes: bytes) -> bytes:
    """In a process of its own: the encoder and the product's decoder both bring a libheif, which clash."""
    made = subprocess.run(
        [sys.executable, "-c", HEIC_ENCODER], input=png_bytes, capture_output=True, check=True
    )
    return made.stdout


def tiff(
    width: int = 640,
    height: int = 480,
    color: Color | None = None,
    *,
    exif: bytes | None = None,
    seed: int = 0,
) -> bytes:
    return encode(picture(width, height, color, seed=seed), "TIFF", exif=exif)


def gif(width: int = 640, height: int = 480, color: Color | None = None, *, seed: int = 0) -> bytes:
    return encode(picture(width, height, color, seed=seed), "GIF")


def animated(format: str, colors: tuple[Color, ...], width: int = 64, height: int = 48) -> bytes:
    """`format` is GIF, WEBP or PNG; one frame per colour."""
    first, *others = (picture(width, height, color) for color in colors)
    return encode(first, format, save_all=True, append_images=others, duration=100)


def bmp(width: int = 640, height: int = 480, color: Color | None = None, *, seed: int = 0) -> bytes:
    return encode(picture(width, height, color, seed=seed), "BMP")


def noisy_jpeg(width: int, height: int, *, seed: int = 0) -> bytes:
    """As many bytes as a photo of that size: a colour field with grain."""
    grain = np.random.default_rng(seed).normal(0, 6, (height, width, 1))
    pixels = np.asarray(picture(width, height, seed=seed), np.float32) + grain
    return encode(Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)), "JPEG", quality=90)


def truncated(data: bytes, keep: float = 0.5) -> bytes:
    """The first `keep` of a file."""
    return data[: int(len(data) * keep)]


def huge(format: str, width: int = 50_000, height: int = 50_000) -> bytes:
    """A small file whose header promises `width` x `height` pixels: JPEG, PNG, GIF, BMP, HEIC or AVIF."""
    if format == "PNG":
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(100_000))), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
            for name, body in chunks
        )
    if format == "GIF":
        size = struct.pack("<HH", width, height)
        return b"GIF89a" + size + b"\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0" + size + b"\0\x02\x02\x44\x01\0;"
    if format == "BMP":
        return _patched(bmp(16, 16), at=18, with_=struct.pack("<ii", width, height))
    if format == "JPEG":
        data = jpeg(16, 16)
        return _patched(data, at=data.index(b"\xff\xc0") + 5, with_=struct.pack(">HH", height, width))
    data = heic(64, 64) if format == "HEIC" else avif(64, 64)
    return _patched(data, at=data.index(b"ispe") + 8, with_=struct.pack(">II", width, height))


def _patched(data: bytes, *, at: int, with_: bytes) -> bytes:
    return data[:at] + with_ + data[at + len(with_) :]


def jxl(
    width: int = 640,
    height: int = 480,
    color: Color | None = None,
    *,
    exif: bytes | None = None,
    seed: int = 0,
    **options: Any,
) -> bytes:
    import pillow_jxl  # noqa: F401 - registers the encoder

    return encode(picture(width, height, color, seed=seed), "JXL", exif=exif, **options)
