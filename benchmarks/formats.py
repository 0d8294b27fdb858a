"""Write docs/formats.md: every format case and what comes of it. `python -m benchmarks.formats`.

TEST_PHOTOS names a folder of real files to try as well; those that cannot be shown are listed by name.
"""

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from photos.dates.capture_time import decide
from photos.formats.filetypes import HEAD_BYTES, describe_stranger, sniff
from photos.formats.imaging import UndecodableImage
from photos.formats.isolation import Isolation
from photos.formats.rendering import Renditions, make_renditions
from photos.metadata.reading import read_metadata
from photos.tests.metadata_samples import metadata_samples, time_in_words
from photos.tests.samples import real_files, samples

TARGET = Path(__file__).resolve().parent.parent / "docs" / "formats.md"
LIMIT = 300_000_000
INTRO = """# Formats

What Chitra makes of each kind of file. This page is written by `python -m benchmarks.formats`, which makes the
files, decodes them and reads their metadata. The type is told from the content, never from the name. What is
known but cannot be decoded is kept as an original, with the reason on its page; what is no picture and no video
is refused with the reason in the answer.

HDR videos are converted without tone mapping. Adobe RGB is honoured when its profile is in the file. Of HEIC
files with many images the primary one is shown; gain maps and depth are left alone.
"""
RAW = """The tests make these files after the layout of each maker's cameras, with a made-up sensor's data (uncompressed,
packed, or Canon's lossless JPEG) in all but CR3. LibRaw 0.22 opens them: the preview first, the sensor's data when
there is none. Where LibRaw cannot (CR3 without sensor's data, a camera newer than it, damage), the largest whole JPEG
in the file is shown. The tests also turn them in all ways, cut them short, and read their time and camera.

The makers' own ways to compress are LibRaw's business and not tried here. Of files from cameras, these were at hand;
originals of most cameras are larger than what test collections keep:

| File | Decoded | Metadata, as ExifTool reads it but for maker notes |
|---|---|---|
| DNG of a Canon EOS 6D, with preview | yes | yes |
| NEF of a Nikon D70 whose bytes are a JPEG | yes, as a JPEG | yes |
| DNG of an iPhone 12 Pro and a Canon EOS 350D, without their pixels | refused as cut short | yes |
| CR2 of a Canon EOS 350D, CR3 of a Canon EOS M50 and R6, NEF of a Nikon D70, RAF of a FinePix S5Pro, RW2 of a DMC-LX3, without their pixels | refused, or cut short | yes |
| ARW, ORF, SRW, PEF | none at hand | none at hand |
"""
OTHERS = """Also tried once, on the test files of libavif, KImageFormats, Exiv2, ExifTool, metadata-extractor, exifr, PhotoPrism
and Immich (not part of this project): HEIC of iPhones, Canon, Sony, Samsung and Nokia,
with gain maps, depth, grids and EXIF at the end; AVIF of 8, 10 and 12 bits, with gain maps, HDR and sequences; JPEG
XL of 8 to 32 bits and CMYK; motion photos of Samsung in HEIC; MOV and MP4 of iPhones and Android; AVI of cameras.
Not shown, because the decoders in the wheels lack them: HEIF with uncompressed or JPEG-coded pictures, Canon's CRW,
Sigma's X3F and Minolta's MRW, files without a mark of their own (Kodak's and Kyocera's RAW).
"""


def result_of(child: Isolation, path: Path) -> tuple[bool, str]:
    """Whether it is shown, and how, or why not."""
    head = path.read_bytes()[:HEAD_BYTES]
    kind = sniff(head)
    if kind is None:
        stranger = describe_stranger(head)
        return False, "refused" + (f": it is {stranger}" if stranger else ": no picture or video")
    try:
        made = child.call(make_renditions, 60, path, max_pixels=LIMIT)
    except UndecodableImage as error:
        return False, f"kept, not shown: {error}"
    return True, f"{kind.mime}, {describe(made)}"


def describe(made: Renditions) -> str:
    words = [f"{made.width} × {made.height}"]
    if made.video:
        words.append(f"{made.video.duration_seconds or 0:.1f} s")
        words.append("played as it is" if made.video.plays_as_is else playing(made.video.is_plain_h264))
    if made.clip:
        words.append("with a film")
    if made.is_animated:
        words.append("moves")
    return ", ".join(words)


