"""One file of every format, with what is to come of it: for docs/formats.md, tests and fuzzing."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from photos.formats import filetypes
from photos.tests import pictures
from photos.tests.films import film, no_streams, sound_only
from photos.tests.raw_files import WRITERS
from photos.tests.raws import dng
from photos.tests.test_clips import heic_motion_photo, micro_video, motion_photo, samsung
from photos.tests.test_jxl import bomb

MEGAPIXEL = (1200, 900)


@dataclass(frozen=True)
class Sample:
    """`make` gives the bytes; `is_good` says whether a preview is to come of them."""

    group: str
    name: str
    make: Callable[[], bytes]
    is_good: bool = True


def save(image: Image.Image, format: str, **options: object) -> bytes:
    return pictures.encode(image, format, **options)


def sixteen_bits() -> bytes:
    ramp = np.linspace(0, 65535, 300 * 200).astype(np.uint16).reshape(200, 300)
    return save(Image.fromarray(ramp), "PNG")


def cmyk() -> bytes:
    return save(pictures.picture().convert("CMYK"), "JPEG")


def transparent() -> bytes:
    return save(Image.new("RGBA", (300, 200), (255, 0, 0, 0)), "PNG")


def ten_bit_avif() -> bytes:
    """By the encoder in libvips, in 10 bits."""
    from photos.formats.imaging import from_array, libvips

    libvips()
    image = from_array(np.asarray(pictures.picture(300, 200)))
    made: bytes = image.heifsave_buffer(compression="av1", bitdepth=10, effort=0)
    return made


def with_profile(name: str) -> bytes:
    """An sRGB picture converted to one of the profiles that libvips carries."""
    from photos.formats.imaging import from_array

    image = from_array(np.asarray(pictures.picture(300, 200)))
    made: bytes = image.icc_transform(name, input_profile="srgb").jpegsave_buffer()
    return made


def many_frames(count: int = 10_000) -> bytes:
    first, *others = (Image.new("P", (16, 16), number % 7) for number in range(count))
    buffer = io.BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=20, optimize=False)
    return buffer.getvalue()


def without_end(data: bytes) -> bytes:
    """The last twentieth zeros, as a disk leaves it when it was full."""
    return data[: len(data) * 19 // 20].ljust(len(data), b"\0")


def polyglot() -> bytes:
    """A JPEG that is a ZIP and a web page too."""
    return pictures.jpeg() + b"<script>alert(1)</script>PK\x05\x06" + bytes(18)


def samples() -> Iterator[Sample]:
    """All of them. Bad ones must end with a reason, in time and in little memory."""
    image = "Pictures"
    yield Sample(image, "JPEG", pictures.jpeg)
    for orientation in range(1, 9):
        yield Sample(image, f"JPEG, orientation {orientation}", partial(pictures.turned_jpeg, orientation))
    yield Sample(image, "JPEG, CMYK", cmyk)
    yield Sample(image, "JPEG, Display P3", lambda: with_profile("p3"))
    yield Sample(image, "PNG", pictures.png)
    yield Sample(image, "PNG, 16 bits", sixteen_bits)
    yield Sample(image, "PNG, transparent", transparent)
    yield Sample(image, "WebP", pictures.webp)
    yield Sample(image, "WebP, animated", lambda: pictures.animated("WEBP", ((255, 0, 0), (0, 0, 255))))
    yield Sample(image, "GIF", pictures.gif)
    yield Sample(image, "GIF, animated", lambda: pictures.animated("GIF", ((255, 0, 0), (0, 0, 255))))
    yield Sample(image, "GIF, 10,000 frames", many_frames)
    yield Sample(image, "TIFF", pictures.tiff)
    yield Sample(image, "BMP", pictures.bmp)
    yield Sample(image, "HEIC", pictures.heic)
    yield Sample(image, "AVIF", pictures.avif)
    yield Sample(image, "AVIF, 10 bits", ten_bit_avif)
    yield Sample(image, "AVIF, animated", lambda: pictures.animated("AVIF", ((255, 0, 0), (0, 0, 255))))
    yield Sample(image, "JPEG XL", pictures.jxl)
    yield Sample(image, "JPEG with ZIP and HTML behind it", polyglot)
    raw = "Camera raw"
    yield Sample(raw, "DNG with a preview", lambda: dng(preview=pictures.jpeg(800, 600)))
    yield Sample(raw, "DNG without a preview", dng)
    yield Sample(raw, "DNG with a stamp only", lambda: dng(preview=pictures.jpeg(160, 120)))
    for kind, write in WRITERS.items():
        name = kind.extension[1:].upper()
        yield Sample(raw, f"{name} with a preview", partial(write, pictures.jpeg(1620, 1080), 1))
        if kind != filetypes.CR3:
            yield Sample(raw, f"{name} without a preview", partial(write, None, 1))
    motion = "Motion photos"
    yield Sample(motion, "Google MicroVideo", lambda: micro_video(pictures.jpeg(), film(seconds=0.4)))
    yield Sample(motion, "Google MotionPhoto", lambda: motion_photo(pictures.jpeg(), film(seconds=0.4)))
    yield Sample(motion, "Samsung", lambda: samsung(pictures.jpeg(), film(seconds=0.4)))
    yield Sample(motion, "Samsung, HEIC", lambda: heic_motion_photo(pictures.heic(), film(seconds=0.4)))
    video = "Videos"
    yield Sample(video, "MP4, H.264 and AAC", film)
    yield Sample(video, "MP4, H.265", lambda: film(video="libx265"))
    yield Sample(video, "MP4, H.264 of 10 bits", lambda: film(pix_fmt="yuv420p10le"))
    yield Sample(video, "M4V", lambda: film("ipod"))
    yield Sample(video, "MOV", lambda: film("mov"))
    yield Sample(video, "MOV, turned by 90°", lambda: film("mov", turn=90))
    yield Sample(video, "WebM, VP9 and Opus", lambda: film("webm", video="libvpx-vp9", audio="libopus"))
    yield Sample(video, "Matroska, H.264", lambda: film("matroska"))
    yield Sample(video, "AVI, MPEG-4 and MP3", lambda: film("avi", video="mpeg4", audio="libmp3lame"))
    bad = "Bad input"
    yield Sample(bad, "MP4 with sound only", sound_only, is_good=False)
    yield Sample(bad, "MP4 without streams", no_streams, is_good=False)
    yield Sample(bad, "DNG whose last rows are missing", lambda: without_end(dng()), is_good=False)
    yield Sample(bad, "CR3 without a preview", lambda: WRITERS[filetypes.CR3](None, 1), is_good=False)
    for format in ("PNG", "GIF", "HEIC", "AVIF", "BMP", "JPEG"):
        yield Sample(bad, f"{format} of 50,000 × 50,000", partial(pictures.huge, format), is_good=False)
    yield Sample(bad, "JPEG XL of 50,000 × 50,000", lambda: bomb(50_000), is_good=False)
    yield Sample(bad, "PDF named .jpg", lambda: b"%PDF-1.7\n", is_good=False)
    yield Sample(bad, "SVG named .jpg", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", is_good=False)
    yield Sample(bad, "HTML named .jpg", lambda: b"<!doctype html><p>hello</p>", is_good=False)
    yield Sample(bad, "ZIP named .jpg", lambda: b"PK\x03\x04" + bytes(30), is_good=False)
    yield Sample(bad, "zeros named .jpg", lambda: bytes(5000), is_good=False)
    yield Sample(bad, "JPEG, first half only", lambda: pictures.truncated(pictures.jpeg()), is_good=False)


def real_files(folder: Path) -> list[Path]:
    """Pictures of a folder, in order."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name.lower() != "readme")
