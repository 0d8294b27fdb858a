"""What an import is to do with each file: which sidecar speaks for it, which albums it is in. No Django."""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from chitra.sources import takeout
from chitra.sources.archives import SourceFile
from chitra.sources.details import Details
from chitra.sources.xmp_details import details_of

Service = Literal["takeout", "apple", "immich", "folders", "chitra"]
SERVICES: tuple[Service, ...] = ("takeout", "apple", "immich", "folders", "chitra")
NAMES = {
    "takeout": "Google Takeout",
    "apple": "an export of Apple Photos",
    "immich": "an export of Immich",
    "folders": "plain folders",
    "chitra": "an export of Chitra",
}
Read = Callable[[SourceFile], bytes]
PHOTO_LIST = "photos.jsonl"
EXPORT_FILES = {PHOTO_LIST, "albums.json", "people.json", "stacks.json"}
GOOGLE_FOLDER = re.compile(r"(^|/)Takeout/|(^|/)Google (Photos|Fotos|Foto|Zdjęcia|Фото|フォト)/")
APPLE_EDITED = re.compile(r"IMG_E([0-9]{4,})\b", re.IGNORECASE)
IMMICH = re.compile(r"(^|/)(library|upload)/[^/]+/")
TRASHED = "It was in the trash of the other service."
UNUSED = "A sidecar without its file."


@dataclass(frozen=True)
class Planned:
    """A file to be taken, with what is said about it, the albums it is in, and a remark for the report."""

    file: SourceFile
    details: Details | None = None
    albums: tuple[str, ...] = ()
    remark: str = ""


@dataclass
class ImportPlan:
    """`left_out` are files that are not to be taken, with the reason."""

    service: Service
    files: list[Planned] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)


def detect(files: list[SourceFile], read: Read) -> Service:
    """Where these files come from, as far as their names tell."""
    names = {file.path for file in files}
    if PHOTO_LIST in names and "albums.json" in names:
        return "chitra"
    if any(GOOGLE_FOLDER.search(name) for name in names) or has_takeout_sidecars(files, read):
        return "takeout"
    sidecars = [file for file in files if file.name.lower().endswith(".xmp")]
    if any(file.name.lower().startswith("photo details") for file in files):
        return "apple"
    if any(APPLE_EDITED.match(file.name) for file in files):
        return "apple"
    if any(IMMICH.search(file.path) and file.name.count(".") > 1 for file in sidecars):
        return "immich"
    return "folders"


def has_takeout_sidecars(files: list[SourceFile], read: Read) -> bool:
    """Whether one of the first JSON files is a sidecar."""
    found = [file for file in files if file.name.lower().endswith(".json")]
    return any(b"photoTakenTime" in read(file) for file in found[:5])


def make_plan(service: Service, files: list[SourceFile], read: Read, *, with_albums: bool) -> ImportPlan:
    """The plan of one service. `with_albums` makes an album of each folder."""
    if service == "takeout":
        return plan_takeout(files, read)
    plan = plan_folders(service, files, read, with_albums=with_albums)
    return plan_apple(plan, files, read) if service == "apple" else plan


def by_folder(files: list[SourceFile]) -> dict[str, list[SourceFile]]:
    folders: dict[str, list[SourceFile]] = defaultdict(list)
    for file in files:
        folders[file.folder].append(file)
    return folders


def plan_takeout(files: list[SourceFile], read: Read) -> ImportPlan:
    """Sidecars are looked for in the file's folder, over all parts of a split export."""
    plan = ImportPlan("takeout")
    for members in by_folder([in_takeout(file) for file in files]).values():
        sidecars = {file.name: file for file in members if file.name.lower().endswith(".json")}
        index = takeout.index(sidecars)
        album = next((title for name in sidecars if (title := takeout.album_title(read(sidecars[name])))), "")
        used: set[str] = set()
        for file in members:
            if file.name in sidecars or file.name.lower().endswith(".html"):
                continue
            name = takeout.sidecar_of(file.name, index)
            details = takeout.parse(read(sidecars[name])) if name else None
            if name:
                used.add(name)
            if details is not None and details.is_trashed:
                plan.left_out.append((file.shown, TRASHED))
                continue
            remark = "" if details else "It has no sidecar."
            plan.files.append(Planned(file, details, (album,) if album else (), remark))
        for name in sidecars.keys() - used:
            if takeout.parse(read(sidecars[name])) is not None:
                plan.left_out.append((sidecars[name].shown, UNUSED))
    return plan


