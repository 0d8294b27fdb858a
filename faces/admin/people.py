"""People in the admin."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from faces import people
from faces.admin.pictures import face_crop
from faces.models import Face, Person
from jobs.admin import AnyModelAdmin, AnyModelForm, AnyTabularInline

FACES_SHOWN = 50


class PersonForm(AnyModelForm):
    def clean_name(self) -> str:
        """The name in its one spelling. Empty makes the person an unnamed group again."""
        if not self.cleaned_data["name"].strip():
            return ""
        try:
            name = people.clean_person_name(self.cleaned_data["name"])
            people.refuse_taken_name(self.instance.library_id, name, but=self.instance.pk)
        except people.PeopleError as error:
            raise forms.ValidationError(str(error)) from None
        return name

    def clean_cover(self) -> Face | None:
        cover: Face | None = self.cleaned_data["cover"]
        if cover is not None and cover.person_id != self.instance.pk:
            raise forms.ValidationError("The cover must be a face of this person.")
        return cover


class FaceInline(AnyTabularInline):
    """The person's best faces; the list of faces has them all."""

    model = Face
    fk_name = "person"
    verbose_name_plural = f"best faces (at most {FACES_SHOWN})"
    fields = readonly_fields = ("crop", "photo", "assigned_by", "detection_score", "quality")
    can_delete = False
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Face]:
        person_id: Any = request.resolver_match and request.resolver_match.kwargs.get("object_id")
        best = Face.objects.filter(person_id=person_id).order_by("-quality", "pk").values("pk")[:FACES_SHOWN]
        faces = super().get_queryset(request).filter(pk__in=best)
        return faces.select_related("photo").order_by("-quality", "pk")

    @admin.display(description="")
    def crop(self, face: Face) -> SafeString | str:
        return face_crop(face.pk)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Person)
class PersonAdmin(AnyModelAdmin):
    form = PersonForm
    list_display = ["crop", "display_name", "library", "face_count", "is_hidden", "created_at"]
    list_display_links = ["crop", "display_name"]
    list_filter = ["is_hidden", ("name", admin.EmptyFieldListFilter), "library"]
    list_select_related = ["library"]
    list_per_page = 50
    search_fields = ["name"]
    ordering = ["-pk"]
    actions = ["merge"]
    inlines = [FaceInline]
    raw_id_fields = ["cover"]
    fields = ["name", "is_hidden", "cover", "library", "created_at", "all_faces"]
    readonly_fields = ["library", "created_at", "all_faces"]

    def get_queryset(self, request: HttpRequest) -> Any:
        faces = Face.objects.filter(person=OuterRef("pk"))
        count = faces.order_by().values("person").values(n=Count("pk"))
        best = faces.order_by("-quality", "pk").values("pk")[:1]
        return (
            super()
            .get_queryset(request)
            .annotate(
                faces_counted=Coalesce(Subquery(count), 0), picture=Coalesce("cover_id", Subquery(best))
            )
        )

    @admin.display(description="")
    def crop(self, person: Any) -> SafeString | str:
        return face_crop(person.picture)

    @admin.display(description="faces", ordering="faces_counted")
    def face_count(self, person: Any) -> int:
        return int(person.faces_counted)

    @admin.display(description="all faces")
    def all_faces(self, person: Any) -> SafeString:
        url = reverse("admin:faces_face_changelist", query={"person__id__exact": person.pk})
        return format_html('<a href="{}">{} faces</a>', url, person.faces_counted)

    def save_model(self, request: HttpRequest, obj: Person, form: Any, change: bool) -> None:
        user, changed = request.user, form.changed_data
        if "name" in changed and obj.name:
            people.rename_person(person=obj, name=obj.name, actor=user)
        elif "name" in changed:
            people.clear_name(person=obj, actor=user)
        if "is_hidden" in changed:
            people.hide_person(person=obj, is_hidden=obj.is_hidden, actor=user)
        if "cover" in changed:
            people.set_cover(person=obj, face=obj.cover, actor=user)

    @admin.action(description="Merge selected people into one", permissions=["change"])
    def merge(self, request: HttpRequest, queryset: QuerySet[Person]) -> None:
        """Keep the named one, else the one with most faces. Two names are refused: one would be lost."""
        chosen = sorted(queryset, key=lambda person: (not person.name, -self.face_count(person), person.pk))
        if len(chosen) < 2:
            self.message_user(request, "Select two people or more.", messages.WARNING)
            return
        if chosen[1].name:
            self.message_user(request, "More than one has a name. Clear the wrong one first.", messages.ERROR)
            return
        try:
            for drop in chosen[1:]:
                people.merge_people(keep=chosen[0], drop=drop, actor=request.user)
        except people.PeopleError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, f"Merged into {chosen[0].display_name}.", messages.SUCCESS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
