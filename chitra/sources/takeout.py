"""Google Takeout: which JSON belongs to which file, and what it says. Names and bytes in; no Django.

Takeout cuts names: a sidecar's name without “.json” has at most 46 characters, so `.supplemental-metadata`
may be cut anywhere, and the file's own name too. Numbers of equal names stand at other places:
`IMG_1(1).jpg` has `IMG_1.jpg(1).json`. Edited copies and clips of live photos share the sidecar of the photo.
"""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from chitra.sources.details import Details, clean_texts
from photos.stacks.shot_names import EDITED

LONGEST = 46
SUFFIX = ".supplemental-metadata"
NUMBERED = re.compile(r"(.+)\(([0-9]{1,4})\)")
ANY_SUFFIX = re.compile(r"(.+)-[^\W\d_][^\W\d_ ]*(?: [^\W\d_]+)*")
"""“-edited” in languages that are not listed, cut anywhere, and names of effects."""
STILLS = (".heic", ".jpg", ".jpeg", ".heif", ".png", ".dng")
CLIPS = (".mp4", ".mov", ".mp", ".m4v")
YEAR_FOLDER = re.compile(
    r"(?:Photos|Fotos|Foto|Foto's|Zdjęcia|Foton|Bilder|Billeder|Kuvat|Fotky|Fotók|Fotografii|Фото|Фотографии|"
    r"Снимки|Світлини)\b.{0,12} (?:1[89]|20)[0-9]{2}(?: год| року| г\.)?|"
    r"(?:1[89]|20)[0-9]{2} ?(?:年の写真|年的照片|年的相片|년의? ?사진)",
    re.IGNORECASE,
)


def index(names: Iterable[str]) -> dict[tuple[str, int], str]:
    """The JSON files of one folder by what their names say: name (in lower case) and number."""
    found: dict[tuple[str, int], str] = {}
    for name in sorted(names):
        body = name[: -len(".json")].casefold()
        found.setdefault((body, 0), name)
        if match := NUMBERED.fullmatch(body):
            found.setdefault((match[1], int(match[2])), name)
    return found


def sidecar_of(name: str, sidecars: dict[tuple[str, int], str]) -> str | None:
    """The sidecar of a file among those that `index` made of the JSON files beside it."""
    for body, number in asked_names(name.casefold()):
        if found := sidecars.get((body, number)):
            return found
    return None


def asked_names(name: str) -> Iterator[tuple[str, int]]:
    """What the sidecar may be called, the most exact name first."""
    for full, number in owners(name):
        whole = full + SUFFIX
        for length in range(len(whole), len(full) - 1, -1):
            yield whole[:length], number
        for longest in (LONGEST, LONGEST + 1, LONGEST - 3, LONGEST - 4):
            if len(full) > longest:
                yield full[:longest], number
    stem, dot, _ = name.rpartition(".")
    if dot:
        yield stem, 0  # the title had no extension


def owners(name: str) -> Iterator[tuple[str, int]]:
    """Files whose sidecar may speak for this one, as name and number: itself, its original, its still."""
    yield name, 0
    stem, dot, extension = name.rpartition(".")
    if not dot:
        stem, extension = name, ""
    number = 0
    if match := NUMBERED.fullmatch(stem):
        stem, number = match[1], int(match[2])
        yield stem + dot + extension, number
    for suffix in EDITED:
        if stem.endswith(suffix):
            original = stem.removesuffix(suffix)
            yield original + dot + extension, number
            for still in STILLS:
                yield original + still, number
            if number == 0 and (match := NUMBERED.fullmatch(original)):
                yield match[1] + dot + extension, int(match[2])
    if dot + extension in CLIPS:
        for still in STILLS:
            yield stem + still, number
            yield name + still, 0  # PXL_1.MP.jpg has its film as PXL_1.MP beside it
    if match := ANY_SUFFIX.fullmatch(stem):
        yield match[1] + dot + extension, number


def parse(data: bytes) -> Details | None:
    """What a sidecar says; None for JSON that is none (albums, comments, other products)."""
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict) or "photoTakenTime" not in values:
        return None
    latitude, longitude = place_of(values)
    people = values.get("people")
    return Details(
        name=str(values.get("title") or ""),
        description=str(values.get("description") or ""),
        taken_at=moment_of(values.get("photoTakenTime")),
        latitude=latitude,
        longitude=longitude,
        people=clean_texts(person.get("name") for person in people if isinstance(person, dict))
        if isinstance(people, list)
        else (),
        is_favorite=values.get("favorited") is True,
        is_archived=values.get("archived") is True,
        is_trashed=values.get("trashed") is True,
    )


def moment_of(value: Any) -> datetime | None:
    """An instant of `{"timestamp": "1577836800"}`; 0 and what cannot be one are none."""
    try:
        seconds = int(value["timestamp"])
        return datetime.fromtimestamp(seconds, UTC) if seconds else None
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None


def place_of(values: dict[str, Any]) -> tuple[float | None, float | None]:
    """Degrees; zeros stand for no place."""
    for name in ("geoData", "geoDataExif"):
        place = values.get(name)
        if not isinstance(place, dict):
            continue
        latitude, longitude = place.get("latitude"), place.get("longitude")
        if not isinstance(latitude, int | float) or not isinstance(longitude, int | float):
            continue
        if (latitude or longitude) and abs(latitude) <= 90 and abs(longitude) <= 180:
            return float(latitude), float(longitude)
    return None, None


def album_title(data: bytes) -> str:
    """The title in an album's metadata; "" when the JSON is another one or the album is only a year."""
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(values, dict) or "photoTakenTime" in values or not isinstance(values.get("title"), str):
        return ""
    title: str = values["title"].strip()
    return "" if YEAR_FOLDER.fullmatch(title) else title
