"""Do rows and objects agree? Finds what does not, in order and from where it stopped, and repairs what it
safely can.

Originals are never deleted: an object without a row goes to `quarantine/`, and comes back from there when a
row turns out to need it. Renditions can be made again, so those without a row are deleted. Whatever is
younger than a day is left alone, because an upload stores its object before its row.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from jobs import ledger
from photos.media_keys import key_owners
from photos.models import LegacyFile, Photo, PhotoStep, ResumableUpload
from photos.services import digest_of_object
from photos.storages import object_store, originals, own_store, renditions, storage_of
from photos.storages.folders import is_folder_key
from photos.storages.objects import Leftover, ObjectStat

BATCH = 500
YOUNG = timedelta(days=1)
QUARANTINE = "quarantine/"
PHASES = ("rows", "originals", "renditions", "leftovers")


@dataclass(frozen=True)
class Finding:
    """One disagreement; `action` says what was done about it, "" nothing."""

    kind: str
    photo_id: int | None
    key: str
    expected: str = ""
    found: str = ""
    action: str = ""


@dataclass
class Cursor:
    """Where the check stands: everything before `after` (a photo's id or a key) in `phase` is done.

    `left` differences were found so far and not repaired.
    """

    phase: str = PHASES[0]
    after: str = ""
    left: int = 0

    @staticmethod
    def path() -> Path:
        return settings.STATE_DIR / "check_files.json"

    @classmethod
    def load(cls) -> "Cursor":
        try:
            return cls(**json.loads(cls.path().read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return cls()

    def save(self) -> None:
        self.path().parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path().with_suffix(".part")
        temporary.write_text(json.dumps(asdict(self)))
        temporary.replace(self.path())

    def forget(self) -> None:
        self.path().unlink(missing_ok=True)


class Check:
    """One run. `with_digests` reads every original; `seconds` 0 is without end."""

    def __init__(
        self,
        *,
        repair: bool,
        with_digests: bool,
        seconds: float,
        report: Callable[[Finding], None],
        cursor: Cursor,
    ) -> None:
        self.repair = repair
        self.with_digests = with_digests
        self.cursor = cursor
        self.checked = 0
        self.is_complete = False
        self._report = report
        self._deadline = time.monotonic() + seconds if seconds else float("inf")

    def run(self) -> None:
        """Go on from the cursor until the end or until time is up."""
        phases: dict[str, Callable[[], Iterator[tuple[str, list[Finding]]]]] = {
            "rows": self._rows,
            "originals": lambda: self._objects(originals(), orphan_originals),
            "renditions": lambda: self._objects(renditions(), orphan_renditions),
            "leftovers": self._leftovers,
        }
        for phase in PHASES[PHASES.index(self.cursor.phase) :]:
            if phase != self.cursor.phase:
                self.cursor.phase, self.cursor.after = phase, ""
            for after, findings in phases[phase]():
                for finding in findings:
                    self._report(finding)
                    self.cursor.left += not finding.action
                self.cursor.after = after
                self.cursor.save()
                if time.monotonic() > self._deadline:
                    return
        self.is_complete = True
        self.cursor.forget()

    def _rows(self) -> Iterator[tuple[str, list[Finding]]]:
        """Photos by id, one at a time, because each may be read whole."""
        while True:
            after = int(self.cursor.after or 0)
            photos = list(Photo.objects.filter(pk__gt=after).order_by("pk")[:BATCH])
            if not photos:
                return
            for photo in photos:
                self.checked += 1
                yield str(photo.pk), [*self._check_original(photo), *self._check_renditions(photo)]

    def _check_original(self, photo: Photo) -> Iterator[Finding]:
        finding = compare_original(photo, with_digest=self.with_digests)
        if finding is None:
            return
        action = ""
        if self.repair and Photo.objects.filter(pk=photo.pk, original_key=photo.original_key).exists():
            again = compare_original(photo, with_digest=self.with_digests)
            action = bring_back(photo) if again else "is right again"
        yield Finding(**{**asdict(finding), "action": action})

    def _check_renditions(self, photo: Photo) -> Iterator[Finding]:
        if not photo.has_renditions:
            return
        missing = [key for key in rendition_keys(photo) if not renditions().exists(key)]
        action = remake(photo) if missing and self.repair else ""
        for key in missing:
            yield Finding("missing_rendition", photo.pk, key, action=action)

    def _objects(
        self, storage: Any, orphans: Callable[[list[ObjectStat]], set[str]]
    ) -> Iterator[tuple[str, list[Finding]]]:
        """Objects by key, in batches that cost one query each."""
        listed = object_store(storage).iterate(after=self.cursor.after)
        while batch := list(islice(listed, BATCH)):
            self.checked += len(batch)
            old = [
                stat
                for stat in batch
                if timezone.now() - stat.modified_at > YOUNG and not stat.key.startswith(QUARANTINE)
            ]
            unknown = orphans(old)
            yield (
                batch[-1].key,
                [self._orphan(storage, stat, orphans) for stat in old if stat.key in unknown],
            )

    def _leftovers(self) -> Iterator[tuple[str, list[Finding]]]:
        """What killed writers left, unless an upload may still go on with it."""
        for storage in (object_store(originals()), object_store(renditions())):
            for leftover in storage.leftovers():
                if timezone.now() - leftover.modified_at < YOUNG or is_resumable(leftover):
                    continue
                if self.repair:
                    storage.discard(leftover)
                yield (
                    "",
                    [Finding("leftover", None, leftover.key, action="deleted" if self.repair else "")],
                )

    def _orphan(
        self, storage: Any, stat: ObjectStat, orphans: Callable[[list[ObjectStat]], set[str]]
    ) -> Finding:
        is_original = storage is originals()
        action = ""
        if self.repair and orphans([stat]):
            if is_original:
                object_store(storage).move(stat.key, QUARANTINE + stat.key)
                action = f"moved to {QUARANTINE}"
            else:
                storage.delete(stat.key)
                action = "deleted"
        kind = "original_without_row" if is_original else "rendition_without_row"
        return Finding(kind, None, stat.key, found=str(stat.size), action=action)


def rendition_keys(photo: Photo) -> list[str]:
    return [photo.rendition_key(kind) for kind in photo.rendition_kinds]


def remake(photo: Photo) -> str:
    """Do the step again, if a rendition still misses."""
    if all(renditions().exists(key) for key in rendition_keys(photo)):
        return "is there again"
    is_film = renditions().exists(photo.rendition_key("thumbnail"))
    step = "playback" if is_film and photo.playback_status == Photo.Playback.READY else "renditions"
    is_reset = ledger.reset(PhotoStep.objects.filter(photo=photo, step=step))
    return "step made pending" if is_reset else ""


def compare_original(photo: Photo, *, with_digest: bool) -> Finding | None:
    """What is wrong with the original of a photo, None for nothing.

    One that waits on an old server is right; one that a scan missed in its folder is known.
    """
    is_in_folder = is_folder_key(photo.original_key)
    storage = storage_of(originals(), photo.original_key) if is_in_folder else own_store()
    try:
        size = object_store(storage).stat(photo.original_key).size
    except FileNotFoundError:
        if photo.missing_since or LegacyFile.objects.filter(photo=photo).exists():
            return None
        return Finding("missing_original", photo.pk, photo.original_key)
    if size != photo.size:
        return Finding("size_differs", photo.pk, photo.original_key, str(photo.size), str(size))
    if with_digest:
        found = digest_of_object(storage, photo.original_key).sha256
        if found != photo.checksum:
            return Finding("digest_differs", photo.pk, photo.original_key, photo.checksum, found)
    return None


def bring_back(photo: Photo) -> str:
    """Take the original out of quarantine if its bytes are right; what is in its place goes there."""
    storage = object_store(originals())
    kept = QUARANTINE + photo.original_key
    try:
        is_right = digest_of_object(storage, kept).sha256 == photo.checksum
    except FileNotFoundError:
        return ""
    if not is_right:
        return ""
    try:
        storage.stat(photo.original_key)
    except FileNotFoundError:
        pass
    else:
        storage.move(photo.original_key, f"{kept}.damaged")
    storage.move(kept, photo.original_key)
    return "brought back from quarantine"


def is_resumable(leftover: Leftover) -> bool:
    """Whether it belongs to an upload that has not expired."""
    uuid_hex = leftover.key.rpartition("/")[2]
    uploads = ResumableUpload.objects.filter(upload_id=leftover.token) if leftover.token else None
    if uploads is not None and uploads.exists():
        return True
    is_partial = leftover.key.startswith(".uploads/") and len(uuid_hex) == 32
    return is_partial and ResumableUpload.objects.filter(pk=uuid_hex).exists()


def orphan_originals(stats: list[ObjectStat]) -> set[str]:
    """Keys that no photo has."""
    keys = [stat.key for stat in stats]
    return set(keys) - set(Photo.objects.filter(original_key__in=keys).values_list("original_key", flat=True))


def orphan_renditions(stats: list[ObjectStat]) -> set[str]:
    """Keys that no photo and no face has."""
    keys = [stat.key for stat in stats]
    known: set[str] = set()
    for owner in key_owners():
        known |= owner.known(keys)
    return set(keys) - known
