"""The trash: deleting is reversible for TRASH_DAYS, then rows and bytes go for good."""

from datetime import timedelta

from django.conf import settings
from django.core.files.storage import Storage
from django.utils import timezone

from photos.models import Photo, Stack
from photos.storages import originals, renditions

BATCH = 500


def empty_trash() -> int:
    """Purge what has lain in the trash for longer than TRASH_DAYS (0 keeps everything). Returns how many."""
    if not settings.TRASH_DAYS:
        return 0
    old = Photo.objects.filter(deleted_at__lt=timezone.now() - timedelta(days=settings.TRASH_DAYS))
    purged = 0
    while photos := list(old.order_by("pk")[:BATCH]):
        for photo in photos:
            purge(photo)
        purged += len(photos)
    return purged


def purge(photo: Photo) -> None:
    """Remove a photo for good: row first, so that a crash leaves bytes without a row, never the reverse."""
    folder = photo.rendition_key("thumbnail").rpartition("/")[0]
    photo.delete()
    if photo.stack_id is not None:
        Stack.objects.filter(pk=photo.stack_id, photos__isnull=True).delete()
    originals().delete(photo.original_key)
    delete_folder(renditions(), folder)


def delete_folder(storage: Storage, folder: str) -> None:
    """Remove what lies directly in a folder: thumbnail, preview and face crops of one photo."""
    try:
        names = storage.listdir(folder)[1]
    except FileNotFoundError:
        return
    for name in names:
        storage.delete(f"{folder}/{name}")
