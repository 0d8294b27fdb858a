"""The steps of this app: metadata, renditions, and what they tell about neighbours."""

from collections.abc import Mapping, Sequence

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction

from jobs import ledger
from jobs.steps import Step, StepResult
from photos import playback_step
from photos.dates.capture_time import decide
from photos.formats import imaging, rendering
from photos.formats.decoding import decode
from photos.formats.rendering import Renditions
from photos.look_alikes import resemblance
from photos.metadata import reading
from photos.metadata.pictures import Metadata
from photos.models import Photo, Sidecar, Tag
from photos.places import Place, place_at
from photos.stacks import live_photos, stacking
from photos.storages import local_path, originals, renditions

METADATA_VERSION = "4"
RENDITIONS_VERSION = "2"
NEIGHBOURS_VERSION = "1"
ORIGINAL_MISSING = "The original is not in the storage. Check the storage, then retry."


def read_metadata(photo_ids: Sequence[int]) -> Mapping[int, StepResult]:
    """EXIF of each original into the photo's columns."""
    photos = Photo.objects.select_related("library").filter(pk__in=photo_ids)
    results = {photo.pk: read_metadata_of(photo) for photo in photos}
    stacking.place(results)
    return results


def read_metadata_of(photo: Photo) -> StepResult:
    """What the file says, and what follows from it."""
    try:
        with local_path(originals(), photo.original_key) as path:
            found = decode(reading.read_metadata, path, sidecar=sidecar_of(photo))
    except FileNotFoundError:
        return StepResult.failed(ORIGINAL_MISSING)
    except imaging.UndecodableImage as error:
        return StepResult.failed(str(error))
    with transaction.atomic():
        # Read again: while the file was looked at, somebody may have corrected what it says.
        current = Photo.objects.select_for_update(of=("self",)).select_related("library").get(pk=photo.pk)
        apply_metadata(current, found)
        apply_keywords(current, found.keywords)
        current.save(update_fields=METADATA_FIELDS)
    return StepResult.done()


def apply_metadata(photo: Photo, found: Metadata) -> None:
    """Into the photo's columns but those that are locked; not saved."""
    apply_place(photo, found)
    photo.camera_make, photo.camera_model = found.camera_make, found.camera_model
    photo.lens_model = found.lens_model
    photo.iso, photo.f_number = found.iso, found.f_number
    photo.exposure_seconds, photo.focal_length_mm = found.exposure_seconds, found.focal_length_mm
    photo.gps_at = found.gps_at
    for field in ("title", "description", "rating"):
        value = getattr(found, field)
        # What the file does not say an import may have known.
        if value not in ("", None) and not photo.is_locked(field):
            setattr(photo, field, value)
    if photo.is_locked("time") or (found.time is None and photo.is_dated_elsewhere):
        return
    if (time := decide(found.time, photo.surroundings())) is not None:
        photo.set_time(time)


def apply_place(photo: Photo, found: Metadata) -> None:
    """Coordinates, unless locked, and their names. Some that the file does not know came with an import."""
    if not photo.is_locked("place"):
        if found.latitude is not None and found.longitude is not None:
            photo.latitude, photo.longitude = found.latitude, found.longitude
        photo.altitude_metres = found.altitude
    written = Place(found.city, found.region, found.country)
    if photo.coordinates is not None:
        photo.set_place(place_at(*photo.coordinates))
    else:
        photo.set_place(Place() if photo.is_locked("place") else written)


def apply_keywords(photo: Photo, keywords: Sequence[str]) -> None:
    """Tags by the file. One that somebody took away is not given again while the file says the same."""
    gone, new = set(photo.file_keywords) - set(keywords), set(keywords) - set(photo.file_keywords)
    if gone:
        Tag.objects.filter(photo=photo, name__in=gone, source=Tag.Source.FILE).delete()
    rows = [Tag(photo=photo, name=name, source=Tag.Source.FILE) for name in keywords if name in new]
    Tag.objects.bulk_create(rows, ignore_conflicts=True)
    photo.file_keywords = list(keywords)


def sidecar_of(photo: Photo) -> bytes:
    """The XMP file that came with it, b"" for none."""
    return bytes(Sidecar.objects.filter(photo=photo).values_list("xmp", flat=True).first() or b"")


