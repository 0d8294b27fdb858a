"""Folders into the library: only what is not there yet, several files at a time."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from chitra.client.api import Client, Known, Progress
from chitra.client.config import OpenUploads
from chitra.client.transport import ApiError, Unreachable
from photos.clutter import is_clutter
from photos.formats.filetypes import HEAD_BYTES, sniff

BATCH = 200
BLOCK_BYTES = 1024 * 1024
RESUMED_BYTES = 8 * 1024 * 1024  # smaller files are sent anew, which costs less than to remember them


@dataclass(frozen=True)
class Found:
    """A file to upload, and the name of the folder it lies in."""

    path: Path
    folder: str


@dataclass(frozen=True)
class Outcome:
    """What became of a file: uploaded, duplicate, existing, trashed, would_upload or failed."""

    path: Path
    status: str
    photo_id: int | None = None
    error: str = ""


@dataclass
class Summary:
    """How many files ended how; `bytes` of those that were sent."""

    counts: dict[str, int] = field(default_factory=dict)
    bytes: int = 0

    def add(self, outcome: Outcome) -> None:
        self.counts[outcome.status] = self.counts.get(outcome.status, 0) + 1

    @property
    def failed(self) -> int:
        return self.counts.get("failed", 0)


def find_files(paths: Iterable[Path], *, recursive: bool) -> Iterator[Found]:
    """Files as named, and pictures in folders (with `recursive`, in all below); hidden ones are passed by."""
    for path in paths:
        if not path.is_dir():
            yield Found(path, path.resolve().parent.name)
            continue
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if recursive and not is_clutter(name))
            for name in sorted(names):
                file = Path(folder) / name
                if not is_clutter(name) and is_picture(file):
                    yield Found(file, file.resolve().parent.name)


def is_picture(path: Path) -> bool:
    """Whether the first bytes are those of a type that the server takes."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return False  # at a pipe one would wait for somebody to write
        with path.open("rb") as file:
            return sniff(file.read(HEAD_BYTES)) is not None
    except OSError:
        return True  # upload it, so that the reason is told


def sha256_of(path: Path) -> str:
    """In lower-case hex. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


class Uploader:
    """Uploads files with `concurrency` threads; `report` hears of each outcome, `progress` of bytes."""

    def __init__(
        self,
        client: Client,
        *,
        concurrency: int = 4,
        dry_run: bool = False,
        albums_from_folders: bool = False,
        report: Callable[[Outcome], None],
        progress: Progress = int,
    ) -> None:
        self._client = client
        self._pool = ThreadPoolExecutor(concurrency)
        self._dry_run = dry_run
        self._albums_from_folders = albums_from_folders
        self._report = report
        self._progress = progress
        self._open = OpenUploads(client.url)
        self._album_ids: dict[str, int] | None = None
        self.summary = Summary()

    def run(self, files: Iterable[Found]) -> Summary:
        """All of them, a batch at a time. Raises Unreachable and ApiError when nothing can go on.

        What is under way when it is interrupted is not waited for.
        """
        waiting = iter(files)
        try:
            while batch := list(islice(waiting, BATCH)):
                self.run_batch(batch)
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)
        return self.summary

    def run_batch(self, batch: Sequence[Found]) -> None:
        checksums = list(self._pool.map(checksum_or_error, [found.path for found in batch]))
        readable = [text for text in checksums if isinstance(text, str)]
        known = self._client.check(readable) if readable else {}
        outcomes = list(
            self._pool.map(
                lambda pair: self.handle(pair[0], pair[1], known), zip(batch, checksums, strict=True)
            )
        )
        if self._albums_from_folders and not self._dry_run:
            self.fill_albums(zip(batch, outcomes, strict=True))

    def handle(self, found: Found, checksum: str | OSError, known: dict[str, Known]) -> Outcome:
        """One file: passed by when it is there, else sent."""
        if isinstance(checksum, OSError):
            outcome = Outcome(found.path, "failed", error=f"It cannot be read: {checksum.strerror}.")
        elif there := known.get(checksum):
            status = "trashed" if there["trashed"] else "existing"
            outcome = Outcome(found.path, status, there["photo_id"])
        elif self._dry_run:
            outcome = Outcome(found.path, "would_upload")
        else:
            outcome = self.send(found.path, checksum)
        self.summary.add(outcome)
        self._report(outcome)
        return outcome

    def send(self, path: Path, checksum: str) -> Outcome:
        try:
            size = path.stat().st_size
            is_resumable = size >= RESUMED_BYTES
            sent = self._client.upload(
                path,
                resume=self._open.find(checksum) if is_resumable else "",
                began=lambda location: self._open.remember(checksum, location) if is_resumable else None,
                progress=self._progress,
            )
        except (ApiError, Unreachable, OSError) as error:
            if isinstance(error, ApiError):
                self._open.forget(checksum)
            return Outcome(path, "failed", error=str(error))
        self._open.forget(checksum)
        self.summary.bytes += size
        return Outcome(path, "duplicate" if sent.is_duplicate else "uploaded", sent.photo_id)

    def fill_albums(self, results: Iterable[tuple[Found, Outcome]]) -> None:
        """Each photo into the album named like its folder; those in the trash stay there."""
        by_folder: dict[str, list[int]] = {}
        for found, outcome in results:
            if outcome.photo_id is not None and outcome.status != "trashed":
                by_folder.setdefault(found.folder, []).append(outcome.photo_id)
        for folder, photo_ids in by_folder.items():
            self._client.add_to_album(self.album_id(folder), photo_ids)

    def album_id(self, name: str) -> int:
        """The album of this name, made when there is none."""
        if self._album_ids is None:
            self._album_ids = {album["name"]: album["id"] for album in self._client.albums()}
        name = name[:200] or "Photos"
        if name not in self._album_ids:
            self._album_ids[name] = self._client.create_album(name)["id"]
        return self._album_ids[name]


def checksum_or_error(path: Path) -> str | OSError:
    try:
        return sha256_of(path)
    except OSError as error:
        return error
