"""Photos that arrived in the new storage become rows: a batch is one transaction, or none of it happened."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.core.files.storage import Storage
from django.db import IntegrityError, transaction
from django.utils import timezone

from chitra.legacy import cases, plan
from chitra.legacy.cases import Ending
from chitra.legacy.children import Arrival, Children, ChildWriter, fail_children
from chitra.legacy.models import Kind, LegacySystem, Outcome
from chitra.legacy.outcomes import outcome, save_outcomes
from chitra.legacy.rows import PhotoRow, text
from chitra.legacy.transfer import Stored
from jobs import ledger
from jobs.events import publish_each
from photos.keeping import clean_name
from photos.models import LegacyFile, Photo

RACES = 3


@dataclass(frozen=True)
class Item:
    """One photo row, or a file without a row (`row.id` is 0 then), where it went and how that ended."""

    row: PhotoRow
    target_key: str
    result: Stored | Ending
    children: Children
    modified_at: datetime | None = None

    @property
    def kind(self) -> Kind:
        return Kind.PHOTOS if self.row.id else Kind.FILES

    @property
    def is_left_there(self) -> bool:
        """Whether the old storage alone has the bytes."""
        return isinstance(self.result, Stored) and not self.result.is_here

    @property
    def source_key(self) -> str:
        return str(self.row.id) if self.row.id else text(self.row.file_path)


class PhotoWriter:
    """Writes batches of items of one system."""

    def __init__(
        self, system: LegacySystem, children: ChildWriter, storage: Storage | None, *, owner: Any = None
    ) -> None:
        self.system = system
        self.children = children
        self.storage = storage
        self.owner = owner

    def write(self, items: Sequence[Item]) -> None:
        """Write a batch. An upload of the same bytes at the same moment makes it decide anew."""
        for attempt in range(1, RACES + 1):
            try:
                with transaction.atomic():
                    self.write_batch(items)
                return
            except IntegrityError:
                if attempt == RACES:
                    raise

    def write_batch(self, items: Sequence[Item]) -> None:
        stored = [(item, item.result) for item in items if isinstance(item.result, Stored)]
        known = self.known_photos([result.digest.sha256 for _, result in stored])
        taken = set(
            Photo.objects.filter(pk__in=[item.row.id for item, _ in stored]).values_list("pk", flat=True)
        )
        new: list[tuple[Item, Photo]] = []
        repeated: list[tuple[Item, Photo]] = []
        for item, result in stored:
            photo = known.get(result.digest.sha256)
            if photo is None:
                photo = known[result.digest.sha256] = self.make_photo(item, result, taken)
                new.append((item, photo))
            else:
                repeated.append((item, photo))
        Photo.objects.bulk_create([photo for _, photo in new])
        LegacyFile.objects.bulk_create(
            LegacyFile(photo=photo, path=item.row.file_path) for item, photo in new if item.is_left_there
        )
        self.give_up_objects(repeated)
        self.save_endings(items, new, repeated)
        arrivals = [
            Arrival(photo.pk, item.children, item.result.shape)
            for item, photo in [*new, *repeated]
            if item.children and isinstance(item.result, Stored)
        ]
        self.children.write(arrivals)
        ledger.plan([photo.pk for _, photo in new])
        publish_each(self.system.library_id, "photo", [photo.pk for _, photo in new])

    def known_photos(self, checksums: Sequence[str]) -> dict[str, Photo]:
        """The library's photos with these bytes, brought back from the trash if they lay there."""
        photos = Photo.objects.filter(library=self.system.library, checksum__in=checksums)
        photos.filter(deleted_at__isnull=False).update(deleted_at=None)
        return {photo.checksum: photo for photo in photos}

    def make_photo(self, item: Item, result: Stored, taken: set[int]) -> Photo:
        row = item.row
        taken_at, source = taken_at_of(row, item.modified_at)
        latitude, longitude = plan.place(row)
        keep_id = row.id > 0 and row.id not in taken
        return Photo(
            pk=row.id if keep_id else None,
            library_id=self.system.library_id,
            uploaded_by=self.owner,
            uuid=self.system.photo_uuid(item.source_key if row.id else f"file:{item.source_key}"),
            original_name=clean_name(text(row.file_path)),
            original_key=item.target_key,
            checksum=result.digest.sha256,
            sha1=result.digest.sha1,
            size=result.digest.size,
            mime_type=result.mime,
            source_path=text(row.file_path),
            perceptual_hash=plan.perceptual_hash(row.phash),
            taken_at=taken_at,
            taken_at_source=source,
            latitude=latitude,
            longitude=longitude,
            created_at=came_in_at(row),
        )

    def give_up_objects(self, repeated: Sequence[tuple[Item, Photo]]) -> None:
        """The bytes of a duplicate are here already; before the commit, so that no crash leaves them."""
        for item, photo in repeated:
            if self.storage is not None and item.target_key != photo.original_key:
                self.storage.delete(item.target_key)

    def save_endings(
        self, items: Sequence[Item], new: Sequence[tuple[Item, Photo]], repeated: Sequence[tuple[Item, Photo]]
    ) -> None:
        outcomes: list[Outcome] = []
        for item, photo in new:
            outcomes.append(self.outcome(item, ending_of_new(item, photo), photo.pk))
        for item, photo in repeated:
            outcomes.append(self.outcome(item, cases.duplicate("same_bytes"), photo.pk))
        for item in items:
            if isinstance(item.result, Ending):
                outcomes.append(self.outcome(item, item.result, None))
                outcomes += fail_children(self.system, item.children)
        save_outcomes(outcomes)

    def outcome(self, item: Item, ending: Ending, target_id: int | None) -> Outcome:
        return outcome(self.system, item.kind, item.source_key, ending, target_id, text(item.row.file_path))


def ending_of_new(item: Item, photo: Photo) -> Ending:
    if not item.row.id:
        return cases.imported("orphan_object")
    if not plan.checksum_agrees(item.row.checksum, photo.sha1):
        ending = cases.imported("checksum_differs")
        return replace(ending, reason=f"{ending.reason} Row: {item.row.checksum}, file: {photo.sha1}.")
    return cases.IMPORTED if photo.pk == item.row.id else cases.imported("new_id")


def taken_at_of(row: PhotoRow, modified_at: datetime | None) -> tuple[datetime, str]:
    """Wall clock and where it comes from: EXIF as the old system read it, else its upload, else the file."""
    if (taken_at := plan.wall_clock(row.exif_datetime)) is not None:
        return taken_at, Photo.TakenAtSource.EXIF_ORIGINAL
    if (taken_at := plan.wall_clock(row.created_at)) is not None:
        return taken_at, Photo.TakenAtSource.UPLOAD
    if modified_at is not None:
        return modified_at, Photo.TakenAtSource.FILE
    return timezone.now(), Photo.TakenAtSource.UPLOAD


def came_in_at(row: PhotoRow) -> datetime:
    """`created_at` was the old server's clock without a zone; it is read as this installation's."""
    wall = plan.wall_clock(row.created_at)
    return timezone.now() if wall is None else wall.replace(tzinfo=timezone.get_default_timezone())
