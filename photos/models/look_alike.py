"""Photos that look alike, as pairs that were found, and what people said about them."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from photos.querysets import ScopedQuerySet


class LookAlikeQuerySet(ScopedQuerySet["LookAlike"]):
    def open(self) -> Any:
        """Pairs to review: both outside the trash, not told apart, and not in one stack anyway."""
        shown = {
            f"{side}__{name}__isnull": True for side in ("photo", "other") for name in ("deleted_at", "still")
        }
        # NULLs: one that is in no stack is in another than the other's.
        together = Q(photo__stack=F("other__stack"), photo__stack__isnull=False)
        return self.filter(told_apart_at__isnull=True, **shown).exclude(together)


class LookAlike(models.Model):
    """Two photos of a library whose perceptual hashes differ in `distance` bits; `photo` has the lower id."""

    library = models.ForeignKey("photos.Library", on_delete=models.CASCADE, related_name="+")
    photo = models.ForeignKey("photos.Photo", on_delete=models.CASCADE, related_name="look_alikes")
    other = models.ForeignKey("photos.Photo", on_delete=models.CASCADE, related_name="+")
    distance = models.PositiveSmallIntegerField()
    found_at = models.DateTimeField(default=timezone.now)
    told_apart_at = models.DateTimeField(
        null=True, blank=True, help_text="When somebody said that these are no duplicates."
    )
    told_apart_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects: ClassVar[Any] = LookAlikeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["photo", "other"], name="one_row_per_pair_of_look_alikes"),
            models.CheckConstraint(condition=Q(photo__lt=F("other")), name="look_alikes_by_rising_ids"),
        ]
        indexes = [
            models.Index(
                fields=["library", "-id"], condition=Q(told_apart_at__isnull=True), name="look_alikes_open"
            )
        ]

    def __str__(self) -> str:
        return f"photos {self.photo_id} and {self.other_id}"
