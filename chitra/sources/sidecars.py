"""What an XMP file beside a picture says, the names on its faces among it."""

from pathlib import Path

from faces import regions
from faces.region_import import apply_regions
from photos.formats.decoding import decode
from photos.formats.imaging import UndecodableImage, stored_size
from photos.importing import keep_sidecar, read_sidecar
from photos.metadata.pictures import read_xmp_packet
from photos.models import Photo
from photos.storages import local_path, originals


def take_sidecar(photo: Photo, picture: Path) -> None:
    """Keep the sidecar of a picture in a folder, if it has one that can be read."""
    try:
        xmp = read_sidecar(picture)
    except OSError:
        return  # a scan names it, for it reads that file too
    keep_sidecar(photo, xmp)
    name_faces(photo, xmp)


def name_faces(photo: Photo, packet: bytes) -> None:
    """Name the faces of the regions in this packet as if by hand; a region without a face becomes one."""
    found = regions.parse(packet)
    if not any(region.name.strip() and region.kind == "face" for region in found.regions):
        return
    orientation, (width, height) = how_it_lies(photo)
    upright = regions.upright(found, orientation=orientation, width=width, height=height)
    named = [region for region in upright if region.kind == "face" and region.name.strip()]
    apply_regions(photo, named)


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
