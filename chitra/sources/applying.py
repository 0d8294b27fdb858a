"""Write what another program says about a photo into the library."""

from typing import Any

from chitra.sources.details import Details
from chitra.sources.sidecars import name_faces, name_regions
from faces.regions import Regions
from jobs import ledger
from photos.importing import keep_sidecar
from photos.metadata.xmp import read_xmp
from photos.models import Album, AlbumPhoto, Library, Photo, PhotoStep, Tag
from photos.stacks.stacking import RAW_TYPES

MAX_TAG = 200


class Albums:
    """Albums of a library by name, found or made when a photo is put into them."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._found: dict[str, Album] = {}

    def put(self, title: str, photo: Photo) -> None:
        """Behind the others, unless it is in there."""
        if title not in self._found:
            name = title[:200]
            found = Album.objects.filter(library=self._library, name=name).order_by("pk").first()
            self._found[title] = found or Album.objects.create(library=self._library, name=name)
        album = self._found[title]
        if not AlbumPhoto.objects.filter(album=album, photo=photo).exists():
            last = AlbumPhoto.objects.filter(album=album).order_by("-position").first()
            AlbumPhoto.objects.create(album=album, photo=photo, position=last.position + 1 if last else 1)

    def forget(self) -> None:
        """What was found is looked up again."""
        self._found.clear()


def apply_details(photo: Photo, details: Details) -> None:
    """Write what another service says where the photo says nothing yet and nobody emptied it.

    Marks are only set, never taken.
    """
    values: dict[str, Any] = {}
    if details.title and not photo.title and not photo.is_locked("title"):
        values["title"] = details.title[:300]
    if details.description and not photo.description and not photo.is_locked("description"):
        values["description"] = details.description
    if details.rating is not None and photo.rating is None and not photo.is_locked("rating"):
        values["rating"] = details.rating
    if details.latitude is not None and photo.latitude is None and not photo.is_locked("place"):
        values |= {"latitude": details.latitude, "longitude": details.longitude}
    if details.xmp:
        keep_sidecar(photo, details.xmp)  # the metadata step weighs it against the file
    by_file = read_xmp(details.xmp)
    said = [name for name in ("title", "description", "rating") if name in values]
    if own := [name for name in said if getattr(by_file, name) in (None, "")]:
        values["locked_fields"] = [*dict.fromkeys([*photo.locked_fields, *own])]
    if details.is_favorite:
        values["is_favorite"] = True
    if details.is_archived:
        values["is_archived"] = True
    if details.taken_at is not None and photo.taken_at_source in ("file", "upload"):
        values["file_modified_at"] = details.taken_at
    if values:
        # Not on `photo` as well: when this is rolled back and done again, it has to decide the same.
        Photo.objects.filter(pk=photo.pk).update(**values)
    if (
        "latitude" in values
        or values.get("file_modified_at", photo.file_modified_at) != photo.file_modified_at
    ):
        # The step knows what follows from them: the clock of the place, and its names.
        ledger.reset(PhotoStep.objects.filter(photo=photo, step="metadata").exclude(status="pending"))
    add_tags(photo, [*details.tags, *details.people])
    if details.xmp:
        name_faces(photo, details.xmp)
    if details.faces:
        # Picasa draws on raw files as it shows them, on others as they are stored.
        name_regions(photo, Regions(details.faces), are_upright=photo.mime_type in RAW_TYPES)


def add_tags(photo: Photo, names: list[str]) -> None:
    """Words on the photo, as by a person; one that a machine put there becomes theirs."""
    rows = [Tag(photo=photo, name=name[:MAX_TAG], source=Tag.Source.PERSON) for name in dict.fromkeys(names)]
    Tag.objects.bulk_create(
        rows, update_conflicts=True, update_fields=["score", "source"], unique_fields=["photo", "name"]
    )
