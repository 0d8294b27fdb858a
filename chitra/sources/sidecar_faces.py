"""Names on faces, as an XMP sidecar has them."""

from faces import regions
from faces.region_import import apply_regions
from photos.imaging import UndecodableImage
from photos.metadata import read_xmp_packet
from photos.models import Photo
from photos.storages import local_path, originals


def name_faces(photo: Photo, packet: bytes) -> None:
    """Name the faces of the regions in this packet as if by hand; a region without a face becomes one."""
    found = regions.parse(packet)
    if not any(region.name.strip() and region.kind == "face" for region in found.regions):
        return
    try:
        with local_path(originals(), photo.original_key) as path:
            _, orientation = read_xmp_packet(path)
    except (UndecodableImage, FileNotFoundError):
        orientation = 1
    upright = regions.upright(
        found, orientation=orientation, width=photo.width or 0, height=photo.height or 0
    )
    named = [region for region in upright if region.kind == "face" and region.name.strip()]
    apply_regions(photo, named)
