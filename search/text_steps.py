"""The step that reads the text in a photo."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from django.conf import settings

from jobs.steps import Step, StepResult
from photos.imaging import UndecodableImage, decode_rgb
from photos.models import Photo
from photos.storages import read_bytes, renditions
from search import text_reading
from search.models import PhotoText

SWITCHED_OFF = "Text is not read: CHITRA_OCR is off."
NO_TEXT_IN_VIDEOS = "Text in videos is not read."
PREVIEW_MISSING = "The preview is not in the storage. Retry “Thumbnail and preview”, then this."


def read_texts(photo_ids: Sequence[int]) -> Mapping[int, StepResult]:
    """Read each photo's preview; without the networks they are skipped with what to do."""
    if not settings.OCR:
        return dict.fromkeys(photo_ids, StepResult.skipped(SWITCHED_OFF))
    try:
        reader = text_reading.load(threads=settings.ML_THREADS)
    except text_reading.TextModelError as error:
        return dict.fromkeys(photo_ids, StepResult.skipped(str(error)))
    return {photo.pk: read_text_of(photo, reader) for photo in Photo.objects.filter(pk__in=photo_ids)}


def read_text_of(photo: Photo, reader: text_reading.TextReader) -> StepResult:
    """Keep what is to be read in a photo, in place of what was read before."""
    if photo.is_video:
        return StepResult.skipped(NO_TEXT_IN_VIDEOS)
    try:
        rgb = decode_rgb(read_bytes(renditions(), photo.rendition_key("preview")))
    except FileNotFoundError:
        return StepResult.failed(PREVIEW_MISSING)
    except UndecodableImage as error:
        return StepResult.failed(str(error))
    lines = [asdict(line) for line in reader.read(rgb)]
    if lines:
        PhotoText.keep(photo, lines, text_reading.version())
    else:
        PhotoText.objects.filter(photo=photo).delete()
    return StepResult.done()


def text_version() -> str:
    """That of the networks; another one while switched off, so that what is skipped now is stale later."""
    return text_reading.version() if settings.OCR else "off"


READ_TEXT = Step(
    name="read_text",
    title="Text in the photo",
    run=read_texts,
    version=text_version,
    after="renditions",
    cluster="ml",
    batch_size=4,
    gives_way=True,
)
