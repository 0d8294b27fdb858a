"""What an XMP file or Picasa's list beside a picture says, the names on its faces among it."""

from functools import lru_cache
from pathlib import Path

from chitra.sources import picasa
from chitra.sources.archives import MAX_SIDECAR_BYTES
from faces import regions
from faces.region_import import apply_regions
from faces.regions import Region, Regions
from photos.formats.decoding import decode
from photos.formats.imaging import UndecodableImage, stored_size
from photos.importing import drop_sidecar, keep_sidecar, read_sidecar, says_something
from photos.metadata.pictures import read_xmp_packet
from photos.models import Photo
from photos.storages import local_path, originals


def take_sidecar(photo: Photo, picture: Path, *, had_one: bool = False) -> None:
    """Keep the sidecar of a picture in a folder, if it has one that can be read; forget the one it had."""
    try:
        xmp = read_sidecar(picture)
    except OSError:
        return  # a scan names it, for it reads that file too
    if had_one and not says_something(xmp):
        drop_sidecar(photo)
    keep_sidecar(photo, xmp)
    name_faces(photo, xmp)


def has_sidecar(picture: Path) -> bool:
    """Whether one lies beside it that says something."""
    try:
        return says_something(read_sidecar(picture))
    except OSError:
        return False


class PicasaLists:
    """Picasa's lists as one scan finds them: each is looked for once, and read again when it changed."""

    def __init__(self) -> None:
        # Paths in order go up and down between folders.
        self._lists_in = lru_cache(maxsize=64)(picasa_lists)

    def entry_of(self, picture: Path) -> picasa.Entry | None:
        """What the list in the folder of a picture says about it."""
        for path in self._lists_in(picture.parent):
            try:
                status = path.stat()
                if status.st_size <= MAX_SIDECAR_BYTES:
                    return _parsed(path, status.st_mtime_ns, status.st_size).get(picture.name.casefold())
            except OSError:
                continue  # a scan names it, for it reads that file too
        return None


def picasa_lists(folder: Path) -> list[Path]:
    """Picasa's lists in a folder; the one with a dot, which newer versions write, comes first."""
    try:
        return sorted(path for path in folder.iterdir() if picasa.is_ini(path.name) and path.is_file())
    except OSError:
        return []


@lru_cache(maxsize=8)
def _parsed(path: Path, mtime_ns: int, size: int) -> dict[str, picasa.Entry]:
    """Once for all pictures of the folder, as long as the file stays what it is."""
    return picasa.parse(path.read_bytes())


def name_faces(photo: Photo, packet: bytes) -> None:
    """Name the faces of the regions in this packet as if by hand; a region without a face becomes one."""
    name_regions(photo, regions.parse(packet))


def name_regions(photo: Photo, found: Regions, *, are_upright: bool = False) -> None:
    """The same with regions of the picture as it is stored, or of the upright one."""
    if not any(region.name.strip() and region.kind == "face" for region in found.regions):
        return
    drawn = list(found.regions) if are_upright else turned_upright(photo, found)
    named = [region for region in drawn if region.kind == "face" and region.name.strip()]
    apply_regions(photo, named)


def turned_upright(photo: Photo, found: Regions) -> list[Region]:
    orientation, (width, height) = how_it_lies(photo)
    return regions.upright(found, orientation=orientation, width=width, height=height)


def how_it_lies(photo: Photo) -> tuple[int, tuple[int, int]]:
    """EXIF's orientation and the size of the upright picture (0 if unknown): it has no renditions yet."""
    orientation = 1
    try:
        with local_path(originals(), photo.original_key) as path:
            _, orientation = decode(read_xmp_packet, path)
            width, height = decode(stored_size, path)
    except (UndecodableImage, FileNotFoundError):
        return orientation, (0, 0)
    return orientation, (height, width) if orientation >= 5 else (width, height)
