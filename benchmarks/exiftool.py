"""What we read of files beside what ExifTool reads: `python -m benchmarks.exiftool FOLDER…`.

ExifTool is a program of its own that only this comparison starts. Its answer is the tag that it shows when
several places say something (`-G1` without `-a`), else that of its MWG module. Printed are counts for each
field, and every difference; `--made` adds the files that the tests make.
"""

import argparse
import json
import math
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.stage import print_table
from faces import regions
from photos.formats.filetypes import HEAD_BYTES, sniff
from photos.formats.imaging import UndecodableImage
from photos.formats.isolation import Isolation
from photos.metadata.pictures import Metadata, read_xmp_packet
from photos.metadata.reading import read_metadata
from photos.tests.samples import samples

DEFAULT = Path("../shared/photos")
# Groups of ExifTool that are standards; all others are what makers write for themselves, and not read here.
STANDARD = (
    "IFD0",
    "SubIFD",
    "ExifIFD",
    "GPS",
    "XMP",
    "IPTC",
    "PNG",
    "Photoshop",
    "QuickTime",
    "ItemList",
    "Keys",
    "UserData",
    "Track",
    "Matroska",
    "RIFF",
    "Composite",
)
COMPOSED = ("GPS", "SubSec", "DateTime")
"""What ExifTool composes of standard tags only."""
NOTHING = ("None", "", "undef", "inf")
NO_DATE = ("0000", "    ", "")
CHUNK = 200


@dataclass(frozen=True)
class Theirs:
    """ExifTool's answers: `tags` by name with their groups, its choice first; `mwg` of its MWG module."""

    tags: dict[str, list[tuple[str, Any]]] = field(default_factory=dict)
    mwg: dict[str, Any] = field(default_factory=dict)

    def first(self, *names: str) -> Any:
        """The first that is there and no maker note."""
        # Only what is composed has the sign of a coordinate.
        found = (
            each
            for name in names
            for each in sorted(self.tags.get(name, []), key=lambda e: e[0] != "Composite")
        )
        return next((value for group, value in found if group.startswith(STANDARD)), None)


@dataclass(frozen=True)
class Field:
    name: str
    ours: Callable[[Metadata], Any]
    theirs: Callable[[Theirs], list[Any]]
    """The answers that agree with ExifTool, the plain one first; empty when it says nothing."""
    same: Callable[[Any, Any], bool] = lambda ours, theirs: bool(ours == theirs)


def close(ours: Any, theirs: Any) -> bool:
    """Numbers to a thousandth, or a hundred-thousandth of a degree; of several the first."""
    theirs = theirs[0] if isinstance(theirs, list) and theirs else theirs
    try:
        return math.isclose(float(ours), float(theirs), rel_tol=2e-3, abs_tol=1e-5)
    except (TypeError, ValueError):
        return False


def same_text(ours: Any, theirs: Any) -> bool:
    """Texts without the blanks and control characters that only one of them keeps."""
    letters = [re.sub(r"[\W_]+", "", str(text)) for text in (ours, theirs)]
    return letters[0] == letters[1] or (len(letters[0]) > 100 and letters[1].startswith(letters[0]))


def dates(theirs: Theirs) -> list[str]:
    names = ("DateTimeOriginal", "CreationDate", "DateCreated", "CreateDate", "ModifyDate", "GPSDateTime")
    found = [theirs.first("SubSecDateTimeOriginal"), *(theirs.first(name) for name in names)]
    found += [theirs.mwg.get(name) for name in names]
    texts = [str(text).replace("-", ":", 2)[:19] for text in found if text]
    return [text for text in texts if text[:4] not in NO_DATE]


def same_moment(ours: Any, theirs: Any) -> bool:
    """A date alone is midnight; seconds may be missing."""
    wall = re.match(r"[\d:]+(?: \d\d:\d\d(?::\d\d)?)?", str(theirs))
    return bool(wall) and str(ours).startswith(wall[0]) if wall else False


