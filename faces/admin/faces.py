"""Faces in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.safestring import SafeString

from faces import curation
from faces.admin.pictures import face_crop
from faces.models import Face, Person
from jobs.admin import AnyModelAdmin, AnyModelForm


class FaceForm(AnyModelForm):
    def clean_person(self) -> Person | None:
        person: Person | None = self.cleaned_data["person"]
        if person is not None and person.library_id != self.instance.photo.library_id:
            raise forms.ValidationError("The person is not in the library of this photo.")
        return person


@admin.register(Face)
class FaceAdmin(AnyModelAdmin):
    """Only the person can be changed; that counts as done by hand, so no machine changes it again."""

    form = FaceForm
    list_display = ["crop", "photo", "person", "assigned_by", "detection_score", "quality", "created_at"]
    list_display_links = ["crop", "photo"]
    list_filter = ["assigned_by", ("person", admin.EmptyFieldListFilter)]
    list_select_related = ["photo", "person"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["person__name", "photo__original_name"]
    ordering = ["-pk"]
    autocomplete_fields = ["person"]
    fields = ["crop", "photo", "person", "assigned_by", "box", "detection_score", "quality", "created_at"]
    readonly_fields = ["crop", "photo", "assigned_by", "box", "detection_score", "quality", "created_at"]

    @admin.display(description="")
    def crop(self, face: Face) -> SafeString | str:
        return face_crop(face.pk)

    @admin.display(description="box (fractions)")
    def box(self, face: Face) -> str:
        return ", ".join(f"{edge:.3f}" for edge in face.box)

    def save_model(self, request: HttpRequest, obj: Face, form: Any, change: bool) -> None:
        if "person" in form.changed_data:
            curation.assign_face(face=obj, person=obj.person, actor=request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
