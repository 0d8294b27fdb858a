"""Faces of photos: detect, keep, crop. What people told the machine is never undone by it."""

import uuid
from collections.abc import Sequence

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction

from faces import custom_pack, detection, packs
from faces.geometry import Rgb
from faces.models import Face, FaceEmbedding, FaceModelVersion
from jobs import ledger
from photos.formats import rendering
from photos.formats.decoding import decode
from photos.formats.imaging import UndecodableImage, crop_square, decode_rgb
from photos.models import Photo, PhotoStep
from photos.storages import local_path, originals, read_bytes, renditions
from photos.vectors import ensure_hnsw_index

SAME_FACE_OVERLAP = 0.5  # intersection over union from which two boxes are one face
DRAWN_FACE_OVERLAP = 0.3
MIN_SCORE = 0.5
LARGER = 1.25  # a picture this many times as long as its preview shows more of small faces
LARGEST_SIDE = 4096  # pixels of an original that are looked at


def pack_choice(*, may_download: bool = False) -> packs.PackChoice:
    """The face pack in use. Workers may download one; pages only look.

    Looked up each time (some `stat` calls): what a worker has decided is then true in every process at once.
    """
    return _choose(may_download)


def _choose(may_download: bool) -> packs.PackChoice:
    if settings.FACE_PACK == custom_pack.NAME:
        return custom_pack.choose(
            settings.FACE_DETECTOR,
            settings.FACE_RECOGNIZER,
            dimensions=settings.FACE_DIMENSIONS,
            match_threshold=settings.FACE_MATCH_PERCENT / 100,
        )
    return packs.choose(
        pack=settings.FACE_PACK,
        model_dir=settings.MODEL_DIR,
        state_dir=settings.STATE_DIR,
        may_download=may_download,
    )


def model_version(choice: packs.PackChoice) -> FaceModelVersion:
    """The row of the chosen pack, made with its index at the first use."""
    version, created = FaceModelVersion.objects.get_or_create(
        version=choice.version, defaults={"dimensions": choice.dimensions}
    )
    if created:
        ensure_hnsw_index(
            FaceEmbedding, column="model_id", version_id=version.pk, dimensions=version.dimensions
        )
    return version


def look_at(photo: Photo, model: detection.FaceModel) -> tuple[Rgb, list[detection.DetectedFace]]:
    """A photo's preview and the faces on it. Not for the ORM: it may run in a thread."""
    rgb = decode_rgb(read_bytes(renditions(), photo.rendition_key("preview")))
    return rgb, model.detect(rgb, min_score=MIN_SCORE)


def keep_faces(
    photo: Photo,
    seen: tuple[Rgb, list[detection.DetectedFace]],
    model: detection.FaceModel,
    version: FaceModelVersion,
) -> int:
    """Keep what `look_at` saw on a photo, with vectors and crops. Returns how many faces there are.

    Of a crowd the original is looked at. Done again, a face found before (by overlap) keeps its row and
    person. One that is not found any more stays when it has a person or was drawn, and is described where it
    is; what is no face stays none.
    """
    rgb, found = seen
    if detection.shows_crowd(found, *rgb.shape[:2]) and (larger := larger_picture(photo, rgb)) is not None:
        rgb, found = larger, model.detect(larger, min_score=MIN_SCORE)
    with transaction.atomic():
        known = list(Face.objects.filter(photo=photo).select_for_update().order_by("pk"))
        pairs, gone = match_boxes(known, found)
        for face, now in pairs:
            if face is None or not face.is_dismissed:
                save_face(photo, face, now, rgb, version)
        for face in gone:
            keep_or_drop(photo, face, rgb, model, version)
    return len(found)


def larger_picture(photo: Photo, preview: Rgb) -> Rgb | None:
    """Pixels of the original, when it is at hand and shows a picture clearly larger than its preview."""
    if photo.is_video or max(photo.width or 0, photo.height or 0) < LARGER * max(preview.shape):
        return None
    try:
        with local_path(originals(), photo.original_key) as path:
            return decode(rendering.larger_picture, path, side=LARGEST_SIDE, max_pixels=settings.MAX_PIXELS)
    except (FileNotFoundError, UndecodableImage):
        return None


def keep_or_drop(
    photo: Photo, face: Face, rgb: Rgb, model: detection.FaceModel, version: FaceModelVersion
) -> None:
    """A known face that the detector does not see: what only it had found goes, all else is described."""
    if face.is_dismissed:
        return
    if face.person_id is None and not face.is_drawn and face.assigned_by == Face.AssignedBy.NOBODY:
        face.delete()
    elif not face.crop_key or not FaceEmbedding.objects.filter(face=face, model=version).exists():
        seen = model.describe(rgb, face.box, face.landmarks, score=face.detection_score)
        save_face(photo, face, seen, rgb, version)


def match_boxes(
    known: Sequence[Face], found: Sequence[detection.DetectedFace]
) -> tuple[list[tuple[Face | None, detection.DetectedFace]], list[Face]]:
    """Each found face with the known one it overlaps best (or None), and the known ones nothing overlaps."""
    left = list(known)
    pairs: list[tuple[Face | None, detection.DetectedFace]] = []
    for seen in found:
        best = max(left, key=lambda face: intersection_over_union(face.box, seen.box), default=None)
        if best is not None and intersection_over_union(best.box, seen.box) >= needed_overlap(best):
            left.remove(best)
            pairs.append((best, seen))
        else:
            pairs.append((None, seen))
    return pairs, left


def needed_overlap(face: Face) -> float:
    """A person's box is rougher than a detector's, and “not a face” must not come back a little aside."""
    return DRAWN_FACE_OVERLAP if face.is_dismissed or face.is_drawn else SAME_FACE_OVERLAP


def intersection_over_union(a: Sequence[float], b: Sequence[float]) -> float:
    """Overlap of two boxes x1, y1, x2, y2: 0 (apart) to 1 (equal)."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return common / (areas - common)


def save_face(
    photo: Photo,
    face: Face | None,
    seen: detection.DetectedFace,
    rgb: Rgb,
    version: FaceModelVersion,
) -> None:
    """Write one found face: crop first, then row and vector. A box drawn by hand stays as it was drawn."""
    face = face or Face(photo=photo)
    if not face.is_drawn:
        face.x1, face.y1, face.x2, face.y2 = seen.box
    face.landmarks = [list(point) for point in seen.landmarks]
    face.detection_score, face.quality = seen.score, seen.quality
    if not face.crop_key:
        face.crop_key = (
            f"{photo.library_id}/{photo.uuid.hex[:2]}/{photo.uuid.hex}/face-{uuid.uuid4().hex}.webp"
        )
    renditions().delete(face.crop_key)
    renditions().save(face.crop_key, ContentFile(crop_square(rgb, face.box), name=face.crop_key))
    face.save()
    FaceEmbedding.objects.update_or_create(face=face, model=version, defaults={"vector": seen.embedding})


def forget_description(face_ids: Sequence[int]) -> None:
    """Vectors, landmarks and crops belong to a box: faces that moved get new ones in the background."""
    FaceEmbedding.objects.filter(face__in=face_ids).delete()
    rows = Face.objects.filter(pk__in=face_ids)
    rows.update(landmarks=[], crop_key="", quality=0.0)
    describe_again(list(rows.values_list("photo_id", flat=True)))


def describe_again(photo_ids: Sequence[int]) -> None:
    """Have the step “faces” look at these photos again."""
    if photo_ids:
        ledger.reset(PhotoStep.objects.filter(photo__in=photo_ids, step="faces"))
