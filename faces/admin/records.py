"""What is only looked at: face models, vectors, the journal, answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest
from django.utils.safestring import SafeString

from faces import facts
from faces.admin.confirmation import Curation, MayCurate, Plan
from faces.admin.people_curations import some_people
from faces.admin.pictures import face_crop, with_pictures
from faces.curation import some_faces
from faces.errors import PeopleError
from faces.models import (
    FaceEmbedding,
    FaceModelVersion,
    FaceRejection,
    JournalEntry,
    PersonDistinction,
)
from faces.undo import UndoBlocked, find_obstacles, undo
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

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request).defer("vector")
        return with_pictures(rows, request.user, face="face__")

    @admin.display(description="")
    def crop(self, embedding: Any) -> SafeString:
        return face_crop(embedding.face_id if embedding.is_pictured else None)


class Undo(Curation):
    name = "undo"
    label = "Undo the selected entry"
    button = "Undo"
    most = 1

    def plan(self, chosen: Sequence[JournalEntry], user: Any) -> Plan:
        if not chosen:
            raise PeopleError("too_few", "Select an entry.")
        [entry] = chosen
        people, faces = facts.mentioned(entry.payload)
        if obstacles := find_obstacles(entry, facts.read(people=people, faces=faces)):
            raise UndoBlocked(obstacles)
        who = entry.actor or "the machine"
        return Plan(
            sentences=[
                f"Taken back: {entry.summary} ({who}, {entry.at:%Y-%m-%d %H:%M} UTC).",
                f"{some_faces(len(faces))} and {some_people(len(people))} will be as they were before it. "
                "The undo is an entry of its own, which can be undone too.",
            ],
            sections=[],
            facts=[entry.pk, sorted(people), sorted(faces)],
        )

    def carry_out(self, chosen: Sequence[JournalEntry], answers: Mapping[str, Any], user: Any) -> str:
        return f"{undo(chosen[0], actor=user).summary}."


@admin.register(JournalEntry)
class JournalEntryAdmin(MayCurate, ReadOnlyAdmin):
    """What was done to people and faces. The journal is only added to, by undo as well."""

    actions = [Undo().as_action()]
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
