"""Live photos: a photo and a film that are two files, brought together in the library."""

from datetime import timedelta
from pathlib import PurePath

from django.db.models import QuerySet

from photos.models import Photo
from photos.stacks import shot_names
from photos.words import named_like

LONGEST_CLIP_SECONDS = 6.0
"""Longer films beside a photo of the same name are films of their own."""
TOGETHER = timedelta(minutes=15)
"""Files uploaded one after the other within this time came together."""
APPLES_FILMS = {"video/quicktime"}
FILMS = APPLES_FILMS | {"video/mp4"}
PARTNER_TYPES = {"image/heic", "image/heif", "image/jpeg"}


def pair(photo: Photo) -> None:
    """Find the other half of a live photo and hide the film behind the photo; nothing without one."""
    partner = partner_of(photo)
    if partner is None:
        return
    film, still = (photo, partner) if photo.is_video else (partner, photo)
    Photo.objects.filter(pk=film.pk).update(still=still)


def partner_of(photo: Photo) -> Photo | None:
    """By what both files carry, else by name when they came together."""
    if not photo.is_video and photo.mime_type not in PARTNER_TYPES:
        return None
    if photo.is_video and (photo.still_id is not None or not is_short(photo)):
        return None
    others = Photo.objects.filter(library=photo.library_id, deleted_at=None)
    others = others.filter(media_type="photo" if photo.is_video else "video", still=None)
    if photo.is_video:
        others = others.filter(mime_type__in=PARTNER_TYPES)
    else:
        others = others.filter(duration_seconds__lte=LONGEST_CLIP_SECONDS)
    if photo.live_id:
        same: Photo | None = others.filter(live_id=photo.live_id).order_by("pk").first()
        if same is not None or photo.is_video:
            return same
    return partner_by_name(photo, others)


def partner_by_name(photo: Photo, others: "QuerySet[Photo]") -> Photo | None:
    """`IMG_1.HEIC` and `IMG_1.MOV` from one folder, or uploaded within TOGETHER.

    Google's exports have the films of all motion and live photos as MP4 beside them, mostly without what
    files of a pair have in common. A name counts for a film without such a mark.
    """
    films = FILMS if photo.source_path else APPLES_FILMS
    if photo.is_video and photo.mime_type not in films:
        return None
    stem = shot_name(photo)
    named: QuerySet[Photo] = named_like(others, f"{stem}.")
    if not photo.is_video:
        named = named.filter(mime_type__in=films, live_id="")
    near = named.filter(
        created_at__gte=photo.created_at - TOGETHER, created_at__lte=photo.created_at + TOGETHER
    )
    for other in near.order_by("pk"):
        if shot_name(other) == stem and folder_of(other) == folder_of(photo):
            return other
    return None


def shot_name(photo: Photo) -> str:
    """`PXL_1` of `PXL_1.MP.jpg` and its film `PXL_1.MP`, in capitals."""
    return PurePath(photo.original_name.upper()).stem.removesuffix(".MP")


def folder_of(photo: Photo) -> str:
    """Where its file lay; in whichever part of a split export."""
    return shot_names.folder_of(photo.source_path).rpartition(".zip/")[2]


def is_short(photo: Photo) -> bool:
    return photo.duration_seconds is not None and photo.duration_seconds <= LONGEST_CLIP_SECONDS