def offsets(theirs: Theirs) -> list[str]:
    names = ("OffsetTimeOriginal", "OffsetTimeDigitized", "OffsetTime")
    found = [str(theirs.first(name) or "").strip() for name in names]
    dated = (
        "CreationDate",
        "DateTimeOriginal",
        "DateTimeDigitized",
        "DateCreated",
        "CreateDate",
        "TimeCreated",
    )
    texts = [str(value) for name in (*dated, "TimeCreated") for _, value in theirs.tags.get(name, [])]
    found += [match[0] for text in texts if (match := re.search(r"[+-]\d\d:\d\d$|Z$", text))]
    found = [text.replace("Z", "+00:00") for text in found]
    return [text for text in found if text[:1] in ("+", "-")]


def offset_text(minutes: int | None) -> str | None:
    if minutes is None:
        return None
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def listed(*names: str) -> Callable[[Theirs], list[Any]]:
    """The answers under these names; MWG's too."""

    def answers(theirs: Theirs) -> list[Any]:
        found = [theirs.first(name) for name in names] + [theirs.mwg.get(name) for name in names]
        return [value for value in found if str(value).strip() not in NOTHING]

    return answers


def words(theirs: Theirs) -> list[Any]:
    """All keywords as one answer, each the last word of its path."""
    found: set[str] = set()
    for name in ("Subject", "Keywords", "HierarchicalSubject", "TagsList"):
        for source in (theirs.first(name), theirs.mwg.get(name)):
            texts = source if isinstance(source, list) else [] if source is None else [source]
            found |= {leaf(str(text)) for text in texts}
    return [sorted(found - {""})] if found - {""} else []


def leaf(path: str) -> str:
    return " ".join(path.replace("|", "/").rpartition("/")[2].split()).casefold()


def contains(ours: Any, theirs: Any) -> bool:
    return {leaf(word) for word in ours} >= set(theirs)


FIELDS = (
    Field("time", lambda m: m.taken_at and f"{m.taken_at:%Y:%m:%d %H:%M:%S}", dates, same_moment),
    Field("offset", lambda m: offset_text(m.utc_offset_minutes), offsets),
    Field("latitude", lambda m: m.latitude, listed("GPSLatitude"), close),
    Field("longitude", lambda m: m.longitude, listed("GPSLongitude"), close),
    Field("altitude", lambda m: m.altitude, listed("GPSAltitude"), close),
    Field("orientation", lambda m: m.orientation, listed("Orientation"), close),
    Field("make", lambda m: m.camera_make, listed("Make"), same_text),
    Field("model", lambda m: m.camera_model, listed("Model"), same_text),
    Field("lens", lambda m: m.lens_model, listed("LensModel", "Lens"), same_text),
    Field("exposure", lambda m: m.exposure_seconds, listed("ExposureTime"), close),
    Field("aperture", lambda m: m.f_number, listed("FNumber"), close),
    Field("ISO", lambda m: m.iso, listed("ISO", "ISOSpeedRatings"), close),
    Field("focal length", lambda m: m.focal_length_mm, listed("FocalLength"), close),
    Field("title", lambda m: m.title, listed("Title", "ObjectName", "XPTitle"), same_text),
    Field(
        "description",
        lambda m: m.description,
        listed("Description", "ImageDescription", "Caption-Abstract"),
        same_text,
    ),
    Field("rating", lambda m: m.rating, listed("Rating"), close),
    Field("keywords", lambda m: m.keywords, words, contains),
    Field("city", lambda m: m.city, listed("City"), same_text),
    Field("country", lambda m: m.country, listed("Country", "Country-PrimaryLocationName"), same_text),
)


def ask_exiftool(paths: Sequence[Path]) -> dict[str, Theirs]:
    """Its answers by path, from three runs over all files."""
    chosen, every = run_exiftool(paths, "-G1"), run_exiftool(paths, "-G1", "-a")
    mwg = run_exiftool(paths, "-use", "MWG", "-MWG:all")
    answers = {}
    for path, tags in every.items():
        named: dict[str, list[tuple[str, Any]]] = defaultdict(list)
        for name, value in [*chosen.get(path, {}).items(), *tags.items()]:
            group, _, tag = name.partition(":")
            if group != "Composite" or tag.startswith(COMPOSED):
                named[tag].append((group, value))
        answers[path] = Theirs(named, mwg.get(path, {}))
    return answers


