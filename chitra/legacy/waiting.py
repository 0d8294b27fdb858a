"""Originals that the old server has alone, while their photos are here: `--originals-later`, and after it."""

from collections.abc import Callable
from typing import Any

from chitra.legacy.ahead import ahead
from chitra.legacy.cases import Ending
from chitra.legacy.ftp import FtpAddress
from chitra.legacy.models import LegacySystem
from chitra.legacy.transfer import Request, Stored
from photos.models import LegacyFile
from photos.storages.read_through import ReadThroughStorage

READ_AT_ONCE = 200


def is_read_through(storage: Any, address: FtpAddress) -> bool:
    """Whether the storage reads what it lacks from this server, so that nobody misses it meanwhile."""
    while hasattr(storage, "primary"):
        if isinstance(storage, ReadThroughStorage) and storage.place == (
            address.host,
            address.port,
            address.base,
        ):
            return True
        storage = storage.primary
    return False


def waiting(system: LegacySystem) -> int:
    """How many originals of the library are still there only."""
    return LegacyFile.objects.filter(photo__library_id=system.library_id).count()


def fetch_waiting(system: LegacySystem, move: Callable[[Request], Stored | Ending], parallel: int) -> None:
    """Bring them here. One that is gone there, or has other bytes now, goes on waiting."""
    files = LegacyFile.objects.filter(photo__library_id=system.library_id)
    files = files.select_related("photo").order_by("pk")
    last = 0
    while page := list(files.filter(pk__gt=last)[:READ_AT_ONCE]):
        last = page[-1].pk
        for file, result in ahead(page, lambda file: move(request_of(file)), parallel):
            if isinstance(result, Stored):
                file.delete()


def request_of(file: LegacyFile) -> Request:
    photo = file.photo
    return Request(file.path, photo.original_key, sha1=photo.sha1, sha256=photo.checksum)
