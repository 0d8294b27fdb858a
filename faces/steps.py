"""The step of this app: faces on a photo."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from django.conf import settings

from faces import detection, grouping, region_import, services
from jobs.steps import Step, StepResult
from photos.formats.imaging import UndecodableImage
from photos.models import Photo

NAMES_VERSION = "1"
BATCH_SIZE = 4


def find_faces(photo_ids: Sequence[int]) -> Mapping[int, StepResult]:
    """Detect, embed and crop the faces of each photo, then put the new ones to people.

    Several photos at once, each on few threads: a network of many small parts gains little from more.
    """
    choice = services.pack_choice(may_download=True)
    if not choice.is_available:
        return dict.fromkeys(photo_ids, StepResult.skipped(choice.reason))
    at_once = min(settings.ML_THREADS, BATCH_SIZE)
    try:
        model = detection.load(choice, threads=settings.ML_THREADS // at_once)
    except detection.FaceModelError as error:
        return dict.fromkeys(photo_ids, StepResult.failed(str(error)))
    version = services.model_version(choice)
    photos = list(Photo.objects.filter(pk__in=photo_ids))
    with ThreadPoolExecutor(at_once) as threads:
        seen = list(threads.map(partial(services.look_at, model=model), photos))
    for photo, faces in zip(photos, seen, strict=True):
        services.keep_faces(photo, faces, model, version)
    for library_id in sorted({photo.library_id for photo in photos}):
        in_library = [photo.pk for photo in photos if photo.library_id == library_id]
        grouping.place_new_faces(library_id, in_library, version, threshold=choice.match_threshold)
    return {photo.pk: StepResult.done() for photo in photos}


def faces_version() -> str:
    """The pack in use. Without weights it is none, so that photos skipped meanwhile are stale later."""
    choice = services.pack_choice(may_download=True)
    return choice.version if choice.is_available else ""


FACES = Step(
    name="faces",
    title="Faces",
    run=find_faces,
    version=faces_version,
    after="renditions",
    cluster="ml",
    batch_size=BATCH_SIZE,
)


def take_names(photo_ids: Sequence[int]) -> Mapping[int, StepResult]:
    """Names that other programs wrote into the files, put on the faces found there."""
    return {photo.pk: take_names_of(photo) for photo in Photo.objects.filter(pk__in=photo_ids)}


def take_names_of(photo: Photo) -> StepResult:
    if photo.is_video:
        return StepResult.skipped("videos carry no names of faces")
    try:
        named = region_import.named_regions(photo)
    except FileNotFoundError:
        return StepResult.failed("The original is not in the storage. Check the storage, then retry.")
    except UndecodableImage as error:
        return StepResult.failed(str(error))
    if named:
        region_import.apply_regions(photo, named)
    return StepResult.done()


NAMES = Step(
    name="names",
    title="Names in the file",
    run=take_names,
    version=lambda: NAMES_VERSION,
    after="faces",
    batch_size=16,
)
