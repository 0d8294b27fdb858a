"""The admin of photos."""

from datetime import UTC
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.safestring import SafeString

from jobs.admin import AnyModelAdmin, AnyModelForm, AnyTabularInline, plain
from jobs.models import StepStatus
from photos import editing
from photos.admin.pictures import photo_thumbnail
from photos.models import Photo, PhotoStep, Tag


class InTrashFilter(admin.SimpleListFilter):
    title = "trash"
    parameter_name = "trash"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "Not in the trash"), ("yes", "In the trash")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Photo]) -> QuerySet[Photo]:
        return queryset if self.value() is None else queryset.filter(deleted_at__isnull=self.value() == "no")


class FailedFilter(admin.SimpleListFilter):
    title = "failed steps"
    parameter_name = "failed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "With a failed step")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() is None else queryset.filter(has_failed=True)


class StepInline(AnyTabularInline):
    """Where the photo stands on its way through the steps."""

    model = PhotoStep
    fields = readonly_fields = ("step", "status", "attempt", "error", "version", "duration_ms", "finished_at")
    ordering = ["pk"]
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TagInline(AnyTabularInline):
    model = Tag
    fields = ["name", "source", "score"]
    readonly_fields = ["source", "score"]
    ordering = ["-score", "name"]
    extra = 1


class PhotoForm(AnyModelForm):
    rating = forms.IntegerField(min_value=0, max_value=5, required=False, help_text="0 to 5 stars.")


@admin.register(Photo)
class PhotoAdmin(AnyModelAdmin):
    """What people say about a photo is changed here; steps read the rest from the stored bytes."""

    form = PhotoForm
    list_per_page = 50
    show_full_result_count = False

    list_display = [
        "thumbnail",
        "original_name",
        "taken",
        "library",
        "mime_type",
        "megabytes",
        "is_well",
        "created_at",
    ]
    list_display_links = ["thumbnail", "original_name"]
    list_filter = [InTrashFilter, FailedFilter, "has_renditions", "is_favorite", "created_at", "library"]
    list_select_related = ["library"]
    search_fields = ["original_name", "title", "=checksum", "=sha1", "camera_model"]
    search_help_text = "File name, title, camera, or a whole checksum"
    ordering = ["-pk"]
    actions = ["move_to_trash", "restore"]
    inlines = [TagInline, StepInline]
    fieldsets = [
        (
            None,
            {"fields": ["picture", "original_name", "library", "uploaded_by", "created_at", "deleted_at"]},
        ),
        ("By people", {"fields": ["title", "description", "rating", "is_favorite", "is_archived"]}),
        (
            "When",
            {
                "fields": [
                    ("taken", "taken_at_source"),
                    ("taken_at_utc", "utc_offset_minutes"),
                    ("time_zone", "zone_source"),
                    ("gps_at", "file_modified_at"),
                ]
            },
        ),
        (
            "Where",
            {
                "fields": [
                    ("latitude", "longitude", "altitude_metres"),
                    ("city", "region", "country", "country_code"),
                ]
            },
        ),
        (
            "Camera",
            {
                "fields": [
                    ("camera_make", "camera_model", "lens_model"),
                    ("iso", "f_number", "exposure_seconds", "focal_length_mm"),
                ]
            },
        ),
        (
            "File",
            {
                "fields": [
                    ("mime_type", "size", "width", "height"),
                    "original_key",
                    "checksum",
                    "sha1",
                    "source_path",
                    "has_renditions",
                ]
            },
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> Any:
        failed = PhotoStep.objects.filter(photo=OuterRef("pk"), status=StepStatus.FAILED)
        return super().get_queryset(request).annotate(has_failed=Exists(failed))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """All but what people say."""
        changeable = {"title", "description", "rating", "is_favorite", "is_archived"}
        return [name for name in flatten_fieldsets(self.fieldsets) if name not in changeable]

    def save_model(self, request: HttpRequest, obj: Photo, form: Any, change: bool) -> None:
        """Only the changed columns: a step may be writing the others."""
        said = set(form.changed_data) & set(Photo.Editable.values)
        values = {name: form.cleaned_data[name] for name in sorted(said)}
        if values:
            editing.edit_photo(photo=obj, actor=request.user, values=values)
        obj.save(update_fields=[name for name in form.changed_data if name not in said])

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="")
    def thumbnail(self, photo: Photo) -> SafeString | str:
        return photo_thumbnail(photo)

    @admin.display(description="picture")
    def picture(self, photo: Photo) -> SafeString | str:
        return photo_thumbnail(photo, pixels=240)

    @admin.display(description="taken (wall clock)", ordering="taken_at")
    def taken(self, photo: Photo) -> str:
        """As the clock on the wall showed it, so not in the zone of the admin."""
        return photo.taken_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")

    @admin.display(description="size", ordering="size")
    def megabytes(self, photo: Photo) -> str:
        return filesizeformat(photo.size)

    @admin.display(description="steps", boolean=True)
    def is_well(self, photo: Any) -> bool:
        return not photo.has_failed

    @admin.action(description="Move selected photos to the trash", permissions=["change"])
    def move_to_trash(self, request: HttpRequest, queryset: QuerySet[Photo]) -> None:
        moved = plain(queryset).filter(deleted_at__isnull=True).move_to_trash()
        self.message_user(request, f"{moved} moved to the trash.", messages.SUCCESS)

    @admin.action(description="Restore selected photos from the trash", permissions=["change"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Photo]) -> None:
        restored = plain(queryset).in_trash().bring_back()
        self.message_user(request, f"{restored} restored.", messages.SUCCESS)
