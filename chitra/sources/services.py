"""What people do with folders: remove one, and the numbers that the page shows."""

from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from chitra.sources.homes import rehome
from chitra.sources.models import Folder, FolderFile
from photos.models import Photo


def with_facts(folders: QuerySet[Any]) -> QuerySet[Any]:
    """Adds `file_count`, `photo_count` and `missing_count`."""
    annotated: QuerySet[Any] = folders.annotate(
        file_count=Count("files", filter=Q(files__missing_since__isnull=True)),
        photo_count=Count("files__photo", distinct=True),
        missing_count=Count(
            "files", filter=Q(files__missing_since__isnull=False, files__photo__isnull=False)
        ),
    )
    return annotated


@transaction.atomic
def remove_folder(folder: Folder) -> int:
    """Forget a folder; its files stay. Photos that lie only there go to the trash; how many.

    Photos whose originals were copied, or lie in another folder too, stay.
    """
    # The id is gone after the deletion.
    own = f"folders/{folder.pk}/"
    own_keys = Photo.objects.filter(original_key__startswith=own, deleted_at__isnull=True)
    elsewhere = own_keys.filter(folder_files__in=other_files(folder)).distinct()
    moved = list(elsewhere)
    folder.delete()
    for photo in moved:
        rehome(photo)
    trashed: int = own_keys.all().move_to_trash()
    return trashed


def other_files(folder: Folder) -> QuerySet[Any]:
    """Files of other folders that are read in place and are there."""
    files: QuerySet[Any] = FolderFile.objects.present().exclude(folder=folder)
    return files.filter(folder__mode=Folder.Mode.IN_PLACE)
