"""The admin of encoders, their vectors, which are neither loaded nor shown, and of texts in photos."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from jobs.admin import ReadOnlyAdmin
from photos.admin.pictures import photo_thumbnail
from search.models import EncoderVersion, PhotoEmbedding, PhotoText, TextEmbedding


@admin.register(EncoderVersion)
class EncoderVersionAdmin(ReadOnlyAdmin):
    list_display = ["version", "dimensions", "vectors", "created_at"]
    search_fields = ["version"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(vectors_counted=Count("embeddings"))

    @admin.display(description="photos with a vector", ordering="vectors_counted")
    def vectors(self, version: Any) -> int:
        return int(version.vectors_counted)


@admin.register(PhotoEmbedding)
class PhotoEmbeddingAdmin(ReadOnlyAdmin):
    list_display = ["thumbnail", "photo", "encoder"]
    list_display_links = ["thumbnail", "photo"]
    list_filter = ["encoder"]
    list_select_related = ["photo", "encoder"]
    search_fields = ["photo__original_name"]
    ordering = ["-pk"]
    fields = ["thumbnail", "photo", "encoder"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PhotoEmbedding]:
        return super().get_queryset(request).defer("vector")

    @admin.display(description="")
    def thumbnail(self, embedding: PhotoEmbedding) -> SafeString | str:
        return photo_thumbnail(embedding.photo)


@admin.register(TextEmbedding)
class TextEmbeddingAdmin(ReadOnlyAdmin):
    """Queries that were asked. A cache, so rows may be deleted at any time."""

    list_display = ["text", "encoder", "cutoff"]
    list_filter = ["encoder"]
    list_select_related = ["encoder"]
    search_fields = ["text"]
    ordering = ["-pk"]
    fields = ["text", "encoder", "cutoff"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[TextEmbedding]:
        return super().get_queryset(request).defer("vector")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super(ReadOnlyAdmin, self).has_delete_permission(request, obj)


@admin.register(PhotoText)
class PhotoTextAdmin(ReadOnlyAdmin):
    list_display = ["thumbnail", "photo", "text_start", "version"]
    list_display_links = ["thumbnail", "photo"]
    list_filter = ["version"]
    list_select_related = ["photo"]
    search_fields = ["photo__original_name", "text"]
    ordering = ["-pk"]
    fields = ["thumbnail", "photo", "text", "version"]
    readonly_fields = ["thumbnail"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PhotoText]:
        return super().get_queryset(request).defer("lines", "folded", "search")

    @admin.display(description="")
    def thumbnail(self, read: PhotoText) -> SafeString | str:
        return photo_thumbnail(read.photo)

    @admin.display(description="text")
    def text_start(self, read: PhotoText) -> str:
        return Truncator(read.text).chars(80)
