"""Time of our renditions beside libvips making the same two files, for each format; ≤ 1.3 × is the aim.

`python -m benchmarks.decode`. For formats that the wheel of libvips lacks, the bare decoder (libheif, Pillow,
libjxl, LibRaw, FFmpeg) hands its pixels to libvips. Ours runs in the child process, and also makes thumbhash,
perceptual hash and checks.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from photos.formats import filetypes, jxl, raw, video
from photos.formats.imaging import PREVIEW_PIXELS, THUMBNAIL_PIXELS, WEBP, from_array, libvips, to_srgb
from photos.formats.isolation import Isolation
from photos.formats.rendering import make_renditions
from photos.tests import pictures
from photos.tests.films import film
from photos.tests.raws import dng

ROUNDS = int(os.environ.get("ROUNDS", "7"))
SIZE = (4000, 3000)
LIMIT = 300_000_000
AIM = 1.3


def files() -> dict[str, bytes]:
    """A photo of 12 megapixels in each format."""
    width, height = SIZE
    return {
        "JPEG": pictures.noisy_jpeg(width, height),
        "PNG": pictures.png(width, height),
        "WebP": pictures.webp(width, height),
        "GIF": pictures.gif(width, height),
        "TIFF": pictures.tiff(width, height),
        "BMP": pictures.bmp(width, height),
        "HEIC": pictures.heic(width, height),
        "AVIF": pictures.avif(width, height),
        "JPEG XL": pictures.jxl(width, height, effort=3),
        "RAW with preview": dng(preview=pictures.noisy_jpeg(2000, 1500)),
        "RAW, demosaiced": dng(width=4000, height=3000),
        "MP4 1080p": film(width=1920, height=1080, seconds=2.0),
    }


def alone(path: Path, kind: filetypes.FileType) -> None:
    """The two files by libvips' own functions."""
    preview = decoded_alone(path, kind)
    preview = to_srgb(preview).copy_memory()
    preview.webpsave_buffer(**WEBP)
    preview.thumbnail_image(THUMBNAIL_PIXELS, height=THUMBNAIL_PIXELS).webpsave_buffer(**WEBP)


def decoded_alone(path: Path, kind: filetypes.FileType) -> Any:
    size = {"height": PREVIEW_PIXELS, "size": "down"}
    if kind == filetypes.BMP:
        import numpy as np
        from PIL.BmpImagePlugin import BmpImageFile

        return from_array(np.asarray(BmpImageFile(path).convert("RGB"))).thumbnail_image(
            PREVIEW_PIXELS, **size
        )
    if kind in (filetypes.HEIC, filetypes.HEIF):
        import numpy as np
        import pi_heif

        with path.open("rb") as file:
            return from_array(np.array(pi_heif.open_heif(file))).thumbnail_image(PREVIEW_PIXELS, **size)
    if kind == filetypes.JXL:
        made = jxl.decode(path.read_bytes())
        assert isinstance(made, jxl.Decoded)
        return from_array(made.pixels).thumbnail_image(PREVIEW_PIXELS, **size)
    if kind.family == "raw":
        with path.open("rb") as file:
            shown = raw.read_preview(file, kind, LIMIT).preview
        if isinstance(shown, bytes):
            return libvips().Image.thumbnail_buffer(shown, PREVIEW_PIXELS, **size)
        return from_array(shown).thumbnail_image(PREVIEW_PIXELS, **size)
    if kind.family == "video":
        _, frame = video.read_poster(path, kind, LIMIT)
        assert frame is not None
        return from_array(frame).thumbnail_image(PREVIEW_PIXELS, **size)
    return libvips().Image.thumbnail(str(path), PREVIEW_PIXELS, **size)


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def main() -> int:
    """Print a row for each format; the exit status says whether all are within the aim."""
    child = Isolation(memory_bytes=4 << 30)
    worst = 0.0
    print(f"{'format':<18} {'libvips':>9} {'ours':>9}  ratio")
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files().items():
            path = Path(folder, "photo")
            path.write_bytes(data)
            kind = filetypes.sniff(data[: filetypes.HEAD_BYTES])
            assert kind is not None
            base_line = partial(alone, path, kind)
            step = partial(child.call, make_renditions, 100, path, max_pixels=LIMIT)
            base_line()
            step()
            pairs = [(timed(base_line), timed(step)) for _ in range(ROUNDS)]
            base, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
            ratio = statistics.median(one / other for other, one in pairs)
            worst = max(worst, ratio)
            print(f"{name:<18} {base * 1000:>6.0f} ms {ours * 1000:>6.0f} ms  {ratio:.2f}")
    child.close()
    return int(worst > AIM)


if __name__ == "__main__":
    sys.exit(main())
