"""Scans as tests look at them."""

from pathlib import Path
from typing import Any

from chitra.sources.models import Folder
from chitra.sources.scanning import Scan
from photos.models import Photo


def scan(folder: Folder, **options: Any) -> dict[str, int]:
    """What a scan counts, without zeros and sums."""
    folder.refresh_from_db()
    counts = Scan(folder, **options).run().counts
    return {kind: count for kind, count in counts.items() if count and kind not in {"found", "problems"}}


def photo_at(root: Path, name: str) -> Photo:
    photo: Photo = Photo.objects.get(original_key__endswith=f"{root}/{name}")
    return photo
