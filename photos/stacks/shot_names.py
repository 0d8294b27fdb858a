"""What names of files tell about how photos belong together: edited copies, bursts, files of one shot.

Pure: text in, text out.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import PurePath

EDITED = (
    "-edited",
    "-bearbeitet",
    "-editado",
    "-ha editado",
    "-editat",
    "-modifié",
    "-modificato",
    "-bewerkt",
    "-edytowane",
    "-redigerad",
    "-redigert",
    "-redigeret",
    "-muokattu",
    "-upravené",
    "-отредактировано",
    "-編集済み",
    "-已修改",
    "-编辑",
)
"""How Google calls edited copies, in the languages it speaks."""
_EDITED_ENDS = re.compile(
    "(.+?)(?:(?:" + "|".join(map(re.escape, EDITED)) + r")(\(\d{1,4}\))?|_edited|-edit(?:-\d{1,2})?|~\d{1,2})"
)
"""`IMG_1-edited(1).jpg` is the edited copy of `IMG_1(1).jpg`."""
_TAKEOUT_PART = re.compile(r"[^/]+/Takeout/")
_APPLE_EDITED = re.compile(r"img_e(\d{4,})")
_PIXEL_PART = re.compile(r"(.+)\.(?:raw|portrait)-\d\d\.(cover|original)")
"""`PXL_….RAW-01.COVER.jpg` is what the phone made of `PXL_….RAW-02.ORIGINAL.dng`."""
_BURST_STAMP = re.compile(r"_burst(\d{8,20})(_cover)?$")
"""Google and Sony: `00000IMG_00000_BURST20190821145343231_COVER.jpg`."""
_BURST_NUMBER = re.compile(r"(.*\d{6}.*)_burst\d{1,4}(_cover)?$")
"""Samsung and Huawei: `20200203_151515_Burst01.jpg`, `IMG_20170820_105216_BURST001_COVER.jpg`."""
_MOST_CHARACTERS = 64


@dataclass(frozen=True)
class ShotName:
    """`base` is the same for all files of one shot, whatever their types."""

    base: str
    is_edited: bool = False


@dataclass(frozen=True)
class BurstName:
    """`key` is the same for all photos of a burst, "" for none; the phone chose the one that is a cover."""

    key: str = ""
    is_cover: bool = False


def read_shot_name(name: str) -> ShotName:
    """Of the name of a file, in any case of its letters."""
    stem = PurePath(name).stem.casefold()
    if match := _APPLE_EDITED.fullmatch(stem):
        return ShotName(f"img_{match[1]}", is_edited=True)
    if match := _PIXEL_PART.fullmatch(stem):
        return ShotName(match[1], is_edited=match[2] == "cover")
    if match := _EDITED_ENDS.fullmatch(stem):
        return ShotName(match[1] + (match[2] or ""), is_edited=True)
    return ShotName(stem)


def read_burst_name(name: str) -> BurstName:
    """Of the name of a file; edited copies and raw files have that of their shot."""
    base = read_shot_name(name).base
    if match := _BURST_STAMP.search(base):
        return BurstName(f"burst{match[1]}", is_cover=bool(match[2]))
    if match := _BURST_NUMBER.fullmatch(base):
        return BurstName(match[1][:_MOST_CHARACTERS], is_cover=bool(match[2]))
    return BurstName()


def folder_of(source_path: str) -> str:
    """The folder of a file by its path, the same one in all parts of Google's export; "" when not known."""
    return str(PurePath(_TAKEOUT_PART.sub("Takeout/", source_path)).parent) if source_path else ""


def shot_key(name: str, source_path: str) -> int | None:
    """64 bits, signed, that are equal for the files of one shot in one folder; None where it is not known."""
    if not source_path:
        return None
    text = f"{folder_of(source_path)}\0{read_shot_name(name).base}"
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
