"""Metadata of any original. A film's few tags are read as the EXIF and XMP of a picture would be."""

from datetime import UTC
from pathlib import Path

from photos import filetypes, metadata, video
from photos.exif import ExifTags, Value
from photos.imaging import UndecodableImage
from photos.metadata import Blocks, Metadata
from photos.video import VideoFacts
from photos.xmp import XmpProperties, read_xmp


def read_metadata(path: Path, *, sidecar: bytes = b"") -> Metadata:
    """Of a picture or video, told by content; `sidecar` is an XMP file's bytes.

    Raises UndecodableImage for anything else.
    """
    with path.open("rb") as file:
        kind = filetypes.sniff(file.read(filetypes.HEAD_BYTES))
    if kind is None or kind.family != "video":
        return metadata.read_metadata(path, sidecar=sidecar)
    try:
        return of_video(video.read_facts(path, kind), read_xmp(sidecar))
    except UndecodableImage:
        return Metadata()  # the poster's step says what is wrong


def of_video(facts: VideoFacts, sidecar: XmpProperties) -> Metadata:
    """Time, place and camera. An instant without the zone of the place counts as that of a GPS clock."""
    tags: dict[str, Value] = {"Make": facts.camera_make, "Model": facts.camera_model}
    if facts.recorded_at is not None and facts.has_zone:
        offset = f"{facts.recorded_at:%z}"
        tags["DateTimeOriginal"] = f"{facts.recorded_at:%Y:%m:%d %H:%M:%S}"
        tags["OffsetTimeOriginal"] = f"{offset[:3]}:{offset[3:5]}"
    elif facts.recorded_at is not None:
        instant = facts.recorded_at.astimezone(UTC)
        tags["GPSDateStamp"] = f"{instant:%Y:%m:%d}"
        tags["GPSTimeStamp"] = (float(instant.hour), float(instant.minute), float(instant.second))
    if facts.altitude is not None:
        tags["GPSAltitude"] = (abs(facts.altitude),)
        tags["GPSAltitudeRef"] = (1.0,) if facts.altitude < 0 else (0.0,)
    place = XmpProperties(latitude=facts.latitude, longitude=facts.longitude)
    return metadata.interpret(Blocks(ExifTags(tags), place, sidecar=sidecar))
