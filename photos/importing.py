"""Import a folder: read in order, never changed, every file accounted for at the end."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from glob import escape as glob_escape
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from jobs import ledger
from photos.clutter import is_clutter
from photos.keeping import Ingested, Origin
from photos.metadata.pictures import Blocks, interpret
from photos.metadata.xmp import XmpProperties, read_xmp
from photos.models import Library, Photo, PhotoStep, Sidecar
from photos.services import Outcome, RejectedFile
from photos.storages.errors import StorageUnavailable
from photos.taking import SourceFile, reason_of, take_all, when_database_is_back

MAX_SIDECAR_BYTES = 4 * 1024 * 1024


class BadFolder(ValueError):
    """A folder that cannot be imported; the message says why and what to do."""


@dataclass
class ImportReport:
    """Every file ends in exactly one of these lists or counts."""

    imported: int = 0
    duplicates: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)

    @property
    def processed(self) -> int:
        """Files that are in the library now."""
        return self.imported + self.duplicates

    @property
    def seen(self) -> int:
        return self.processed + len(self.skipped) + len(self.failed)

    def summary(self) -> str:
        """One line for people."""
        return (
            f"{self.imported} imported, {self.duplicates} already there, "
            f"{len(self.skipped)} not pictures, {len(self.failed)} failed"
        )


def checked_folder(root: str | Path) -> Path:
    """The folder as an absolute path without symbolic links. Raises BadFolder when it cannot be read."""
    if not str(root).strip():
        raise BadFolder("Name the folder to import; the path is empty.")
    path = Path(root).expanduser()
    try:
        path = path.resolve(strict=True)
        os.scandir(path).close()
    except FileNotFoundError:
        raise BadFolder(f"{root} does not exist.") from None
    except NotADirectoryError:
        raise BadFolder(f"{root} is not a folder.") from None
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "unusable path"
        raise BadFolder(f"{root} cannot be read: {reason}.") from None
    return path


def inside_scan_roots(root: str) -> Path:
    """The folder, when it lies in one of CHITRA_SCAN_ROOTS (links resolved). Raises BadFolder otherwise."""
    if not settings.SCAN_ROOTS:
        raise BadFolder("Scanning is off. The administrator names the allowed folders in CHITRA_SCAN_ROOTS.")
    outside = BadFolder("This folder does not exist inside the allowed ones (CHITRA_SCAN_ROOTS).")
    try:
        resolved = Path(root).resolve()
    except (OSError, ValueError, RuntimeError):
        raise outside from None
    if not Path(root).is_absolute() or not any(
        resolved.is_relative_to(allowed.resolve()) for allowed in settings.SCAN_ROOTS
    ):
        raise outside
    return checked_folder(resolved)


def walk(root: Path, on_error: Callable[[OSError], None]) -> Iterator[Path]:
    """Regular files below `root` in a stable order, without hidden ones and links, so there are no loops."""
    for folder, subfolders, names in os.walk(root, onerror=on_error):
        subfolders[:] = sorted(name for name in subfolders if not is_clutter(name))
        for name in sorted(names):
            path = Path(folder, name)
            try:
                is_wanted = not is_clutter(name) and stat.S_ISREG(path.lstat().st_mode)
            except OSError as error:
                on_error(error)
                continue
            if is_wanted:
                yield path


def import_folder(
    *,
    library: Library,
    root: Path,
    user: Any = None,
    on_progress: Callable[[ImportReport], None] = lambda report: None,
) -> ImportReport:
    """Ingest every picture below `root`. One bad file never stops the rest; `on_progress` follows each group.

    Raises StorageUnavailable when the store refuses, because then every further file would fail alike.
    """
    report = ImportReport()

    def on_error(error: OSError) -> None:
        report.failed.append((shown(error.filename), f"It cannot be read: {error.strerror}."))

    def wanted() -> Iterator[Listed]:
        for file in listed(root, on_error):
            if picture_of(file.path):
                report.skipped.append((shown(file.path), "It was read with its photo."))
            else:
                yield file

    with closing(take_all(wanted(), lambda file: file.source(library, user))) as groups:
        for group in groups:
            for file, outcome in group:
                note(report, file, outcome)
            when_database_is_back(partial(on_progress, report))
    return report


def note(report: ImportReport, file: "Listed", outcome: Outcome | OSError) -> None:
    """How a file ended. Raises StorageUnavailable."""
    if isinstance(outcome, Ingested):
        note_sidecar(report, file, outcome.photo)
        report.duplicates += outcome.is_duplicate
        report.imported += not outcome.is_duplicate
    elif isinstance(outcome, StorageUnavailable):
        raise outcome
    else:
        is_other = isinstance(outcome, RejectedFile) and outcome.code == "unsupported_type"
        (report.skipped if is_other else report.failed).append((shown(file.path), reason_of(outcome)))


def note_sidecar(report: ImportReport, file: "Listed", photo: Photo) -> None:
    """The photo is here whatever becomes of its sidecar."""
    try:
        xmp = read_sidecar(file.path)
    except OSError as error:
        report.failed.append((shown(file.path), f"Its sidecar cannot be read: {error.strerror}."))
    else:
        when_database_is_back(partial(keep_sidecar, photo, xmp))


def shown(path: Any) -> str:
    """A path as text that can be stored and printed, whatever bytes the file system has for it."""
    return os.fsencode(path).decode(errors="replace")


@dataclass(frozen=True)
class Listed:
    """A file of the folder: bytes, and seconds since 1970 when it was changed."""

    path: Path
    size: int
    modified: float

    def source(self, library: Library, user: Any) -> SourceFile:
        origin = Origin(
            library=library,
            name=self.path.name,
            uploaded_by=user,
            modified_at=datetime.fromtimestamp(self.modified, UTC),
            source_path=shown(self.path),
        )
        return SourceFile(origin, self.size, partial(self.path.open, "rb"), self.path)


def listed(root: Path, on_error: Callable[[OSError], None]) -> Iterator[Listed]:
    """The files below `root` that can be looked at."""
    for path in walk(root, on_error):
        try:
            status = path.stat()
        except OSError as error:
            on_error(error)
            continue
        yield Listed(path, status.st_size, status.st_mtime)


def sidecar_paths(picture: Path) -> list[Path]:
    """Where programs write the XMP of a picture: `a.jpg.xmp` or `a.xmp`."""
    ends = (".xmp", ".XMP")
    return [*(picture.with_name(picture.name + end) for end in ends), *map(picture.with_suffix, ends)]


def picture_of(path: Path) -> Path | None:
    """The file that an XMP file lies beside; None for every other file and for one alone."""
    if path.suffix.lower() != ".xmp":
        return None
    if (named := path.with_suffix("")).is_file():
        return named
    beside = sorted(path.parent.glob(glob_escape(path.stem) + ".*"))
    return next((other for other in beside if other.suffix.lower() != ".xmp" and other.is_file()), None)


def read_sidecar(picture: Path) -> bytes:
    """The XMP file beside a picture, b"" for none."""
    for path in sidecar_paths(picture):
        if path.is_file() and path.stat().st_size <= MAX_SIDECAR_BYTES:
            return path.read_bytes()
    return b""


def keep_sidecar(photo: Photo, xmp: bytes) -> None:
    """Keep the XMP that lies beside a picture, and read the metadata with it, if it says something."""
    if not says_something(xmp):
        return
    with transaction.atomic():
        before = Sidecar.objects.filter(photo=photo).first()
        if before is None:
            Sidecar.objects.create(photo=photo, xmp=xmp)
        elif bytes(before.xmp) != xmp:
            take_back(photo, bytes(before.xmp))
            Sidecar.objects.filter(photo=photo).update(xmp=xmp)
        else:
            return
        ledger.reset(PhotoStep.objects.filter(photo=photo, step="metadata"))


def says_something(xmp: bytes) -> bool:
    """Whether there is a property in it that Chitra reads; faces are read elsewhere."""
    return bool(xmp) and read_xmp(xmp) != XmpProperties()


@transaction.atomic
def drop_sidecar(photo: Photo) -> None:
    """There is no XMP beside it any more, or it says nothing: the metadata is the file's own again."""
    sidecar = Sidecar.objects.filter(photo=photo).first()
    if sidecar is not None:
        take_back(photo, bytes(sidecar.xmp))
        sidecar.delete()
        ledger.reset(PhotoStep.objects.filter(photo=photo, step="metadata"))


def take_back(photo: Photo, xmp: bytes) -> None:
    """Empty what a sidecar said and nobody corrected: the metadata step leaves what the file does not say."""
    said = interpret(Blocks(sidecar=read_xmp(xmp)))
    current = Photo.objects.select_for_update().get(pk=photo.pk)
    for name, nothing in (("title", ""), ("description", ""), ("rating", None)):
        if getattr(current, name) == getattr(said, name) and not current.is_locked(name):
            setattr(current, name, nothing)
    if current.coordinates == (said.latitude, said.longitude) and not current.is_locked("place"):
        current.latitude = current.longitude = None
    current.save(update_fields=["title", "description", "rating", "latitude", "longitude"])
