"""What an import is to do with each file: which sidecar speaks for it, which albums it is in. No Django."""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from chitra.sources import apple, picasa, takeout
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
IMMICH = re.compile(r"(^|/)(library|upload)/[^/]+/")
# Each has a folder named by the id of a user; an album may well be called “profile”.
IMMICH_MADE = re.compile(r"(^|/)(thumbs|encoded-video|profile)/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/")
MADE_BY_IMMICH = "A small picture or converted film that Immich made."
TRASHED = "It was in the trash of the other service."
UNUSED = "A sidecar without its file."
DAMAGED = "Its sidecar is damaged."


@dataclass(frozen=True)
class Planned:
    """A file to be taken, with what is said about it, the albums it is in, and a remark for the report."""

    file: SourceFile
    details: Details | None = None
    albums: tuple[str, ...] = ()
    remark: str = ""


@dataclass
class ImportPlan:
    """`left_out` are files that are not to be taken, with the reason; `lists` are those of our own export."""

    service: Service
    files: list[Planned] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    lists: dict[str, SourceFile] = field(default_factory=dict)


def detect(files: list[SourceFile], read: Read) -> Service:
    """Where these files come from, as far as their names tell."""
    names = {file.path for file in files}
    if export_folder(names) is not None:
        return "chitra"
    if any(GOOGLE_FOLDER.search(name) for name in names) or has_takeout_sidecars(files, read):
        return "takeout"
    sidecars = [file for file in files if file.name.lower().endswith(".xmp")]
    if any(apple.is_details_table(file.name) or file.name.lower().endswith(".aae") for file in files):
        return "apple"
    if any(apple.EDITED.match(file.name) for file in files):
        return "apple"
    if any(IMMICH.search(file.path) and file.name.count(".") > 1 for file in sidecars):
        return "immich"
    if any(IMMICH.search(name) for name in names) and any(IMMICH_MADE.search(name) for name in names):
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
    if service == "chitra":
        return plan_export(files, read, with_albums=with_albums)
    plan = plan_folders(service, files, read, with_albums=with_albums)
    if service == "apple":
        return plan_apple(plan, files, read)
    return plan_immich(plan) if service == "immich" else plan


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
            if file.name in sidecars or file.name.lower().endswith(".html") or picasa.is_ini(file.name):
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
    """`a.jpg` with `a.jpg.xmp` or `a.xmp` beside it, and what Picasa knows about it."""
    plan = ImportPlan(service)
    contacts = contacts_of(files, read)
    for folder, members in by_folder(files).items():
        sidecars = {file.name.casefold(): file for file in members if file.name.lower().endswith(".xmp")}
        used: set[str] = set()
        lists = [file for file in members if picasa.is_ini(file.name)]
        entries = picasa.parse(read(lists[0]), contacts) if lists else {}
        albums = (folder.replace("/", " / "),) if with_albums and folder else ()
        for file in members:
            if file.name.casefold() in sidecars or file in lists:
                continue
            stem = file.name.rpartition(".")[0]
            asked = (f"{file.name}.xmp".casefold(), f"{stem}.xmp".casefold())
            name = next((name for name in asked if name in sidecars), "")
            used.add(name)
            details = details_of(read(sidecars[name])) if name else None
            planned = Planned(file, details, albums, DAMAGED if name and details is None else "")
            plan.files.append(with_entry(planned, entries.get(file.name.casefold())))
        plan.left_out += [(sidecars[name].shown, UNUSED) for name in sidecars.keys() - used]
    return plan


def plan_export(files: list[SourceFile], read: Read, *, with_albums: bool) -> ImportPlan:
    """What `export` wrote, in whatever folder it lies by now."""
    inside = export_folder({file.path for file in files}) or ""
    files = [replace(file, path=file.path.removeprefix(inside)) for file in files]
    lists = {file.path: file for file in files if file.path in EXPORT_FILES}
    others = [file for file in files if file.path not in lists]
    plan = plan_folders("chitra", others, read, with_albums=with_albums)
    return replace(plan, lists=lists)


def export_folder(names: set[str]) -> str | None:
    """The folder of an export of Chitra, with its “/”: the top, or one that was packed as a whole."""
    tops = [name.removesuffix(PHOTO_LIST) for name in names if re.fullmatch(rf"([^/]+/)?{PHOTO_LIST}", name)]
    return next((top for top in sorted(tops) if f"{top}albums.json" in names), None)


def contacts_of(files: list[SourceFile], read: Read) -> dict[str, str]:
    """Names that Picasa keeps in one place for all folders, when that was put beside them."""
    found = [picasa.read_contacts(read(file)) for file in files if file.name.casefold() == picasa.CONTACTS]
    return {key: name for contacts in found for key, name in contacts.items()}


def with_entry(planned: Planned, entry: picasa.Entry | None) -> Planned:
    """With what Picasa says, where nobody else does."""
    if entry is None:
        return planned
    details = planned.details.or_else(entry.details) if planned.details else entry.details
    return replace(
        planned,
        details=details,
        albums=(*planned.albums, *entry.albums),
        remark=planned.remark or entry.remark,
    )


def plan_apple(plan: ImportPlan, files: list[SourceFile], read: Read) -> ImportPlan:
    """Also the tables of Apple’s export, edited copies, and files that only describe edits."""
    tables = [file for file in files if file.name.lower().endswith(".csv")]
    found = apple.read_tables(tables, read)
    planned, plan.files = plan.files, []
    for entry in planned:
        file = entry.file
        if file in tables:
            continue
        details = found.details_of(file, entry.details)
        if file.name.lower().endswith(".aae"):
            plan.left_out.append((file.shown, apple.ADJUSTMENTS))
        elif details is not None and details.is_trashed:
            plan.left_out.append((file.shown, TRASHED))
        else:
            match = apple.EDITED.match(file.name)
            remark = f"An edited copy of IMG_{match[1]}." if match else entry.remark
            albums = (*entry.albums, *found.albums.get(file.name, ()))
            plan.files.append(replace(entry, details=details, albums=albums, remark=remark))
    return plan


def plan_immich(plan: ImportPlan) -> ImportPlan:
    """Without what Immich made of the files itself, when all of its folder is given."""
    planned, plan.files = plan.files, []
    for entry in planned:
        if IMMICH_MADE.search(entry.file.path):
            plan.left_out.append((entry.file.shown, MADE_BY_IMMICH))
        else:
            plan.files.append(entry)
    return plan
