"""One file from the old storage to the new one: fetched, hashed, measured, stored. On threads, no ORM."""

import errno
import posixpath
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.core.files.storage import Storage

from chitra.legacy import cases, plan
from chitra.legacy.boxes import Shape
from chitra.legacy.cases import Ending
from chitra.legacy.files import FileSource, LocalRoot, UnusableName, copy_file
from photos.formats import filetypes
from photos.formats.imaging import UndecodableImage, open_picture, read_header
from photos.hashing import Digest, HashingReader, hash_file
from photos.services import StorageUnavailable
from photos.storages import object_store
from photos.storages.objects import copy_stream

STORE_ATTEMPTS = 5
HOPELESS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG)


@dataclass(frozen=True)
class Request:
    """A file to move: `key` in the old storage or a path of its server's disk, and where it goes to."""

    key: str
    target_key: str
    sha1: str = ""
    """What the row says; other bytes are read a second time before they are believed."""
    measure: bool = False
    """Whether there are faces, whose boxes need the picture's shape."""
    must_be_picture: bool = False
    sha256: str = ""
    """What the photo that is here already has; other bytes are not taken."""


@dataclass(frozen=True)
class Stored:
    """The object is in the new storage, or still in the old one alone. `shape` is None when not asked for or
    not to be told.
    """

    digest: Digest
    mime: str
    shape: Shape | None = None
    is_here: bool = True


class Mover:
    """Moves files; with `leaves` it only reads those that can be read there later, too.

    Raises SourceUnavailable or StorageUnavailable when going on has no use.
    """

    def __init__(
        self,
        files: FileSource,
        storage: Storage,
        *,
        local_roots: Sequence[LocalRoot] = (),
        leaves: bool = False,
        pause_seconds: float = 0.5,
    ) -> None:
        self.files = files
        self.storage = storage
        self.leaves = leaves
        self.local_roots = local_roots
        self.pause_seconds = pause_seconds
        self._local = threading.local()

    def __call__(self, request: Request) -> Stored | Ending:
        """The stored file, or why there is none."""
        try:
            digest = self.fetch_checked(request, self.scratch)
        except FileNotFoundError:
            return cases.failed("local_path" if plan.is_local_path(request.key) else "original_missing")
        except UnusableName as error:
            return cases.failed("unusable_name", str(error))
        if not digest.size:
            return cases.failed("empty_file")
        if request.sha256 not in ("", digest.sha256):
            return cases.failed("source_error", f"{request.key} was changed on the old server.")
        path = Path(self.scratch.name)
        kind = sniff(path)
        if request.must_be_picture and kind is None and not plan.has_known_suffix(request.key):
            return cases.left_out("not_a_picture")
        shape = measure(path) if request.measure else None
        is_here = not self.leaves or not plan.is_safe_key(request.key)
        if is_here:
            self.store(path, request.target_key, digest)
        return Stored(digest, kind.mime if kind else plan.mime_of_name(request.key), shape, is_here)

    @property
    def scratch(self) -> BinaryIO:
        """This thread's file, written over and over: making and removing one costs as much as its bytes."""
        if not hasattr(self._local, "file"):
            self._local.file = tempfile.NamedTemporaryFile(  # noqa: SIM115 - lives as long as the thread
                prefix="chitra-", dir=settings.FILE_UPLOAD_TEMP_DIR
            )
        file: BinaryIO = self._local.file
        return file

    def fetch_checked(self, request: Request, target: BinaryIO) -> Digest:
        """Fetch until the bytes are those of the row, or twice the same others."""
        digests: list[Digest] = []
        while True:
            target.seek(0)
            self.fetch(request.key, target)
            target.truncate()
            target.flush()
            digest = hash_file(Path(target.name))
            if plan.checksum_agrees(request.sha1, digest.sha1) or digest in digests:
                return digest
            digests.append(digest)

    def fetch(self, key: str, target: BinaryIO) -> None:
        if not plan.is_local_path(key):
            return self.files.fetch(key, target)
        found = next((path for root in self.local_roots if (path := root.find(key))), None)
        if found is None:
            raise FileNotFoundError(key)
        return copy_file(found, target)

    def store(self, path: Path, key: str, digest: Digest) -> None:
        """Write the object, over what an interrupted attempt left. Raises StorageUnavailable."""
        for attempt in range(1, STORE_ATTEMPTS + 1):
            try:
                return store_file(self.storage, key, path, digest)
            except OSError as error:
                if attempt == STORE_ATTEMPTS or error.errno in HOPELESS:
                    reason = f"The storage did not take {key}: {error.strerror or error}."
                    raise StorageUnavailable(error.errno or errno.EIO, reason) from error
            time.sleep(self.pause_seconds * 2**attempt)
        return None


def store_file(storage: Storage, key: str, path: Path, digest: Digest) -> None:
    """Store a file under exactly this key, over what is there."""
    writer = object_store(storage).open_writer(key)
    try:
        with path.open("rb") as content:
            copy_stream(content, writer)
        writer.commit(digest.sha256)
    except BaseException:
        writer.abort()
        raise


def sniff(path: Path) -> filetypes.FileType | None:
    with path.open("rb") as file:
        return filetypes.sniff(file.read(filetypes.HEAD_BYTES))


def measure(path: Path) -> Shape | None:
    """Pixels and orientation from the header; None when it is no picture that Chitra reads."""
    try:
        with open_picture(path) as (file, kind):
            if kind == filetypes.BMP:
                from PIL.BmpImagePlugin import BmpImageFile

                with BmpImageFile(file) as picture:
                    return Shape(*picture.size)
            header = read_header(file)
            turned = kind in (
                filetypes.HEIC,
                filetypes.HEIF,
                filetypes.AVIF,
            )  # their decoders turn by themselves
            orientation = header.get("orientation") if header.get_typeof("orientation") and not turned else 1
            return Shape(header.width, header.height, orientation)
    except UndecodableImage:
        return None


def hash_object(storage: Storage, key: str) -> Digest | None:
    """Every byte of a stored object; None when it is not there."""
    try:
        with storage.open(key, "rb") as file:
            reader = HashingReader(file)
            while reader.read(1024 * 1024):
                pass
            return reader.digest
    except FileNotFoundError:
        return None


class Peeker:
    """What a dry run uses instead of a Mover: looks whether files are there and believes the rows."""

    def __init__(self, sizes: dict[str, int], local_roots: Sequence[LocalRoot] = ()) -> None:
        self.sizes = sizes
        self.local_roots = local_roots

    def __call__(self, request: Request) -> Stored | Ending:
        if plan.is_local_path(request.key):
            path = next((found for root in self.local_roots if (found := root.find(request.key))), None)
            size = path.stat().st_size if path else None
        else:
            size = self.sizes.get(posixpath.normpath(request.key))
        if size is None:
            return cases.failed("local_path" if plan.is_local_path(request.key) else "original_missing")
        if not size:
            return cases.failed("empty_file")
        if request.must_be_picture and not plan.has_known_suffix(request.key):
            return cases.left_out("not_a_picture")
        sha1 = request.sha1 or request.key
        shape = Shape(2**31, 2**31) if request.measure else None
        return Stored(
            Digest(sha256=f"dry:{sha1}"[:64], sha1=sha1[:40], size=size),
            plan.mime_of_name(request.key),
            shape,
        )
