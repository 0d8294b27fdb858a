"""The step that reads the text in a photo."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial

from django.conf import settings

from jobs.steps import Step, StepResult
from photos.formats.imaging import UndecodableImage, decode_rgb
from photos.models import Photo
from photos.storages import read_bytes, renditions
from search import text_reading
from search.models import PhotoText

BATCH_SIZE = 8
SWITCHED_OFF = "Text is not read: CHITRA_OCR is off."
NO_TEXT_IN_VIDEOS = "Text in videos is not read."
PREVIEW_MISSING = "The preview is not in the storage. Retry “Thumbnail and preview”, then this."


def read_texts(photo_ids: Sequence[int]) -> Mapping[int, StepResult]:
    """Read each photo's preview; without the networks they are skipped with what to do.

    Several photos at once, each on few threads: a network of many small parts gains little from more.
    """
    if not settings.OCR:
        return dict.fromkeys(photo_ids, StepResult.skipped(SWITCHED_OFF))
    at_once = min(settings.ML_THREADS, BATCH_SIZE)
    try:
        reader = text_reading.load(threads=settings.ML_THREADS // at_once)
    except text_reading.TextModelError as error:
        return dict.fromkeys(photo_ids, StepResult.skipped(str(error)))
    photos = list(Photo.objects.filter(pk__in=photo_ids))
    with ThreadPoolExecutor(at_once) as threads:
        found = list(threads.map(partial(read_text_of, reader=reader), photos))
    return {photo.pk: keep(photo, lines) for photo, lines in zip(photos, found, strict=True)}


def read_text_of(photo: Photo, reader: text_reading.TextReader) -> list[text_reading.Line] | StepResult:
    """What is to be read in a photo, or why nothing is. Not for the ORM: it runs in a thread."""
    if photo.is_video:
        return StepResult.skipped(NO_TEXT_IN_VIDEOS)
    try:
        rgb = decode_rgb(read_bytes(renditions(), photo.rendition_key("preview")))
    except FileNotFoundError:
        return StepResult.failed(PREVIEW_MISSING)
    except UndecodableImage as error:
        return StepResult.failed(str(error))
    return reader.read(rgb)


def keep(photo: Photo, found: list[text_reading.Line] | StepResult) -> StepResult:
    """Keep the lines of a photo in place of those read before."""
    if isinstance(found, StepResult):
        return found
    if found:
        PhotoText.keep(photo, [asdict(line) for line in found], text_reading.version())
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
    batch_size=BATCH_SIZE,
    gives_way=True,
)
