"""The ledger's table."""

from typing import Any, ClassVar

from django.db import models

from jobs.models import StepRun
from photos.models.photo import Photo
from photos.querysets import ScopedQuerySet


class PhotoStepQuerySet(ScopedQuerySet["PhotoStep"]):
    library_path = "photo__library_id"


class PhotoStep(StepRun):
    """The ledger: one row per photo and step."""

    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="steps")

    objects: ClassVar[Any] = PhotoStepQuerySet.as_manager()

    class Meta(StepRun.Meta):
        abstract = False
        constraints = [models.UniqueConstraint(fields=["photo", "step"], name="one_row_per_photo_and_step")]

    def __str__(self) -> str:
        return f"{self.step} of photo {self.photo_id}: {self.status}"
