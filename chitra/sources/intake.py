"""Files of a folder into its library: read, recognised by their bytes, and told what became of them."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from django.db import transaction
from django.db.models import Q

from chitra.sources import picasa
from chitra.sources.applying import Albums, apply_details
from chitra.sources.details import Details
from chitra.sources.homes import free_key, rehome, set_missing, settle
from chitra.sources.listing import Entry
from chitra.sources.models import Folder, FolderFile
from chitra.sources.planning import Change
from chitra.sources.sidecars import PicasaLists, has_sidecar, take_sidecar
from jobs import ledger
from jobs.events import publish
from photos.formats.filetypes import HEAD_BYTES, FileType
from photos.hashing import Digest, hash_file
from photos.keeping import Origin, StoredFile, drop_original, keep_photo
from photos.models import Photo, PhotoStep
from photos.services import IncomingFile, RejectedFile, accepted_type, at_once, receive
from photos.storages.errors import StorageUnavailable

OutcomeKind = Literal["added", "duplicate", "changed", "moved", "back", "touched", "refused", "failed"]
XMP = ".xmp"
UNSTABLE = "The file changed while it was read; the next scan takes it."


@dataclass(frozen=True)
class Outcome:
    """How a file ended. `reason` is for who reads the report; a file that is no picture needs none."""

    kind: OutcomeKind
    reason: str = ""


@dataclass(frozen=True)
class Contents:
    """What a file was when it was read; `copy` is its object in the making, where the folder is copied."""

    digest: Digest
    kind: FileType
    copy: IncomingFile | None = None


class Intake:
    """Takes the files of one folder, for the user who asked for the scan."""

    def __init__(self, folder: Folder, user: Any) -> None:
        self.folder = folder
        self.library = folder.library
        self.user = user
        self._stored: dict[str, StoredFile] = {}
        self._lists = PicasaLists()

    def take(self, changes: Sequence[Change]) -> list[Outcome]:
        """Carry out some changes in one transaction. Raises StorageUnavailable when the store refuses.

        Files are read, and copied where that is wanted, side by side before it.
        """
        found = self._look_at_all(changes)
        try:
            self._store_new([contents for contents in found if isinstance(contents, Contents)])
            with transaction.atomic():
                return [self._carry_out(*pair) for pair in zip(changes, found, strict=True)]
        finally:
            for stored in self._stored.values():
                drop_original(stored.key)
            self._stored.clear()

    def _look_at_all(self, changes: Sequence[Change]) -> list[Contents | Outcome | RejectedFile]:
        """Side by side. When the store refuses one, nothing stays of the copies of the others."""
        looked = at_once(self._look, changes)
        for refused in looked:
            if isinstance(refused, StorageUnavailable):
                for contents in looked:
                    if isinstance(contents, Contents) and contents.copy is not None:
                        contents.copy.abort()
                raise refused
        return [found for found in looked if not isinstance(found, StorageUnavailable)]

    def _carry_out(self, change: Change, found: Contents | Outcome | RejectedFile) -> Outcome:
        if change.kind == "back":
            return self._bring_back(change.known)
        if isinstance(found, RejectedFile):
            return self._refuse(change, found)
        if isinstance(found, Outcome):
            return found
        if not change.known:
            return self._take_new(change.entry, found)
        row = FolderFile.objects.select_related("photo").get(pk=change.known)
        return self._take_changed(row, change.entry, found)

    def _look(self, change: Change) -> Contents | Outcome | RejectedFile | StorageUnavailable:
        """Read a file whole. On any thread."""
        if change.kind == "back":
            return Outcome("back")
        entry = change.entry
        path = self.folder.locate(entry.path)
        try:
            contents = self._read(path, entry)
            status = path.stat()
        except RejectedFile as error:
            return Outcome("failed", str(error)) if error.code == "unreadable_file" else error
        except StorageUnavailable as error:
            return error
        except OSError as error:
            return Outcome("failed", f"The file cannot be read: {error.strerror}.")
        was = (entry.size, entry.mtime_ns)
        if was == (status.st_size, status.st_mtime_ns) == (contents.digest.size, entry.mtime_ns):
            return contents
        if contents.copy is not None:
            contents.copy.abort()
        return Outcome("failed", UNSTABLE)

    def _read(self, path: Path, entry: Entry) -> Contents:
        """Raises RejectedFile, StorageUnavailable and OSError."""
        with path.open("rb", buffering=0) as file:
            if not self.folder.is_in_place:
                copy = receive(self._origin(entry), file)
                return Contents(copy.digest, copy.kind, copy)
            kind = accepted_type(file.read(HEAD_BYTES))
        return Contents(hash_file(path), kind)

    def _store_new(self, found: Sequence[Contents]) -> None:
        """Make the copies durable whose bytes the library does not have. Raises StorageUnavailable."""
        copies = [contents.copy for contents in found if contents.copy is not None]
        checksums = [copy.checksum for copy in copies]
        same = Photo.objects.filter(library=self.library, checksum__in=checksums)
        known = set(same.values_list("checksum", flat=True)) if copies else set()
        fresh: dict[str, IncomingFile] = {}
        for copy in copies:
            if copy.checksum in known or fresh.setdefault(copy.checksum, copy) is not copy:
                copy.abort()
        outcomes = at_once(IncomingFile.commit, list(fresh.values()))
        stored = [outcome for outcome in outcomes if isinstance(outcome, StoredFile)]
        self._stored = {file.digest.sha256: file for file in stored}
        for outcome in outcomes:
            if isinstance(outcome, StorageUnavailable):
                raise outcome

    def _bring_back(self, row_id: int) -> Outcome:
        FolderFile.objects.filter(pk=row_id).update(missing_since=None)
        self.look_at_sidecars([row_id])
        photo = Photo.objects.filter(folder_files__pk=row_id).first()
        if photo is not None:
            rehome(photo)
        return Outcome("back")

    def _refuse(self, change: Change, error: RejectedFile) -> Outcome:
        """Remember it, so that the next scan need not read it; what was a photo before is one no longer."""
        entry = change.entry
        if entry.path.lower().endswith(XMP):
            self._take_sidecar(entry.path)
        elif picasa.is_ini(entry.path.rpartition("/")[2]):
            self._take_picasa(entry)
        before = Photo.objects.filter(folder_files__pk=change.known).first()
        FolderFile.objects.update_or_create(
            folder=self.folder,
            path=entry.path,
            defaults=self._columns(entry, "") | {"photo": None, "problem": str(error)},
        )
        if before is not None:
            rehome(before)
        if error.code == "unsupported_type" and before is None:
            return Outcome("refused")
        return Outcome("failed", str(error))

    def look_at_sidecars(self, row_ids: Sequence[int]) -> None:
        """XMP files among these are gone, or back: the pictures beside them have what lies there now."""
        rows = FolderFile.objects.filter(pk__in=row_ids, path__iendswith=XMP)
        for path in rows.values_list("path", flat=True):
            self._take_sidecar(path)

    def _take_sidecar(self, path: str) -> None:
        """An XMP file is new or another: it speaks for the pictures beside it, `a.jpg` or all `a.*`."""
        stem = path[: -len(XMP)]
        beside = FolderFile.objects.present().filter(folder=self.folder, photo__isnull=False)
        for row in beside.filter(Q(path=stem) | Q(path__startswith=f"{stem}.")).select_related("photo"):
            assert row.photo is not None
            take_sidecar(row.photo, self._described(row), had_one=True)

    def _described(self, row: FolderFile) -> Path:
        """Where the file of a row lies; if it has no sidecar, another one of the same photo that has."""
        here = self.folder.locate(row.path)
        others = FolderFile.objects.present().filter(photo=row.photo).exclude(pk=row.pk)
        places = (other.folder.locate(other.path) for other in others.select_related("folder"))
        return next((place for place in (here, *places) if has_sidecar(place)), here)

    def _take_picasa(self, entry: Entry) -> None:
        """Picasa's list is new or was changed: it speaks for the pictures of its folder."""
        within = entry.path.rpartition("/")[0]
        inside = f"{within}/" if within else ""
        beside = FolderFile.objects.present().filter(folder=self.folder, photo__isnull=False)
        beside = beside.filter(path__startswith=inside, path__regex=f"^{re.escape(inside)}[^/]+$")
        for row in beside.select_related("photo"):
            self._describe(row)

    def _describe(self, row: FolderFile) -> None:
        """Write what Picasa says about the photo of a file and no list said of it before."""
        assert row.photo is not None
        entry = self._lists.entry_of(self.folder.locate(row.path))
        if entry is None and not row.picasa:
            return
        entry = entry or picasa.Entry(Details())
        said = FolderFile.objects.filter(photo=row.photo).values_list("picasa", flat=True)
        news = entry.beyond({fact for facts in said for fact in facts})
        apply_details(row.photo, news.details)
        for title in news.albums:
            Albums(self.library).put(title, row.photo)
        FolderFile.objects.filter(pk=row.pk).update(picasa=sorted(entry.facts()))

    def _columns(self, entry: Entry, checksum: str) -> dict[str, Any]:
        return {
            "size": entry.size,
            "mtime_ns": entry.mtime_ns,
            "checksum": checksum,
            "missing_since": None,
            "problem": "",
        }

    def _take_new(self, entry: Entry, found: Contents) -> Outcome:
        missing = FolderFile.objects.filter(
            folder=self.folder, checksum=found.digest.sha256, missing_since__isnull=False
        )
        row = missing.select_related("photo").order_by("pk").first()
        if row is not None:
            return self._move(row, entry)
        row = FolderFile(folder=self.folder, path=entry.path)
        return self._fill(row, entry, found)

    def _move(self, row: FolderFile, entry: Entry) -> Outcome:
        """The bytes of a missing file are here: the photo stays with all that people said about it."""
        row.path, row.size, row.mtime_ns, row.missing_since = entry.path, entry.size, entry.mtime_ns, None
        row.save()
        if row.photo is not None:
            self._adopt(row, row.photo)
        return Outcome("moved")

    def _fill(self, row: FolderFile, entry: Entry, found: Contents) -> Outcome:
        """Connect the file with the photo of its bytes, which is made if there is none."""
        checksum = found.digest.sha256
        for name, value in self._columns(entry, checksum).items():
            setattr(row, name, value)
        photo = Photo.objects.filter(library=self.library, checksum=checksum).first()
        is_known = photo is not None
        row.photo, row.picasa = photo or self._make_photo(entry, found), []
        row.save()
        if is_known:
            self._adopt(row, row.photo)
        else:
            take_sidecar(row.photo, self.folder.locate(entry.path))
            self._describe(row)
        return Outcome("duplicate" if is_known else "added")

    def _adopt(self, row: FolderFile, photo: Photo) -> None:
        """A photo that lay in a folder may have lost its place there; then this one is its place."""
        if self.folder.is_in_place:
            has_place = FolderFile.objects.present().filter(photo=photo).exclude(pk=row.pk).exists()
            if photo.missing_since or (not has_place and photo.original_key.startswith("folders/")):
                settle(photo, self.folder.key_of(row.path), row)
        elif photo.missing_since is not None:
            rehome(photo)

    def _make_photo(self, entry: Entry, found: Contents) -> Photo:
        if self.folder.is_in_place:
            key = self.folder.key_of(entry.path)
            free_key(key)
            return keep_photo(
                StoredFile(self._origin(entry), uuid.uuid4(), key, found.digest, found.kind)
            ).photo
        stored = self._stored.pop(found.digest.sha256, None)
        if stored is not None:
            return keep_photo(stored).photo
        # The photo that had the bytes was deleted since they were read.
        with self.folder.locate(entry.path).open("rb") as stream:
            return receive(self._origin(entry), stream).finish().photo

    def _origin(self, entry: Entry) -> Origin:
        path = self.folder.locate(entry.path)
        return Origin(
            library=self.library,
            name=path.name.encode(errors="surrogateescape").decode(errors="replace"),
            uploaded_by=self.user,
            modified_at=datetime.fromtimestamp(entry.mtime_ns / 1e9, UTC),
            source_path=f"{self.folder.path}/{entry.path}",
        )

    def _take_changed(self, row: FolderFile, entry: Entry, found: Contents) -> Outcome:
        """New bytes at a known path: the same photo, edited, when it lives here and nowhere else."""
        digest = found.digest
        if row.checksum == digest.sha256:
            was_missing = row.missing_since is not None
            row.size, row.mtime_ns, row.missing_since = entry.size, entry.mtime_ns, None
            row.save()
            if row.photo is not None:
                rehome(row.photo)
            return Outcome("back" if was_missing else "touched")
        before = row.photo
        is_new_bytes = not Photo.objects.filter(library=self.library, checksum=digest.sha256).exists()
        if before is not None and is_new_bytes and self._is_only_home(row, before):
            replace_bytes(before, digest, found.kind)
            for name, value in self._columns(entry, digest.sha256).items():
                setattr(row, name, value)
            row.save()
            set_missing(before, is_missing=False)
            return Outcome("changed")
        outcome = self._fill(row, entry, found)
        if before is not None and before != row.photo:
            before.refresh_from_db()
            rehome(before)
        return Outcome("changed") if outcome.kind == "added" else outcome

    def _is_only_home(self, row: FolderFile, photo: Photo) -> bool:
        others = FolderFile.objects.present().filter(photo=photo).exclude(pk=row.pk)
        return (
            self.folder.is_in_place
            and photo.original_key == self.folder.key_of(row.path)
            and not others.exists()
        )


def replace_bytes(photo: Photo, digest: Digest, kind: FileType) -> None:
    """The original was edited in its folder: what was read from it is read again, the rest stays."""
    photo.checksum, photo.sha1, photo.size, photo.mime_type = (
        digest.sha256,
        digest.sha1,
        digest.size,
        kind.mime,
    )
    photo.save(update_fields=["checksum", "sha1", "size", "mime_type"])
    ledger.reset(PhotoStep.objects.filter(photo=photo))
    publish(photo.library_id, "photo", id=photo.pk)
