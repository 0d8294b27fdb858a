"""Which object belongs to which photo: the way from a storage key to what may be seen of it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from django.conf import settings
from django.utils.module_loading import import_string

from photos.models import Photo
from photos.pictures import Picture
from photos.playback_step import PLAYBACK_VERSION
from photos.serving import ORIGINAL_CACHE, THUMBNAIL_CACHE, Item
from photos.steps import RENDITIONS_VERSION
from photos.storages.folders import MAX_KEY

RENDITION_KEY = re.compile(r"[0-9]+/[0-9a-f]{2}/([0-9a-f]{32})/(thumbnail\.webp|preview\.webp|playback\.mp4)")
RENDITION_KINDS = ("thumbnail", "preview", "playback")
OLD_THUMBNAIL_KEY = re.compile(r"thumbnails/photos/([0-9]{1,18})\.jpg")


@dataclass(frozen=True)
class Media:
    """An object in one of the two storages."""

    storage: Literal["originals", "renditions"]
    item: Item


@dataclass(frozen=True)
class KeyOwner:
    """One kind of objects. `find` gives the object behind a key to somebody who may see it.

    `known` says which of some rendition keys belong to rows that are there, so that the others are orphans.
    """

    find: Callable[[Any, str], Media | None]
    known: Callable[[Sequence[str]], set[str]]


@cache
def key_owners() -> tuple[KeyOwner, ...]:
    """Those of MEDIA_KEYS. Raises ImportError for a name that cannot be resolved."""
    return tuple(import_string(name) for name in settings.MEDIA_KEYS)


def find_media(user: Any, key: str) -> Media | None:
    """What a key stands for, if `user` may see it."""
    if "\0" in key or len(key) > MAX_KEY:
        return None
    found = (owner.find(user, key) for owner in key_owners())
    return next((media for media in found if media is not None), None)


def original_item(photo: Photo | Picture, *, download: bool = False) -> Item:
    """The original of a photo."""
    return Item(
        key=photo.original_key,
        mime_type=photo.mime_type,
        etag=photo.checksum,
        cache_control=ORIGINAL_CACHE,
        download_name=photo.original_name if download else "",
    )


def rendition_item(photo: Photo | Picture, kind: str) -> Item:
    """The thumbnail or preview of a photo."""
    return Item(
        key=photo.rendition_key(kind),
        mime_type="image/webp",
        etag=f"{photo.checksum[:32]}-{kind}-{RENDITIONS_VERSION}",
        cache_control=THUMBNAIL_CACHE,
        is_small=kind == "thumbnail",
    )


def playback_item(photo: Photo) -> Item:
    """The film of a video or motion photo as browsers play it."""
    return Item(
        key=photo.rendition_key("playback"),
        mime_type="video/mp4",
        etag=f"{photo.checksum[:32]}-playback-{PLAYBACK_VERSION}",
        cache_control=ORIGINAL_CACHE,
    )


def find_photo_media(user: Any, key: str) -> Media | None:
    """Originals by key, renditions by key, thumbnails also by the old system's key."""
    visible = Photo.objects.visible_to(user)
    if match := RENDITION_KEY.fullmatch(key):
        photo = visible.filter(uuid=match[1], has_renditions=True).first()
        kind = match[2].partition(".")[0]
        if photo is not None and photo.rendition_key(kind) == key:
            is_film = kind == "playback"
            return Media("renditions", playback_item(photo) if is_film else rendition_item(photo, kind))
    elif match := OLD_THUMBNAIL_KEY.fullmatch(key):
        photo = visible.filter(pk=int(match[1]), has_renditions=True).first()
        if photo is not None:
            return Media("renditions", rendition_item(photo, "thumbnail"))
    photo = visible.filter(original_key=key).first()
    return None if photo is None else Media("originals", original_item(photo))


def known_renditions(keys: Sequence[str]) -> set[str]:
    """Keys of thumbnails, previews and films whose photo is there."""
    matches = {key: match for key in keys if (match := RENDITION_KEY.fullmatch(key))}
    photos = Photo.objects.filter(uuid__in={match[1] for match in matches.values()})
    possible = {photo.rendition_key(kind) for photo in photos for kind in RENDITION_KINDS}
    return possible & matches.keys()


PHOTO_KEYS = KeyOwner(find=find_photo_media, known=known_renditions)
