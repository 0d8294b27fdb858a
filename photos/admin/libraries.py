"""The admin of libraries and their members."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from jobs.admin import AnyModelAdmin, AnyTabularInline
from photos.models import Library, Membership, Photo


class MembershipInline(AnyTabularInline):
    model = Membership
    autocomplete_fields = ["user"]
    extra = 1


@admin.register(Library)
class LibraryAdmin(AnyModelAdmin):
    """Who may see and change what. Not deleted here: its originals would stay in the storage."""

    list_display = ["name", "photo_count", "member_count", "created_at"]
    search_fields = ["name"]
    inlines = [MembershipInline]

    def get_queryset(self, request: HttpRequest) -> Any:
        return (
            super()
            .get_queryset(request)
            .annotate(photos_counted=count_of(Photo), members_counted=count_of(Membership))
        )

    @admin.display(description="photos", ordering="photos_counted")
    def photo_count(self, library: Any) -> int:
        return int(library.photos_counted)

    @admin.display(description="members", ordering="members_counted")
    def member_count(self, library: Any) -> int:
        return int(library.members_counted)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def count_of(model: Any) -> Coalesce:
    """SQL for how many rows of `model` a library has, trash included."""
    rows = model.objects.filter(library=OuterRef("pk")).order_by().values("library")
    return Coalesce(Subquery(rows.values(n=Count("pk")), output_field=IntegerField()), 0)


@admin.register(Membership)
class MembershipAdmin(AnyModelAdmin):
    list_display = ["user", "library", "role"]
    list_filter = ["role"]
    list_select_related = ["user", "library"]
    search_fields = ["user__email", "library__name"]
    autocomplete_fields = ["user", "library"]
