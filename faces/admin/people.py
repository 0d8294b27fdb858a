"""People in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Case, Count, Exists, F, OuterRef, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from faces import people
from faces.admin import filters, people_curations
from faces.admin.confirmation import CurationAdmin
from faces.admin.measures import Measures
from faces.admin.pictures import crop_of, face_crop, with_pictures
from faces.models import Face, Person
from jobs.admin import AnyModelForm, AnyTabularInline
from photos.models import Membership

FACES_SHOWN = 50
FACE_PAGE = "faces"  # the query parameter for the page of faces


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


def faces_of(person_id: Any) -> Any:
    """All faces of a person, best first."""
    return Face.objects.filter(person_id=person_id).order_by("-quality", "pk")


class FaceInline(Measures, AnyTabularInline):
    """One page of the person's faces, to look at; actions are in the list of faces."""

    model = Face
    fk_name = "person"
    template = "admin/faces/faces_inline.html"
    fields = readonly_fields = ("crop", "photo", "assigned_by", "score", "rounded_quality")
    can_delete = False
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Face]:
        person_id = request.resolver_match and request.resolver_match.kwargs.get("object_id")
        text = request.GET.get(FACE_PAGE, "")
        start = (max(int(text), 1) - 1) * FACES_SHOWN if text.isdecimal() and len(text) < 7 else 0
        shown = faces_of(person_id).values("pk")[start : start + FACES_SHOWN]
        faces = super().get_queryset(request).filter(pk__in=shown).select_related("photo")
        ordered: QuerySet[Face] = with_pictures(faces, request.user).order_by("-quality", "pk")
        return ordered

    @admin.display(description="")
    def crop(self, face: Any) -> SafeString:
        return crop_of(face)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Person)
class PersonAdmin(CurationAdmin):
    form = PersonForm
    list_display_links = ["crop", "display_name"]
    list_filter = [
        filters.NameFilter,
        "is_hidden",
        "is_favorite",
        filters.SuspicionFilter,
        filters.FacesFilter,
        "library",
    ]
    list_select_related = ["library"]
    search_fields = ["name", "aliases", "=pk"]
    search_help_text = "Name, another name, or a person's number"
    actions = [
        people_curations.Merge().as_action(),
        people_curations.Split().as_action(),
        people_curations.Hide().as_action(),
        people_curations.Show().as_action(),
        people_curations.LookAgain().as_action(),
    ]
    inlines = [FaceInline]
    raw_id_fields = ["cover"]
    fields = [
        "portrait",
        "name",
        "birth_date",
        "is_favorite",
        "is_hidden",
        "cover",
        "library",
        "created_at",
        "all_faces",
    ]
    readonly_fields = ["portrait", "library", "created_at", "all_faces"]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        reason = ["reason"] if self.is_suspicious(request) else []
        return ["crop", "display_name", *reason, "library", "face_count", "is_hidden", "created_at"]

    def get_ordering(self, request: HttpRequest) -> list[str]:
        """The newest first; what is suspicious as its filter says."""
        return [] if self.is_suspicious(request) else ["-pk"]

    @staticmethod
    def is_suspicious(request: HttpRequest) -> bool:
        return filters.SuspicionFilter.parameter_name in request.GET

    def get_queryset(self, request: HttpRequest) -> Any:
        faces = Face.objects.filter(person=OuterRef("pk"))
        count = faces.order_by().values("person").values(n=Count("pk"))
        mine = Membership.objects.filter(library=OuterRef("library"), user=request.user.pk)
        rows: Any = super().get_queryset(request)
        return rows.with_cover_faces().annotate(
            faces_counted=Coalesce(Subquery(count), 0),
            picture=Case(When(Exists(mine), then=F("cover_face_id"))),
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """With the pages of faces."""
        number = int(object_id) if object_id.isdecimal() else None
        pages = Paginator(faces_of(number), FACES_SHOWN)
        page = pages.get_page(request.GET.get(FACE_PAGE))
        context = {
            "face_page": page,
            "face_pages": pages.get_elided_page_range(page.number),
            **(extra_context or {}),
        }
        return super().change_view(request, object_id, form_url, context)

    @admin.display(description="")
    def crop(self, person: Any) -> SafeString:
        return face_crop(person.picture)

    @admin.display(description="picture")
    def portrait(self, person: Any) -> SafeString:
        return face_crop(person.picture, pixels=160)

    @admin.display(description="why")
    def reason(self, person: Any) -> str:
        return str(getattr(person, "reason", ""))

    @admin.display(description="faces", ordering="faces_counted")
    def face_count(self, person: Any) -> int:
        return int(person.faces_counted)

    @admin.display(description="all faces")
    def all_faces(self, person: Any) -> SafeString:
        url = reverse("admin:faces_face_changelist", query={"person__id__exact": person.pk})
        return format_html('<a href="{}">{} faces, with actions</a>', url, person.faces_counted)

    def save_model(self, request: HttpRequest, obj: Person, form: Any, change: bool) -> None:
        user, changed = request.user, form.changed_data
        if "name" in changed and obj.name:
            people.rename_person(person=obj, name=obj.name, actor=user)
        elif "name" in changed:
            people.clear_name(person=obj, actor=user)
        if "birth_date" in changed:
            people.set_birth_date(person=obj, birth_date=obj.birth_date, actor=user)
        if "is_favorite" in changed:
            people.set_favorite(person=obj, favorite=obj.is_favorite, actor=user)
        if "is_hidden" in changed:
            people.hide_person(person=obj, is_hidden=obj.is_hidden, actor=user)
        if "cover" in changed:
            people.set_cover(person=obj, face=obj.cover, actor=user)
