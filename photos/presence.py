"""Which files a library has already, before anybody sends them."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q

from photos.models import Library, Photo

SHA1_DIGITS = 40


def known_checksums(library: Library, checksums: Sequence[str]) -> dict[str, dict[str, Any]]:
    """`{photo_id, is_trashed}` by each of these SHA-256 or SHA-1 (lower-case hex) that is there; one query.

    A photo in the trash is there too: sending it again would bring it back.
    """
    wanted = set(checksums)
    short = [text for text in wanted if len(text) == SHA1_DIGITS]
    long = [text for text in wanted if len(text) != SHA1_DIGITS]
    same = Photo.objects.filter(Q(checksum__in=long) | Q(sha1__in=short), library=library)
    known: dict[str, dict[str, Any]] = {}
    for pk, sha256, sha1, deleted_at in same.values_list("pk", "checksum", "sha1", "deleted_at"):
        for text in wanted & {sha256, sha1}:
            known[text] = {"photo_id": pk, "trashed": deleted_at is not None}
    return known
