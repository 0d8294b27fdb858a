"""A photo as far as serving its files needs it: an instance of the model costs more than to ask for it."""

from typing import NamedTuple
from uuid import UUID


class Picture(NamedTuple):
    """Columns of a photo, by their names in the model."""

    id: int
    library_id: int
    uuid: UUID
    original_name: str
    original_key: str
    checksum: str
    mime_type: str
    has_renditions: bool

    def rendition_key(self, kind: str) -> str:
        return rendition_key(self.library_id, self.uuid, kind)


def rendition_key(library_id: int, uuid: UUID, kind: str) -> str:
    """Storage key of a photo's `thumbnail`, `preview` or `playback`."""
    extension = "mp4" if kind == "playback" else "webp"
    return f"{library_id}/{uuid.hex[:2]}/{uuid.hex}/{kind}.{extension}"