def playing(is_plain_h264: bool) -> str:
    return "copied into an MP4" if is_plain_h264 else "converted to H.264 and AAC"


def lines(child: Isolation, folder: Path) -> Iterator[str]:
    yield INTRO
    path = folder / "file"
    for group, members in groupby(samples(), key=lambda sample: sample.group):
        yield f"## {group}\n\n| Case | Result |\n|---|---|"
        for sample in members:
            path.write_bytes(sample.make())
            is_shown, words = result_of(child, path)
            if is_shown != sample.is_good:
                raise SystemExit(f"{sample.name}: {words}")
            yield f"| {sample.name} | {words} |"
        yield ""
        if group == "Camera raw":
            yield RAW
    yield from damaged_lines(child, path)
    yield from metadata_lines(child, path)
    if (real := Path(os.environ.get("TEST_PHOTOS", "../shared/photos/exif"))).is_dir():
        yield from real_lines(child, real)


def damaged_lines(child: Isolation, path: Path) -> Iterator[str]:
    """Every good file cut at each tenth of its length, and with zeros in its middle third."""
    ends: dict[str, Counter[str]] = {"cut at a tenth of its length": Counter(), "a third zeros": Counter()}
    for sample in samples():
        if not sample.is_good or "frames" in sample.name:
            continue
        data = sample.make()
        third = len(data) // 3
        for tenth in range(1, 10):
            path.write_bytes(data[: len(data) * tenth // 10])
            ends["cut at a tenth of its length"][ending(child, path)] += 1
        path.write_bytes(data[:third] + bytes(third) + data[2 * third :])
        ends["a third zeros"][ending(child, path)] += 1
    yield "## Every file above, damaged\n\n| Damage | Shown | Kept with a reason | Refused |\n|---|---|---|---|"
    for name, counts in ends.items():
        yield f"| {name} | {counts['shown']} | {counts['kept']} | {counts['refused']} |"
    yield (
        "\nShown are films up to the cut, raw files and motion photos whose picture is whole, and animations whose\n"
        "first frame is. Zeros that leave the headers alone look like a damaged picture, and most are shown so.\n"
    )


def ending(child: Isolation, path: Path) -> str:
    is_shown, words = result_of(child, path)
    return "shown" if is_shown else words.partition(",")[0].partition(":")[0]


def metadata_lines(child: Isolation, path: Path) -> Iterator[str]:
    """What is read of each case of metadata."""
    yield "## Metadata and time\n\nThe rules are those of [docs/metadata.md](metadata.md).\n"
    yield "| Case | Time (from), zone (from) | Also read |\n|---|---|---|"
    for sample in metadata_samples():
        path.write_bytes(sample.make())
        found = child.call(read_metadata, 60, path, sidecar=sample.sidecar)
        said = time_in_words(decide(found.time, sample.around))
        if said != sample.says:
            raise SystemExit(f"{sample.name}: {said}")
        texts = ", ".join(f"{name} {in_words(getattr(found, name))}" for name in sample.texts)
        yield f"| {sample.name} | {said} | {texts} |"
    yield ""


def in_words(value: object) -> str:
    words = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return words.replace("<", "&lt;").replace("|", "\\|")


def real_lines(child: Isolation, folder: Path) -> Iterator[str]:
    """How many real files of each kind are shown, and which are not."""
    shown: Counter[str] = Counter()
    refused = []
    for path in real_files(folder):
        is_shown, words = result_of(child, path)
        if is_shown:
            shown[words.partition(",")[0]] += 1
        else:
            refused.append(f"| {path.relative_to(folder)} | {words} |")
    yield "## A collection of real files\n\n| Kind | Shown |\n|---|---|"
    yield from (f"| {kind} | {count} |" for kind, count in sorted(shown.items()))
    yield "\n| Not shown | Why |\n|---|---|"
    yield from refused
    yield "\n| Of its folder of broken files | Result |\n|---|---|"
    for path in real_files(folder / "jpg" / "invalid"):
        yield f"| {path.name} | {result_of(child, path)[1]} |"
    yield f"\n{OTHERS}"


def main() -> None:
    child = Isolation(memory_bytes=4 << 30)
    with tempfile.TemporaryDirectory() as folder:
        TARGET.write_text("\n".join(lines(child, Path(folder))).rstrip() + "\n", encoding="utf-8")
    child.close()


if __name__ == "__main__":
    main()
