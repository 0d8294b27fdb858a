"""Photos in and out of a library. Every door (upload, scan, import) leads through `ingest`."""

import errno
import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import DatabaseError, connection, transaction
from django.db.models import Exists, OuterRef, Subquery
from django.utils import timezone

from photos.formats.filetypes import HEAD_BYTES, FileType, describe_stranger, sniff
from photos.hashing import Digest, RunningDigest, TooLarge
from photos.keeping import Ingested, Origin, StoredFile, keep_photos, known_photos, photo_of
from photos.models import Library, Membership, Photo
from photos.storages import object_store, originals
from photos.storages.errors import StorageUnavailable as StorageUnavailable
from photos.storages.objects import CHUNK_BYTES, ObjectWriter

Item = TypeVar("Item")
Answer = TypeVar("Answer")
THREADS = 4
_threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="ingest")

LIBRARIES_LOCK = 7_240_001
ACCEPTED = (
    "JPEG, PNG, WebP, GIF, HEIC, AVIF, JPEG XL, TIFF, BMP, camera raw, MP4, MOV, M4V, WebM, Matroska and AVI"
)


class RejectedFile(ValueError):
    """A file that is not taken. `code` is for programs, the message says what is wrong and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


Outcome = Ingested | RejectedFile | StorageUnavailable | DatabaseError


class IncomingFile:
    """A file on its way into a library, in pieces: type told, hashed and stored in one pass.

    `write` and `close` raise RejectedFile or StorageUnavailable, `finish` also DatabaseError; it returns when
    bytes and row are durable. `abort` leaves neither object nor row, also after an error. None but `finish`
    touches the database.
    """

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self._uuid = uuid.uuid4()
        self._digest = RunningDigest(max_bytes=settings.MAX_UPLOAD_BYTES)
        self._head = b""
        self._key = ""
        self._kind: FileType | None = None
        self._writer: ObjectWriter | None = None

    def write(self, data: bytes) -> None:
        """The next piece."""
        try:
            self._digest.update(data)
        except TooLarge:
            raise too_large() from None
        if self._writer is not None:
            self._writer.write(data)
            return
        self._head += data
        if len(self._head) >= HEAD_BYTES:
            self._open()

    def _open(self) -> ObjectWriter:
        self._kind = accepted_type(self._head[:HEAD_BYTES])
        self._key = original_key(self.origin.library, self._uuid, self._kind)
        self._writer = object_store(originals()).open_writer(self._key)
        self._writer.write(self._head)
        self._head = b""
        return self._writer

    def close(self) -> None:
        """There are no more pieces. While the object becomes durable, the last are hashed here."""
        (self._writer or self._open()).flush()
        self._digest.digest  # noqa: B018

    @property
    def size(self) -> int:
        return self._digest.size

    @property
    def digest(self) -> Digest:
        """Of what was written."""
        return self._digest.digest

    @property
    def checksum(self) -> str:
        """SHA-256 of what was written."""
        return self.digest.sha256

    @property
    def kind(self) -> FileType:
        """What it is; known once it is closed."""
        assert self._kind is not None
        return self._kind

    @property
    def stored(self) -> StoredFile:
        """What it is once it is committed."""
        return StoredFile(self.origin, self._uuid, self._key, self.digest, self.kind)

    def commit(self) -> StoredFile | StorageUnavailable:
        """Have the object durable, or nothing of it."""
        assert self._writer is not None
        try:
            self._writer.commit(self.checksum)
            verify_read_back(originals(), self._key, self.digest)
        except StorageUnavailable as error:
            self.abort()
            return error
        return self.stored

    def finish(self) -> Ingested:
        """Commit object and row. The same bytes twice in a library are answered with the photo there is."""
        self.close()
        (outcome,) = finish_all([self])
        if isinstance(outcome, Ingested):
            return outcome
        raise outcome

    def abort(self) -> None:
        """Drop what came so far."""
        if self._writer is not None:
            self._writer.abort()


def finish_all(
    files: Sequence[IncomingFile], *, patiently: Callable[[Callable[[], Any]], Any] = lambda action: action()
) -> list[Outcome]:
    """Commit the objects of closed files of one library, then their rows in one transaction.

    How each ended, in their order. Only then one may be acknowledged. `patiently` calls what needs the
    database, and may do so again. A broken connection raises, and leaves objects without rows.
    """
    library = files[0].origin.library
    try:
        known = patiently(lambda: known_photos(library, {file.checksum for file in files}))
        fresh: dict[str, IncomingFile] = {}
        for file in files:
            if file.checksum in known or fresh.setdefault(file.checksum, file) is not file:
                file.abort()
        outcomes: dict[str, Any] = {checksum: Ingested(photo, True) for checksum, photo in known.items()}
        photos = {checksum: photo_of(file.stored) for checksum, file in fresh.items()}
        outcomes |= zip(fresh, at_once(IncomingFile.commit, list(fresh.values())), strict=True)
        stored = [checksum for checksum, kept in outcomes.items() if isinstance(kept, StoredFile)]
        if stored:
            rows = [photos[checksum] for checksum in stored]
            outcomes |= zip(stored, patiently(lambda: keep_photos(rows)), strict=True)
    except BaseException:
        for file in files:
            file.abort()
        raise
    return [
        Ingested(outcome.photo, is_duplicate=True)
        if isinstance(outcome := outcomes[file.checksum], Ingested) and fresh.get(file.checksum) is not file
        else outcome
        for file in files
    ]


def at_once(action: Callable[[Item], Answer], items: Sequence[Item]) -> list[Answer]:
    """`action` for each on a few threads, where the ORM must not be used; alone on this one."""
    return [action(item) for item in items] if len(items) < 2 else list(_threads.map(action, items))


def ingest(
    *,
    library: Library,
    stream: Any,
    name: str,
    uploaded_by: Any = None,
    modified_at: datetime | None = None,
    source_path: str = "",
) -> Ingested:
    """Store a file while hashing it and return when bytes and row are durable.

    `stream` is binary, read once from where it stands. The same bytes twice in a library are a duplicate, and
    the answer is the photo there is (brought back when it lay in the trash). Raises RejectedFile or
    StorageUnavailable; then neither object nor row is left.
    """
    incoming = receive(Origin(library, name, uploaded_by, modified_at, source_path), stream)
    return incoming.finish()


def receive(origin: Origin, stream: Any) -> IncomingFile:
    """Read a whole file. Its object is not durable yet, and nothing is left of it when this raises."""
    incoming = IncomingFile(origin)
    source = Source(stream)
    try:
        while data := source.read(CHUNK_BYTES):
            incoming.write(data)
        incoming.close()
    except BaseException:
        incoming.abort()
        raise
    return incoming


class Source:
    """What is ingested. An error of reading it is the file's own and never taken for one of the storage."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes. Raises RejectedFile."""
        try:
            return bytes(self.stream.read(size))
        except OSError as error:
            raise RejectedFile("unreadable_file", f"The file cannot be read: {error.strerror}.") from error


