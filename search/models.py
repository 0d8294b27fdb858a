"""Vectors of photos and of queries, by encoder and version."""

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from pgvector.django import HalfVectorField

from photos.models import Photo
from photos.querysets import ScopedQuerySet


class EncoderVersion(models.Model):
    """An encoder with its weights and preprocessing: its vectors can be compared with each other only."""

    version = models.CharField(max_length=200, unique=True)
    dimensions = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.version


class PhotoEmbeddingQuerySet(ScopedQuerySet["PhotoEmbedding"]):
    library_path = "photo__library_id"


class PhotoEmbedding(models.Model):
    """The vector of a photo by one encoder version, L2-normalised."""

    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="embeddings")
    encoder = models.ForeignKey(EncoderVersion, on_delete=models.CASCADE, related_name="embeddings")
    vector = HalfVectorField()

    objects: ClassVar[Any] = PhotoEmbeddingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["encoder", "photo"], name="one_vector_per_encoder_and_photo")
        ]

    def __str__(self) -> str:
        return f"{self.encoder} of photo {self.photo_id}"


class TextEmbedding(models.Model):
    """The vector of a query text, kept so that asking twice costs no model."""

    encoder = models.ForeignKey(EncoderVersion, on_delete=models.CASCADE, related_name="texts")
    text = models.CharField(max_length=500)
    vector = HalfVectorField()
    cutoff = models.FloatField(help_text="The score below which a photo does not show it.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["encoder", "text"], name="one_vector_per_encoder_and_text")
        ]

    def __str__(self) -> str:
        return self.text
