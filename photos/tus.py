"""Resumable uploads: what the tus protocol asks of the library, without HTTP.

A file whose type is not known from the first piece is held back until it is: pieces end up in storage only as
pictures. Each request that writes raises `generation`; a slower one before it stops at its next checkpoint.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from photos.formats.filetypes import HEAD_BYTES, sniff
from photos.keeping import Ingested, Origin, StoredFile, clean_name, keep_photo
from photos.models import Library, ResumableUpload
from photos.partial import open_partial
from photos.services import (
    RejectedFile,
    accepted_type,
    digest_of_object,
    original_key,
    too_large,
)
from photos.storages import object_store, originals
from photos.storages.objects import CHUNK_BYTES

EXPIRED_AT_ONCE = 20
PROGRESS_FIELDS = ("key", "upload_id", "parts", "offset", "tail_size")


class OffsetConflict(ValueError):
    """The piece does not begin where the upload stands, or somebody else writes to it now."""


class TooManyBytes(ValueError):
    """More bytes than the upload was announced with."""


def begin(*, library: Library, user: Any, size: int, name: str) -> ResumableUpload:
    """Announce a file of `size` bytes. Raises RejectedFile for one that could not be kept."""
    if size == 0:
        accepted_type(b"")
    if size > settings.MAX_UPLOAD_BYTES:
        raise too_large()
    remove_expired()
    return ResumableUpload.objects.create(
        library=library, user=user, size=size, name=clean_name(name), expires_at=expiry()
    )


def expiry() -> Any:
    return timezone.now() + timedelta(hours=settings.TUS_EXPIRY_HOURS)


def append(upload: ResumableUpload, stream: Any, *, offset: int) -> Ingested | None:
    """Take what `stream` has for `offset` and behind; the photo when the file is complete.

    What came before the client broke off is kept. Raises OffsetConflict, TooManyBytes, RejectedFile (which
    ends the upload) and StorageUnavailable.
    """
    take_over(upload, offset)
    partial = open_partial(upload, lambda: save_progress(upload))
    held_back = b""
    position = upload.offset
    try:
        while data := read_piece(stream):
            position += len(data)
            if position > upload.size:
                raise TooManyBytes
            if not upload.key:
                held_back += data
                if len(held_back) < min(HEAD_BYTES, upload.size):
                    continue
                choose_key(upload, held_back)
                data, held_back = held_back, b""
            partial.write(data)
    except RejectedFile:
        terminate(upload)
        raise
    if upload.key:
        partial.suspend()
    return finish(upload) if upload.is_complete else None


def read_piece(stream: Any) -> bytes:
    """The next piece; none when the body is over or the client went away."""
    try:
        return bytes(stream.read(CHUNK_BYTES))
    except OSError:
        return b""


def choose_key(upload: ResumableUpload, head: bytes) -> None:
    kind = accepted_type(head[:HEAD_BYTES])
    upload.key = original_key(upload.library, upload.pk, kind)


def take_over(upload: ResumableUpload, offset: int) -> None:
    """Become the one who writes, at this offset."""
    with transaction.atomic():
        now = ResumableUpload.objects.select_for_update().get(pk=upload.pk)
        if now.offset != offset:
            raise OffsetConflict
        now.generation += 1
        now.expires_at = expiry()
        now.save(update_fields=["generation", "expires_at"])
    upload.generation, upload.offset = now.generation, now.offset


def save_progress(upload: ResumableUpload) -> None:
    """Write what is durable now, unless somebody took over."""
    values = {name: getattr(upload, name) for name in PROGRESS_FIELDS}
    ours = ResumableUpload.objects.filter(pk=upload.pk, generation=upload.generation)
    if not ours.update(**values):
        raise OffsetConflict


def finish(upload: ResumableUpload) -> Ingested:
    """The photo of a complete upload. Done again after a crash it ends alike.

    The object is read once for its checksums, which also shows that the storage has it whole.
    """
    if upload.photo is not None:
        return Ingested(upload.photo, upload.is_duplicate)
    open_partial(upload, lambda: save_progress(upload)).commit()
    storage = originals()
    digest = digest_of_object(storage, upload.key)
    reader = object_store(storage).open_reader(upload.key, 0, HEAD_BYTES)
    kind = sniff(reader.read(HEAD_BYTES))
    reader.close()
    if kind is None or digest.size != upload.size:
        terminate(upload)
        raise RejectedFile("incomplete", "The storage has other bytes than were sent. Send the file again.")
    origin = Origin(upload.library, upload.name, upload.user)
    ingested = keep_photo(StoredFile(origin, upload.pk, upload.key, digest, kind))
    ResumableUpload.objects.filter(pk=upload.pk).update(
        photo=ingested.photo, is_duplicate=ingested.is_duplicate
    )
    upload.photo, upload.is_duplicate = ingested.photo, ingested.is_duplicate
    return ingested


def terminate(upload: ResumableUpload) -> None:
    """Forget an upload and the bytes it left, never a photo."""
    if upload.photo_id is None:
        open_partial(upload, lambda: None).discard()
    upload.delete()


def remove_expired() -> None:
    """Terminate a few uploads that nobody went on with."""
    expired = ResumableUpload.objects.filter(expires_at__lt=timezone.now()).order_by("expires_at")
    for upload in expired.select_related("photo")[:EXPIRED_AT_ONCE]:
        terminate(upload)