def original_key(library: Library, photo_uuid: uuid.UUID, kind: FileType) -> str:
    """Where an original lies: by library and UUID, never by a user's file name."""
    return f"{library.pk}/{photo_uuid.hex[:2]}/{photo_uuid.hex}{kind.extension}"


def accepted_type(head: bytes) -> FileType:
    """The type told from the first bytes; RejectedFile for an empty file or anything that is no picture."""
    if not head:
        raise RejectedFile("empty_file", "The file is empty. Send it again from the original.")
    kind = sniff(head)
    if kind is None:
        stranger = describe_stranger(head)
        raise RejectedFile(
            "unsupported_type",
            f"The content is not a picture or video that Chitra reads ({ACCEPTED})"
            + (f"; it is {stranger}." if stranger else "."),
        )
    return kind


def too_large() -> RejectedFile:
    limit = settings.MAX_UPLOAD_BYTES // 1024 // 1024
    return RejectedFile(
        "too_large", f"The file is larger than {limit} MB. CHITRA_MAX_UPLOAD_MB raises the limit."
    )


def verify_read_back(storage: Any, key: str, digest: Digest) -> None:
    """With CHITRA_VERIFY_READ_BACK, read the object again; other bytes are removed and StorageUnavailable."""
    if not settings.VERIFY_READ_BACK:
        return
    if digest_of_object(storage, key) != digest:
        storage.delete(key)
        raise StorageUnavailable(
            errno.EIO,
            "The storage gave back other bytes than were sent; nothing was kept. Check it, then try again.",
        )


def digest_of_object(storage: Any, key: str) -> Digest:
    """Checksums and size of an object, read once."""
    running = RunningDigest()
    with closing(object_store(storage).open_reader(key)) as reader:
        while data := reader.read(CHUNK_BYTES):
            running.update(data)
    return running.digest


def wall_clock(moment: datetime) -> datetime:
    """An instant as the clock on the wall of this installation showed it, written as if it were UTC."""
    return timezone.localtime(moment).replace(tzinfo=UTC)


def libraries_of_photos(photo_ids: Iterable[int]) -> dict[int, int]:
    """Library id by photo id, for live events."""
    return dict(Photo.objects.filter(pk__in=list(photo_ids)).values_list("pk", "library_id"))


def library_ids_of(user: Any) -> list[int]:
    """Ids of the libraries whose events `user` may see."""
    return list(Membership.objects.filter(user=user).values_list("library_id", flat=True))


def editable_library_ids(user: Any) -> set[int]:
    """Ids of the libraries in which `user` may change things, for pages that show controls only then."""
    return set(Library.objects.editable_by(user).values_list("pk", flat=True))


def libraries_to_choose_from(user: Any) -> list[dict[str, Any]]:
    """`{id, label}` of the libraries `user` may add to, home first; names repeat, so with the owner."""
    mine = Membership.objects.filter(library=OuterRef("pk"), user_id=user.pk, role=Membership.Role.OWNER)
    owners = Membership.objects.filter(library=OuterRef("pk"), role=Membership.Role.OWNER).order_by("pk")
    rows: Any = Library.objects.editable_by(user).owned_first(user)
    rows = rows.values("id", "name").annotate(
        is_own=Exists(mine), owner=Subquery(owners.values("user__email")[:1])
    )
    return [
        {"id": row["id"], "label": row["name"] if row["is_own"] else f"{row['name']} of {row['owner']}"}
        for row in rows
    ]


def lock_libraries() -> None:
    """Until the transaction ends nobody else makes the first library or the first account."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LIBRARIES_LOCK])


@transaction.atomic
def library_for_import(email: str | None) -> tuple[Library, Any]:
    """Where a command imports to, and for whom: the home of `email`, else of the first account.

    Before there is an account it is a library without members, which the first account comes to own.
    Raises LookupError for an unknown address.
    """
    lock_libraries()
    users = get_user_model()._default_manager.order_by("pk")
    if email is not None:
        users = users.filter(email__iexact=email)
    user = users.first()
    if user is not None:
        return Library.objects.home_of(user), user
    if email is not None:
        raise LookupError(f"There is no account {email}.")
    library = Library.objects.filter(memberships__isnull=True).first()
    return library or Library.objects.create(name="Photos"), None
