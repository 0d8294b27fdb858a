"""Vectors of photos and of queries, by encoder and version; the text in photos."""

import re
from typing import Any, ClassVar, Self

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchQuery, SearchVector, SearchVectorField
from django.db import models
from django.utils import timezone
from pgvector.django import HalfVectorField

from photos.models import Photo
from photos.querysets import AnyUser, ScopedQuerySet
from search.words import fold, fold_query

LONE_OR = re.compile(r"\bor\b")  # a choice to PostgreSQL; here every word is required


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


class PhotoTextQuerySet(ScopedQuerySet["PhotoText"]):
    library_path = "photo__library_id"

    def visible_to(self, user: AnyUser) -> Self:
        """What `user` may see, without what lies in the trash."""
        return super().visible_to(user).filter(photo__deleted_at__isnull=True)

    def containing(self, words: str) -> Self:
        """Texts with every one of these words, of which the last may be unfinished.

        "In quotes" is a phrase, -without excludes a word. No words are in no text.
        """
        query = fold_query(words)
        if not query:
            return self.none()
        finished, _, last = query.rpartition(" ")
        if '"' in query or not last.isalnum():
            return self.filter(search=_words_query(query))
        beginning = SearchQuery(f"{last}:*", config="simple", search_type="raw")
        return self.filter(search=_words_query(finished) & beginning if finished else beginning)


def _words_query(folded: str) -> SearchQuery:
    required = folded if '"' in folded else LONE_OR.sub('"or"', folded)
    return SearchQuery(required, config="simple", search_type="websearch")


class PhotoText(models.Model):
    """What is to be read in a photo; a photo without text has no row."""

    photo = models.OneToOneField(Photo, on_delete=models.CASCADE, related_name="text")
    lines = models.JSONField(
        help_text="In reading order: text, box (x1, y1, x2, y2 in fractions of the upright photo), score."
    )
    text = models.TextField(help_text="All lines.")
    folded = models.TextField(editable=False, help_text="The text as words are compared.")
    version = models.CharField(max_length=100, help_text="Of what read it.")
    search = models.GeneratedField(
        expression=SearchVector("folded", config="simple"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects: ClassVar[Any] = PhotoTextQuerySet.as_manager()

    class Meta:
        indexes = [GinIndex(fields=["search"], name="photo_text_words")]

    def __str__(self) -> str:
        return f"Text in photo {self.photo_id}"

    @classmethod
    def keep(cls, photo: Photo, lines: list[dict[str, Any]], version: str) -> None:
        """Write these lines of a photo, over older ones."""
        text = "\n".join(line["text"] for line in lines)
        values = {"lines": lines, "text": text, "folded": fold(text), "version": version}
        cls.objects.update_or_create(photo=photo, defaults=values)
