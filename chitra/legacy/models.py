"""What became of every row and file of a legacy system: the state a migration resumes from, and its proof."""

from typing import Any, ClassVar
from uuid import UUID, uuid4, uuid5

from django.db import models

from photos.models import Library


class LegacySystem(models.Model):
    """A legacy library that is moved here. Its name tells two of them apart, which may use the same ids."""

    name = models.CharField(max_length=100, unique=True)
    library = models.ForeignKey(Library, on_delete=models.CASCADE, related_name="legacy_systems")
    uuid = models.UUIDField(default=uuid4, editable=False, help_text="The root of its photos' own uuids.")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name

    def photo_uuid(self, source_key: str) -> UUID:
        """The same for every attempt, so that an interrupted one leaves no object that no later one finds."""
        return uuid5(self.uuid, source_key)


class Kind(models.TextChoices):
    """A table of the legacy database, or the files that no row names."""

    USERS = "users"
    PERSONS = "persons"
    PHOTOS = "photos"
    TAGS = "tags"
    EMBEDDINGS = "embeddings"
    CLUSTERS = "clusters"
    FACES = "faces"
    FACE_THUMBS = "face_thumbs"
    FILES = "files"


class Status(models.TextChoices):
    IMPORTED = "imported"
    DUPLICATE = "duplicate"
    LEFT_OUT = "left out"
    FAILED = "failed"


class OutcomeQuerySet(models.QuerySet["Outcome"]):
    def ended(self) -> "OutcomeQuerySet":
        """Outcomes that a later run does not touch; failed ones are tried again."""
        return self.exclude(status=Status.FAILED)

    def of(self, kind: Kind, keys: Any) -> "OutcomeQuerySet":
        """Those of these rows (ids) or files (keys)."""
        return self.filter(kind=kind, source_key__in=[str(key) for key in keys])


class Outcome(models.Model):
    """How one row or file ended. `target_id` is the row here; for a duplicate that of the one it repeats."""

    system = models.ForeignKey(LegacySystem, on_delete=models.CASCADE, related_name="outcomes")
    kind = models.CharField(max_length=20, choices=Kind)
    source_key = models.TextField(help_text="The row's id, or the file's key.")
    status = models.CharField(max_length=10, choices=Status)
    code = models.CharField(
        max_length=30, blank=True, help_text="Which of the documented cases; empty: plain."
    )
    reason = models.TextField(blank=True)
    target_id = models.BigIntegerField(null=True)
    path = models.TextField(blank=True, help_text="The photo's file path in the legacy system.")
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[Any] = OutcomeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["system", "kind", "source_key"], name="one_outcome_per_source_row"
            )
        ]
        indexes = [models.Index(fields=["system", "kind", "status", "code"], name="legacy_outcome_counts")]

    def __str__(self) -> str:
        return f"{self.kind} {self.source_key}: {self.status}"
