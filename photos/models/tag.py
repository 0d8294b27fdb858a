"""Words on photos, and the files that said more about them."""

from typing import Any, ClassVar

from django.db import models

from photos.models.photo import Photo
from photos.querysets import ScopedQuerySet
from photos.words import TAG_LEAF


class TagQuerySet(ScopedQuerySet["Tag"]):
    library_path = "photo__library_id"


class Tag(models.Model):
    """A word on a photo, by a person or a keyword of the file (score 1) or by a model (score 0 to 1)."""

    class Source(models.TextChoices):
        PERSON = "person", "a person"
        FILE = "file", "the file"
        MACHINE = "machine"

    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=200, db_index=True)
    score = models.FloatField(default=1.0)
    source = models.CharField(max_length=10, choices=Source, default=Source.PERSON)

    objects: ClassVar[Any] = TagQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["photo", "name"], name="one_tag_per_photo_and_name")]
        indexes = [models.Index(TAG_LEAF, name="tag_leaf")]

    def __str__(self) -> str:
        return self.name


class Sidecar(models.Model):
    """The XMP file that lay beside an original when it was imported; programs write corrections there."""

    photo = models.OneToOneField(Photo, on_delete=models.CASCADE, related_name="sidecar")
    xmp = models.BinaryField()

    def __str__(self) -> str:
        return f"sidecar of photo {self.photo_id}"
