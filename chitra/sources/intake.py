"""One file of a folder into its library: read, recognised by its bytes, and told what became of it."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from django.db import transaction

from chitra.sources.homes import free_key, rehome, set_missing, settle
from chitra.sources.listing import Entry
from chitra.sources.models import Folder, FolderFile
from chitra.sources.planning import Change
from jobs import ledger
from jobs.events import publish
from photos.filetypes import HEAD_BYTES, FileType
from photos.hashing import Digest, hash_file
from photos.keeping import Origin, StoredFile, keep_photo
from photos.models import Photo, PhotoStep
from photos.services import RejectedFile, accepted_type, ingest
from photos.storage_errors import StorageUnavailable

OutcomeKind = Literal["added", "duplicate", "changed", "moved", "back", "touched", "refused", "failed"]
UNSTABLE = "The file changed while it was read; the next scan takes it."


@dataclass(frozen=True)
class Outcome:
    """How a file ended. `reason` is for who reads the report; a file that is no picture needs none."""

    kind: OutcomeKind
    reason: str = ""


class Intake:
    """Takes the files of one folder, for the user who asked for the scan."""

    def __init__(self, folder: Folder, user: Any) -> None:
        self.folder = folder
        self.user = user

    def take(self, change: Change) -> Outcome:
        """Carry out one change. Raises StorageUnavailable when the store refuses."""
        entry = change.entry
        if change.kind == "back":
            return self._bring_back(change.known)
        try:
            contents = self._read(entry)
        except RejectedFile as error:
            return self._refuse(change, error)
        except StorageUnavailable:
            raise
        except OSError as error:
            return Outcome("failed", f"The file cannot be read: {error.strerror}.")
        if contents is None:
            return Outcome("failed", UNSTABLE)
        digest, kind = contents
        with transaction.atomic():
            if not change.known:
                return self._take_new(entry, digest, kind)
            row = FolderFile.objects.select_related("photo").get(pk=change.known)
            return self._take_changed(row, entry, digest, kind)

    def _read(self, entry: Entry) -> tuple[Digest, FileType] | None:
        """Type and checksums; None when the file changed meanwhile. Raises RejectedFile and OSError."""
        path = self.folder.locate(entry.path)
        with path.open("rb", buffering=0) as file:
            kind = accepted_type(file.read(HEAD_BYTES))
        digest = hash_file(path)
        status = path.stat()
        is_stable = (
            (status.st_size, status.st_mtime_ns)
            == (entry.size, entry.mtime_ns)
            == (
                digest.size,
                entry.mtime_ns,
            )
        )
        return (digest, kind) if is_stable else None

    def _bring_back(self, row_id: int) -> Outcome:
        with transaction.atomic():
            FolderFile.objects.filter(pk=row_id).update(missing_since=None)
            photo = Photo.objects.filter(folder_files__pk=row_id).first()
            if photo is not None:
                rehome(photo)
        return Outcome("back")

    def _refuse(self, change: Change, error: RejectedFile) -> Outcome:
        """Remember it, so that the next scan need not read it; what was a photo before is one no longer."""
        entry = change.entry
        with transaction.atomic():
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

    def _columns(self, entry: Entry, checksum: str) -> dict[str, Any]:
        return {
            "size": entry.size,
            "mtime_ns": entry.mtime_ns,
            "checksum": checksum,
            "missing_since": None,
            "problem": "",
        }

    def _take_new(self, entry: Entry, digest: Digest, kind: FileType) -> Outcome:
        missing = FolderFile.objects.filter(
            folder=self.folder, checksum=digest.sha256, missing_since__isnull=False
        )
        row = missing.select_related("photo").order_by("pk").first()
        if row is not None:
            return self._move(row, entry)
        row = FolderFile(folder=self.folder, path=entry.path)
        return self._fill(row, entry, digest, kind)

    def _move(self, row: FolderFile, entry: Entry) -> Outcome:
        """The bytes of a missing file are here: the photo stays with all that people said about it."""
        row.path, row.size, row.mtime_ns, row.missing_since = entry.path, entry.size, entry.mtime_ns, None
        row.save()
        if row.photo is not None:
            self._adopt(row, row.photo)
        return Outcome("moved")

    def _fill(self, row: FolderFile, entry: Entry, digest: Digest, kind: FileType) -> Outcome:
        """Connect the file with the photo of its bytes, which is made if there is none."""
        for name, value in self._columns(entry, digest.sha256).items():
            setattr(row, name, value)
        photo = Photo.objects.filter(library=self.folder.library_id, checksum=digest.sha256).first()
        is_known = photo is not None
        row.photo = photo or self._make_photo(entry, digest, kind)
        row.save()
        if is_known:
            self._adopt(row, row.photo)
        return Outcome("duplicate" if is_known else "added")

    def _adopt(self, row: FolderFile, photo: Photo) -> None:
        """A photo that lay in a folder may have lost its place there; then this one is its place."""
        if self.folder.is_in_place:
            has_place = FolderFile.objects.present().filter(photo=photo).exclude(pk=row.pk).exists()
            if photo.missing_since or (not has_place and photo.original_key.startswith("folders/")):
                settle(photo, self.folder.key_of(row.path), row)
        elif photo.missing_since is not None:
            rehome(photo)

    def _make_photo(self, entry: Entry, digest: Digest, kind: FileType) -> Photo:
        path = self.folder.locate(entry.path)
        origin = Origin(
            library=self.folder.library,
            name=path.name.encode(errors="surrogateescape").decode(errors="replace"),
            uploaded_by=self.user,
            modified_at=datetime.fromtimestamp(entry.mtime_ns / 1e9, UTC),
            source_path=f"{self.folder.path}/{entry.path}",
        )
        if self.folder.is_in_place:
            key = self.folder.key_of(entry.path)
            free_key(key)
            return keep_photo(StoredFile(origin, uuid.uuid4(), key, digest, kind)).photo
        return self._copy(path, origin)

    def _copy(self, path: Path, origin: Origin) -> Photo:
        with path.open("rb") as stream:
            return ingest(
                library=origin.library,
                stream=stream,
                name=origin.name,
                uploaded_by=origin.uploaded_by,
                modified_at=origin.modified_at,
                source_path=origin.source_path,
            ).photo

    def _take_changed(self, row: FolderFile, entry: Entry, digest: Digest, kind: FileType) -> Outcome:
        """New bytes at a known path: the same photo, edited, when it lives here and nowhere else."""
        if row.checksum == digest.sha256:
            was_missing = row.missing_since is not None
            row.size, row.mtime_ns, row.missing_since = entry.size, entry.mtime_ns, None
            row.save()
            if row.photo is not None:
                rehome(row.photo)
            return Outcome("back" if was_missing else "touched")
        before = row.photo
        is_new_bytes = not Photo.objects.filter(
            library=self.folder.library_id, checksum=digest.sha256
        ).exists()
        if before is not None and is_new_bytes and self._is_only_home(row, before):
            replace_bytes(before, digest, kind)
            for name, value in self._columns(entry, digest.sha256).items():
                setattr(row, name, value)
            row.save()
            set_missing(before, is_missing=False)
            return Outcome("changed")
        outcome = self._fill(row, entry, digest, kind)
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