def in_takeout(file: SourceFile) -> SourceFile:
    """The same path in each part, whether the parts were unpacked into one folder or several."""
    return replace(file, path=re.sub(r"^(?:[^/]+/)?Takeout/", "", file.path))


def plan_folders(service: Service, files: list[SourceFile], read: Read, *, with_albums: bool) -> ImportPlan:
    """`a.jpg` with `a.jpg.xmp` or `a.xmp` beside it."""
    plan = ImportPlan(service)
    for folder, members in by_folder(files).items():
        sidecars = {file.name.casefold(): file for file in members if file.name.lower().endswith(".xmp")}
        used: set[str] = set()
        albums = (folder.replace("/", " / "),) if with_albums and folder else ()
        for file in members:
            if file.name.casefold() in sidecars or file.path in EXPORT_FILES:
                continue
            stem = file.name.rpartition(".")[0]
            asked = (f"{file.name}.xmp".casefold(), f"{stem}.xmp".casefold())
            name = next((name for name in asked if name in sidecars), "")
            used.add(name)
            details = details_of(read(sidecars[name])) if name else None
            plan.files.append(Planned(file, details, albums))
        plan.left_out += [(sidecars[name].shown, UNUSED) for name in sidecars.keys() - used]
    return plan


def plan_apple(plan: ImportPlan, files: list[SourceFile], read: Read) -> ImportPlan:
    """Also the tables of Apple’s export: favourites, hidden and deleted photos, albums; and edited copies."""
    facts: dict[str, dict[str, str]] = {}
    albums: dict[str, list[str]] = defaultdict(list)
    tables = [file for file in files if file.name.lower().endswith(".csv")]
    for table in tables:
        rows = csv_rows(read(table))
        if table.name.lower().startswith("photo details"):
            facts |= {row.get("imgName", ""): row for row in rows}
        elif table.folder.rpartition("/")[2] in ("Albums", "Shared Albums"):
            for row in rows:
                albums[next(iter(row.values()), "")].append(table.name[: -len(".csv")])
    paths = {table.path for table in tables}
    planned = [with_apple_facts(entry, facts, albums) for entry in plan.files if entry.file.path not in paths]
    plan.files = [entry for entry in planned if entry.details is None or not entry.details.is_trashed]
    plan.left_out += [
        (entry.file.shown, TRASHED)
        for entry in planned
        if entry.details is not None and entry.details.is_trashed
    ]
    return plan


def with_apple_facts(
    planned: Planned, facts: dict[str, dict[str, str]], albums: dict[str, list[str]]
) -> Planned:
    name = planned.file.name
    row = facts.get(name, {})
    details = planned.details
    if row:
        details = replace(
            details or Details(),
            is_favorite=row.get("favorite", "").lower() == "yes",
            is_archived=row.get("hidden", "").lower() == "yes",
            is_trashed=row.get("deleted", "").lower() == "yes",
        )
    match = APPLE_EDITED.match(name)
    remark = f"An edited copy of IMG_{match[1]}." if match else planned.remark
    return replace(planned, details=details, albums=(*planned.albums, *albums.get(name, ())), remark=remark)


def csv_rows(data: bytes) -> list[dict[str, str]]:
    """The rows of a table; none of what is no table."""
    try:
        rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error):
        return []
    return [{key: value or "" for key, value in row.items() if isinstance(key, str)} for row in rows]
