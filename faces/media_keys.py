"""The crops of faces among the objects in storage."""

import re
from collections.abc import Sequence
from typing import Any

from faces.models import Face
from photos.media_keys import KeyOwner, Media
from photos.serving import THUMBNAIL_CACHE, Item

CROP_KEY = re.compile(r"[0-9]+/[0-9a-f]{2}/([0-9a-f]{32})/face-[0-9a-f]{32}\.webp")
OLD_CROP_KEY = re.compile(r"thumbnails/faces/face_([0-9]{1,18})\.jpg")


def crop_item(face: Face) -> Item:
    """The crop of a face that has one."""
    return Item(
        key=face.crop_key,
        mime_type="image/webp",
        etag=face.crop_key.rpartition("-")[2].partition(".")[0],
        cache_control=THUMBNAIL_CACHE,
        is_small=True,
    )


def find_crop(user: Any, key: str) -> Media | None:
    """By key, or by the old system's key."""
    faces = Face.objects.visible_to(user).exclude(crop_key="")
    if match := OLD_CROP_KEY.fullmatch(key):
        face = faces.filter(pk=int(match[1])).first()
    elif match := CROP_KEY.fullmatch(key):  # the photo's UUID has an index, the key has none
        face = faces.filter(photo__uuid=match[1], crop_key=key).first()
    else:
        return None
    return None if face is None else Media("renditions", crop_item(face))


def known_crops(keys: Sequence[str]) -> set[str]:
    """Those of the keys that a face has."""
    uuids = {match[1] for key in keys if (match := CROP_KEY.fullmatch(key))}
    there = Face.objects.filter(photo__uuid__in=uuids).values_list("crop_key", flat=True)
    return set(there).intersection(keys)


FACE_KEYS = KeyOwner(find=find_crop, known=known_crops)
