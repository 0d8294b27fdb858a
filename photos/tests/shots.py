"""Rows of photos as a camera leaves them, for tests of stacks and look-alikes."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from photos.models import Library, Photo

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
LOOK = 0x5A5A_A5A5_0FF0_F00F
TYPES = {"NEF": "image/x-nikon-nef", "dng": "image/x-adobe-dng", "mov": "video/quicktime"}
numbers = count(1)


def shot(library: Library, name: str, seconds: float = 0, **values: Any) -> Photo:
    """A photo without bytes, taken so many seconds after NOON."""
    number = next(numbers)
    usual: dict[str, Any] = {
        "original_key": f"{library.pk}/shots/{number}",
        "checksum": f"{number:064x}",
        "sha1": f"{number:040x}",
        "size": 1000,
        "mime_type": TYPES.get(name.rpartition(".")[2], "image/jpeg"),
        "taken_at": NOON + timedelta(seconds=seconds),
        "taken_at_source": "exif_original",
        "camera_make": "Nikon",
        "camera_model": "Z6",
        "perceptual_hash": LOOK,
        "width": 6000,
        "height": 4000,
    }
    photo: Photo = Photo.objects.create(library=library, original_name=name, **(usual | values))
    return photo


def stacks() -> list[tuple[str, list[str]]]:
    """Kind and names of each stack, trash included."""
    photos = Photo.objects.filter(stack__isnull=False).order_by("stack_id", "stack_position")
    found: dict[int, tuple[str, list[str]]] = {}
    for photo in photos.select_related("stack"):
        assert photo.stack is not None
        found.setdefault(photo.stack.pk, (photo.stack.kind, []))[1].append(photo.original_name)
    return sorted(found.values())
