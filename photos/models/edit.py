"""The journal of what people corrected about photos: enough to undo it."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from photos.querysets import ScopedQuerySet


class PhotoEdit(models.Model):
    """What somebody changed at one go, of one photo or of many."""

    library = models.ForeignKey("photos.Library", on_delete=models.CASCADE, related_name="edits")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    summary = models.CharField(max_length=300, help_text="One line for people.")
    at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[ScopedQuerySet["PhotoEdit"]] = ScopedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [models.Index(fields=["library", "-at"], name="edit_newest")]

    def __str__(self) -> str:
        return self.summary


class EditedPhoto(models.Model):
    """One photo of an edit: the columns that changed, before and after, and what was locked by it."""

    edit = models.ForeignKey(PhotoEdit, on_delete=models.CASCADE, related_name="photos")
    photo = models.ForeignKey("photos.Photo", on_delete=models.CASCADE, related_name="edits")
    before = models.JSONField()
    after = models.JSONField()
    newly_locked = ArrayField(models.CharField(max_length=20), default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["edit", "photo"], name="a_photo_once_per_edit")]

    def __str__(self) -> str:
        return f"photo {self.photo_id} in edit {self.edit_id}"
