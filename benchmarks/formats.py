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

from photos.filetypes import HEAD_BYTES, describe_stranger, sniff
from photos.imaging import UndecodableImage
from photos.isolation import Isolation
from photos.rendering import Renditions, make_renditions
from photos.tests.samples import real_files, samples

TARGET = Path(__file__).resolve().parent.parent / "docs" / "formats.md"
LIMIT = 300_000_000
INTRO = """# Formats

What Chitra makes of each kind of file. This page is written by `python -m benchmarks.formats`, which makes the
files and decodes them. The type is told from the content, never from the name. What is known but cannot be
decoded is kept as an original, with the reason on its page; what is no picture and no video is refused with the
reason in the answer.

CR2, CR3, NEF, ARW, RAF, RW2, ORF, SRW and PEF are told by their marks and decoded by LibRaw; the tests make DNG
only, because nobody but the cameras writes the others. HDR videos are converted without tone mapping. Adobe RGB
is honoured when its profile is in the file. Of HEIC files with many images the primary one is shown.
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
    if (real := Path(os.environ.get("TEST_PHOTOS", "../shared/photos/exif"))).is_dir():
        yield from real_lines(child, real)


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


def main() -> None:
    child = Isolation(memory_bytes=4 << 30)
    with tempfile.TemporaryDirectory() as folder:
        TARGET.write_text("\n".join(lines(child, Path(folder))).rstrip() + "\n", encoding="utf-8")
    child.close()


if __name__ == "__main__":
    main()
