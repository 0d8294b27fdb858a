"""Where the originals of photos in folders lie: a photo follows its bytes from file to file.

A photo has one key, but several files may have its bytes. All functions want an open transaction.
"""

from django.utils import timezone

from chitra.sources.models import FolderFile
from jobs.events import publish
from photos.models import Photo
from photos.storages.folders import is_folder_key, lost_key


def rehome(photo: Photo) -> None:
    """Let the photo's key be that of a file that is there, else mark the photo as missing.

    Photos whose original Chitra has in its own storage are never missing.
    """
    if not is_folder_key(photo.original_key):
        return
    files = list(
        FolderFile.objects.present().filter(photo=photo, folder__mode="in_place").select_related("folder")
    )
    keys = {file.folder.key_of(file.path): file for file in files}
    if photo.original_key in keys:
        set_missing(photo, is_missing=False)
    elif keys:
        key, file = next(iter(keys.items()))
        settle(photo, key, file)
    else:
        set_missing(photo, is_missing=True)


def settle(photo: Photo, key: str, file: FolderFile) -> None:
    """Give the photo this key. Whose it was has lost its place to other bytes and looks for a new one."""
    for other in Photo.objects.filter(original_key=key).exclude(pk=photo.pk):
        other.original_key = lost_key(other.uuid.hex)
        other.save(update_fields=["original_key"])
        rehome(other)
    photo.original_key = key
    photo.original_name = file.path.rpartition("/")[2][-255:]
    photo.source_path = f"{file.folder.path}/{file.path}"
    photo.save(update_fields=["original_key", "original_name", "source_path"])
    set_missing(photo, is_missing=False)


def free_key(key: str) -> None:
    """Before a new photo takes this key: who has it has lost its bytes."""
    for other in Photo.objects.filter(original_key=key):
        other.original_key = lost_key(other.uuid.hex)
        other.save(update_fields=["original_key"])
        rehome(other)


def set_missing(photo: Photo, *, is_missing: bool) -> None:
    """Mark or unmark, and tell the pages when that changes something."""
    if (photo.missing_since is not None) == is_missing:
        return
    photo.missing_since = timezone.now() if is_missing else None
    photo.save(update_fields=["missing_since"])
    publish(photo.library_id, "photo", id=photo.pk)