def run_exiftool(paths: Sequence[Path], *options: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(paths), CHUNK):
        names = [str(path) for path in paths[start : start + CHUNK]]
        command = ["exiftool", "-q", "-j", "-n", "-struct", "-api", "QuickTimeUTC=0", *options, "--", *names]
        done = subprocess.run(command, capture_output=True, check=False)
        for tags in json.loads(done.stdout.decode(errors="replace") or "[]"):
            found[tags.pop("SourceFile")] = tags
    return found


def face_names(theirs: Theirs) -> list[str]:
    """Names on faces and pets, of MWG's and Microsoft's regions."""
    mwg = (theirs.first("RegionInfo") or {}).get("RegionList", [])
    microsoft = (theirs.first("RegionInfoMP") or {}).get("Regions", [])
    found = [region.get("Name", "") for region in mwg]
    found += [region.get("PersonDisplayName", "") for region in microsoft if region.get("Rectangle")]
    return sorted(str(name) for name in found)


def compare(child: Isolation, path: Path, theirs: Theirs) -> Iterator[tuple[str, str, Any, Any]]:
    """For each field that somebody fills: its name, a verdict, our answer and those of ExifTool."""
    ours = child.call(read_metadata, 60, path)
    for each in FIELDS:
        mine, answers = each.ours(ours), each.theirs(theirs)
        is_said = mine not in (None, "", ()) and not (each.name == "orientation" and mine == 1)
        if not is_said and answers in ([], [1], [1, 1]):
            continue
        if not is_said or not answers:
            yield each.name, "only ours" if is_said else "only theirs", mine, answers[:1]
        else:
            agrees = any(each.same(mine, answer) for answer in answers)
            yield each.name, "same" if agrees else "different", mine, answers
    kind = sniff(path.read_bytes()[:HEAD_BYTES])
    if kind is not None and kind.family != "video":
        packet, _ = child.call(read_xmp_packet, 60, path)
        mine = sorted(region.name for region in regions.parse(packet).regions)
        answers = face_names(theirs)
        if mine or answers:
            yield "faces", "same" if mine == answers else "different", mine, answers


def made_files(folder: Path) -> list[Path]:
    for number, sample in enumerate(sample for sample in samples() if sample.is_good):
        (folder / f"{number:02} {sample.name.replace('/', ' ')}").write_bytes(sample.make())
    return sorted(folder.iterdir())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="*", default=[DEFAULT])
    parser.add_argument("--made", action="store_true")
    options = parser.parse_args()
    if shutil.which("exiftool") is None:
        raise SystemExit("exiftool is not installed")
    child = Isolation(memory_bytes=2 << 30)
    with tempfile.TemporaryDirectory() as made:
        paths = [path for folder in options.folders for path in sorted(folder.rglob("*")) if path.is_file()]
        paths += made_files(Path(made)) if options.made else []
        report(child, paths)
    child.close()


def report(child: Isolation, paths: list[Path]) -> None:
    """Differences first, the table of counts last."""
    answers = ask_exiftool(paths)
    counts: dict[str, Counter[str]] = {each.name: Counter() for each in FIELDS} | {"faces": Counter()}
    read = 0
    for path in paths:
        try:
            found = list(compare(child, path, answers.get(str(path), Theirs())))
        except UndecodableImage:
            continue
        read += 1
        for name, verdict, ours, theirs in found:
            counts[name][verdict] += 1
            if verdict != "same":
                print(f"{path}\t{name}\t{verdict}\tours {ours!r}\tExifTool {theirs!r}")
    verdicts = ("same", "different", "only ours", "only theirs")
    rows = [[name, *(str(count[verdict]) for verdict in verdicts)] for name, count in counts.items()]
    print_table(f"{read} files", ["field", *verdicts], rows)


if __name__ == "__main__":
    main()
