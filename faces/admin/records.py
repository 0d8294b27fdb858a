"""What is only looked at: face models, vectors, the journal, answers."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from faces.admin.pictures import face_crop
from faces.models import (
    FaceEmbedding,
    FaceModelVersion,
    FaceRejection,
    JournalEntry,
    PersonDistinction,
)
from jobs.admin import ReadOnlyAdmin


@admin.register(FaceModelVersion)
class FaceModelVersionAdmin(ReadOnlyAdmin):
    list_display = ["version", "dimensions", "vectors", "created_at"]
    search_fields = ["version"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(vectors_counted=Count("embeddings"))

    @admin.display(description="faces with a vector", ordering="vectors_counted")
    def vectors(self, version: Any) -> int:
        return int(version.vectors_counted)


@admin.register(FaceEmbedding)
class FaceEmbeddingAdmin(ReadOnlyAdmin):
    """Which face has a vector of which model. The vectors are neither loaded nor shown."""

    list_display = ["crop", "face", "model"]
    list_display_links = ["crop", "face"]
    list_filter = ["model"]
    list_select_related = ["face", "model"]
    search_fields = ["face__photo__original_name", "face__person__name"]
    ordering = ["-pk"]
    fields = ["crop", "face", "model"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[FaceEmbedding]:
        return super().get_queryset(request).defer("vector")

    @admin.display(description="")
    def crop(self, embedding: FaceEmbedding) -> SafeString | str:
        return face_crop(embedding.face_id)


@admin.register(JournalEntry)
class JournalEntryAdmin(ReadOnlyAdmin):
    """What was done to people and faces. The journal is only added to."""

    list_display = ["summary", "verb", "actor", "library", "at"]
    list_filter = ["verb"]
    list_select_related = ["actor", "library"]
    search_fields = ["summary"]
    date_hierarchy = "at"
    ordering = ["-pk"]


@admin.register(FaceRejection)
class FaceRejectionAdmin(ReadOnlyAdmin):
    list_display = ["face", "person", "is_sure", "answered_at"]
    list_filter = ["is_sure"]
    list_select_related = ["face", "person"]


@admin.register(PersonDistinction)
class PersonDistinctionAdmin(ReadOnlyAdmin):
    list_display = ["first", "second", "is_sure", "answered_at"]
    list_filter = ["is_sure"]
    list_select_related = ["first", "second"]
