"""Faces in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from faces import curation
from faces.admin import face_curations
from faces.admin.confirmation import CurationAdmin
from faces.admin.filters import QualityFilter, WhoseFilter
from faces.admin.measures import Measures
from faces.admin.people_curations import LookAgain
from faces.admin.pictures import crop_of, with_pictures
from faces.models import Face, Person
from jobs.admin import AnyModelForm


class FaceForm(AnyModelForm):
    def clean_person(self) -> Person | None:
        person: Person | None = self.cleaned_data["person"]
        if person is not None and person.library_id != self.instance.photo.library_id:
            raise forms.ValidationError("The person is not in the library of this photo.")
        return person


@admin.register(Face)
class FaceAdmin(Measures, CurationAdmin):
    """Only the person can be changed; that counts as done by hand, so no machine changes it again."""

    form = FaceForm
    list_display = ["crop", "photo", "person", "assigned_by", "score", "rounded_quality", "created_at"]
    list_display_links = ["crop", "photo"]
    list_filter = [
        WhoseFilter,
        QualityFilter,
        "assigned_by",
        "is_drawn",
        "is_dismissed",
        "photo__library",
    ]
    list_select_related = ["photo__library", "person"]
    search_fields = ["person__name", "photo__original_name", "=pk"]
    search_help_text = "Name of the person, file name, or a face's number"
    ordering = ["-pk"]
    actions = [
        face_curations.Reassign().as_action(),
        face_curations.Confirm().as_action(),
        face_curations.Reject().as_action(),
        face_curations.SplitOff().as_action(),
        face_curations.Unassign().as_action(),
        face_curations.Dismiss().as_action(),
        LookAgain().as_action(),
    ]
    autocomplete_fields = ["person"]
    fields = [
        "portrait",
        "photo",
        "person",
        "assigned_by",
        "box",
        "score",
        "rounded_quality",
        "is_drawn",
        "is_dismissed",
        "created_at",
    ]
    readonly_fields = [
        "portrait",
        "photo",
        "assigned_by",
        "box",
        "score",
        "rounded_quality",
        "is_drawn",
        "is_dismissed",
        "created_at",
    ]

    def get_queryset(self, request: HttpRequest) -> Any:
        return with_pictures(super().get_queryset(request), request.user)

    @admin.display(description="")
    def crop(self, face: Any) -> SafeString:
        return crop_of(face)

    @admin.display(description="face")
    def portrait(self, face: Any) -> SafeString:
        return crop_of(face, pixels=240)

    @admin.display(description="box (fractions)")
    def box(self, face: Face) -> str:
        return ", ".join(f"{edge:.3f}" for edge in face.box)

    def save_model(self, request: HttpRequest, obj: Face, form: Any, change: bool) -> None:
        if "person" in form.changed_data:
            curation.assign_face(face=obj, person=obj.person, actor=request.user)
