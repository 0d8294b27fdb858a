"""Metadata of any original: what a film says is weighed against XMP and a sidecar as a picture's tags are."""

from dataclasses import replace
from pathlib import Path

from photos.formats import filetypes, video
from photos.formats.exif import ExifTags, Value
from photos.formats.film_tags import FilmTags
from photos.formats.imaging import UndecodableImage
from photos.metadata import pictures
from photos.metadata.pictures import Blocks, Metadata
from photos.metadata.xmp import XmpProperties, read_xmp


def read_metadata(path: Path, *, sidecar: bytes = b"") -> Metadata:
    """Of a picture or video, told by content; `sidecar` is an XMP file's bytes.

    Raises UndecodableImage for anything else.
    """
    with path.open("rb") as file:
        kind = filetypes.sniff(file.read(filetypes.HEAD_BYTES))
    if kind is None or kind.family != "video":
        return pictures.read_metadata(path, sidecar=sidecar)
    try:
        return of_film(video.read_facts(path, kind).tags, read_xmp(sidecar))
    except UndecodableImage:
        return Metadata()  # the poster's step says what is wrong


def of_film(tags: FilmTags, sidecar: XmpProperties) -> Metadata:
    """Sidecar, the container's own tags, XMP in the container: the first that says something."""
    own = XmpProperties(
        latitude=tags.latitude,
        longitude=tags.longitude,
        title=tags.title,
        description=tags.description,
        keywords=tags.keywords,
    )
    xmp = read_xmp(tags.xmp)
    exif: dict[str, Value] = {"Make": tags.camera_make, "Model": tags.camera_model}
    if tags.altitude is not None:
        exif["GPSAltitude"] = (abs(tags.altitude),)
        exif["GPSAltitudeRef"] = (1.0,) if tags.altitude < 0 else (0.0,)
    found = pictures.interpret(Blocks(ExifTags(exif), own.or_else(xmp), sidecar=sidecar))
    if tags.time is None or sidecar.dates:
        return found
    return replace(found, time=tags.time)