METADATA_FIELDS = [
    "title",
    "description",
    "rating",
    "file_keywords",
    "latitude",
    "longitude",
    "altitude_metres",
    "camera_make",
    "camera_model",
    "lens_model",
    "iso",
    "f_number",
    "exposure_seconds",
    "focal_length_mm",
    "gps_at",
    *Photo.PLACE_FIELDS,
    *Photo.TIME_FIELDS,
]


def make_renditions(photo_ids: Sequence[int]) -> Mapping[int, StepResult]:
    """Thumbnail, preview, thumbhash and perceptual hash of each original, from one decode."""
    return {photo.pk: make_renditions_of(photo) for photo in Photo.objects.filter(pk__in=photo_ids)}


def make_renditions_of(photo: Photo) -> StepResult:
    """Objects first, then the row that says they are there."""
    try:
        with local_path(originals(), photo.original_key) as path:
            made = decode(rendering.make_renditions, path, max_pixels=settings.MAX_PIXELS)
    except FileNotFoundError:
        return StepResult.failed(ORIGINAL_MISSING)
    except imaging.UndecodableImage as error:
        return StepResult.failed(str(error))
    for kind, data in (("thumbnail", made.thumbnail), ("preview", made.preview)):
        replace_rendition(photo.rendition_key(kind), data)
    photo.width, photo.height = made.width, made.height
    photo.thumbhash = made.thumbhash
    photo.perceptual_hash = signed_64(made.perceptual_hash)
    photo.has_renditions = True
    apply_film(photo, made)
    photo.save(update_fields=RENDITION_FIELDS)
    if photo.playback_status == Photo.Playback.PENDING:
        ledger.request(PLAYBACK, [photo.pk])
    live_photos.pair(photo)
    return StepResult.done()


def apply_film(photo: Photo, made: Renditions) -> None:
    """What moves in the file, and how it can be played; not saved. A copy that is there stays of use."""
    photo.is_animated = made.is_animated
    photo.live_id = made.live_id
    photo.burst_id = made.burst_id or photo.burst_id  # else by its name
    photo.media_type = Photo.MediaType.VIDEO if made.video else Photo.MediaType.PHOTO
    photo.duration_seconds = made.video.duration_seconds if made.video else None
    if made.video is not None and made.video.plays_as_is:
        photo.playback_status = Photo.Playback.NOT_NEEDED
    elif made.video is None and made.clip is None:
        photo.playback_status = ""
    elif photo.playback_status != Photo.Playback.READY:
        photo.playback_status = Photo.Playback.PENDING


RENDITION_FIELDS = [
    "width",
    "height",
    "thumbhash",
    "perceptual_hash",
    "has_renditions",
    "is_animated",
    "live_id",
    "burst_id",
    "media_type",
    "duration_seconds",
    "playback_status",
]


def replace_rendition(key: str, data: bytes) -> None:
    """Write a rendition, over an older one if there is one."""
    renditions().save(key, ContentFile(data, name=key))


def signed_64(value: int) -> int:
    """A 64-bit number as PostgreSQL's signed bigint with the same bits."""
    return value - (1 << 64) if value >= 1 << 63 else value


def meet_neighbours(photo_ids: Sequence[int]) -> Mapping[int, StepResult]:
    """Stacks and look-alikes of each photo, by how it looks.

    Stacks are decided when metadata and renditions are there. Whichever comes last decides for good, and the
    first does no harm: so the step before is one of the two, and the other one calls `stacking.place` itself.
    """
    stacking.place(photo_ids)
    resemblance.find_look_alikes(photo_ids)
    return dict.fromkeys(photo_ids, StepResult.done())


METADATA = Step(
    name="metadata",
    title="Metadata",
    run=read_metadata,
    version=lambda: METADATA_VERSION,
    batch_size=16,
)
RENDITIONS = Step(
    name="renditions",
    title="Thumbnail and preview",
    run=make_renditions,
    version=lambda: RENDITIONS_VERSION,
    batch_size=4,
)
NEIGHBOURS = Step(
    name="neighbours",
    title="Stacks and look-alikes",
    run=meet_neighbours,
    version=lambda: NEIGHBOURS_VERSION,
    after="renditions",
    batch_size=32,
)
PLAYBACK = Step(
    name="playback",
    title="Video for browsers",
    run=playback_step.make_playbacks,
    version=lambda: playback_step.PLAYBACK_VERSION,
    cluster="video",
    batch_size=1,
    on_demand=True,
)
