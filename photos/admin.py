"""The admin of libraries, photos, albums and the ledger."""

from datetime import UTC
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat, truncatechars
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs import ledger
from jobs.admin import AnyModelAdmin, AnyModelForm, AnyTabularInline, ReadOnlyAdmin
from jobs.models import StepStatus
from jobs.steps import all_steps
from photos import editing
from photos.models import (
    Album,
    AlbumPhoto,
    EditedPhoto,
    LegacyFile,
    Library,
    Membership,
    Photo,
    PhotoEdit,
    PhotoStep,
    ResumableUpload,
    Sidecar,
    Tag,
)

IMAGE = '<img src="{}" alt="" width="{}" height="{}" loading="lazy" style="object-fit: cover">'


def image(url: str, pixels: int) -> SafeString:
    """A square picture, loaded when it comes into view."""
    return format_html(IMAGE, url, pixels, pixels)


def photo_thumbnail(photo: Photo, pixels: int = 60) -> SafeString | str:
    """The thumbnail over the API, which shows it to members of the library only; "" where there is none."""
    if not photo.has_renditions or photo.deleted_at is not None:
        return ""
    return image(reverse("api-photo-thumbnail", args=[photo.pk]), pixels)


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
        restored = plain(queryset).filter(deleted_at__isnull=False).update(deleted_at=None)
        self.message_user(request, f"{restored} restored.", messages.SUCCESS)


def plain(chosen: QuerySet[Any]) -> Any:
    """The rows an action was chosen for, without the joins and annotations of the list."""
    return chosen.model.objects.filter(pk__in=chosen.order_by().values("pk"))


class AlbumForm(AnyModelForm):
    def clean_cover(self) -> Photo | None:
        cover: Photo | None = self.cleaned_data["cover"]
        if cover is not None and not AlbumPhoto.objects.filter(album=self.instance, photo=cover).exists():
            raise forms.ValidationError("The cover must be a photo of this album.")
        return cover


@admin.register(Album)
class AlbumAdmin(AnyModelAdmin):
    """Deleting an album keeps its photos."""

    form = AlbumForm
    list_display = ["name", "library", "photo_count", "created_at"]
    list_filter = ["library"]
    list_select_related = ["library"]
    search_fields = ["name", "description"]
    ordering = ["-pk"]
    raw_id_fields = ["cover"]
    fields = ["name", "description", "cover", "library", "created_at"]
    readonly_fields = ["library", "created_at"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(photos_counted=Count("entries"))

    @admin.display(description="photos", ordering="photos_counted")
    def photo_count(self, album: Any) -> int:
        return int(album.photos_counted)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(AlbumPhoto)
class AlbumPhotoAdmin(ReadOnlyAdmin):
    list_display = ["thumbnail", "photo", "album", "position", "added_at"]
    list_display_links = ["thumbnail", "photo"]
    list_select_related = ["photo", "album"]
    search_fields = ["album__name", "photo__original_name"]
    ordering = ["-pk"]

    @admin.display(description="")
    def thumbnail(self, entry: AlbumPhoto) -> SafeString | str:
        return photo_thumbnail(entry.photo)


@admin.register(Tag)
class TagAdmin(ReadOnlyAdmin):
    """To look over; tags are given and taken on the page of a photo."""

    list_display = ["name", "thumbnail", "photo", "source", "score"]
    list_filter = ["source"]
    list_select_related = ["photo"]
    search_fields = ["name", "photo__original_name"]
    ordering = ["-pk"]

    @admin.display(description="")
    def thumbnail(self, tag: Tag) -> SafeString | str:
        return photo_thumbnail(tag.photo)


class StepFilter(admin.SimpleListFilter):
    """The steps as settings name them; asking the table would read all of it."""

    title = "step"
    parameter_name = "step"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(step.name, step.title) for step in all_steps()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PhotoStep]) -> QuerySet[PhotoStep]:
        return queryset if self.value() is None else queryset.filter(step=self.value())


@admin.register(PhotoStep)
class PhotoStepAdmin(ReadOnlyAdmin):
    """The ledger. A row is changed by running its step again."""

    list_display = [
        "thumbnail",
        "photo",
        "step",
        "status",
        "attempt",
        "reason",
        "duration_ms",
        "ready_at",
        "finished_at",
    ]
    list_display_links = ["thumbnail", "photo"]
    list_filter = ["status", StepFilter]
    list_select_related = ["photo"]
    search_fields = ["photo__original_name", "error"]
    ordering = ["-pk"]
    actions = ["retry"]
    fields = [
        "thumbnail",
        "photo",
        "step",
        "status",
        "error",
        "attempt",
        "version",
        "ready_at",
        "lease_until",
        "finished_at",
        "duration_ms",
        "job",
    ]

    @admin.display(description="")
    def thumbnail(self, row: PhotoStep) -> SafeString | str:
        return photo_thumbnail(row.photo)

    @admin.display(description="reason", ordering="error")
    def reason(self, row: PhotoStep) -> str:
        return truncatechars(row.error, 100)

    @admin.action(description="Retry selected steps", permissions=["change"])
    def retry(self, request: HttpRequest, queryset: QuerySet[PhotoStep]) -> None:
        count = ledger.reset(plain(queryset))
        self.message_user(request, f"{count} will run again; running ones are left alone.", messages.SUCCESS)


@admin.register(ResumableUpload)
class ResumableUploadAdmin(ReadOnlyAdmin):
    """Uploads under way, and those nobody goes on with until they expire."""

    list_display = ["name", "user", "library", "size", "offset", "expires_at"]
    list_select_related = ["user", "library"]
    search_fields = ["name"]
    ordering = ["-expires_at"]


@admin.register(LegacyFile)
class LegacyFileAdmin(ReadOnlyAdmin):
    """Originals that still lie on the old FTP server."""

    list_display = ["photo", "path"]
    list_select_related = ["photo"]
    search_fields = ["path"]


@admin.register(PhotoEdit)
class PhotoEditAdmin(ReadOnlyAdmin):
    """What people corrected."""

    list_display = ["summary", "library", "actor", "at", "undone_at"]
    list_filter = ["library"]
    list_select_related = ["library", "actor"]
    ordering = ["-pk"]


@admin.register(Sidecar)
class SidecarAdmin(ReadOnlyAdmin):
    """XMP files that came with photos."""

    list_display = ["photo"]
    list_select_related = ["photo"]
    ordering = ["-pk"]


@admin.register(EditedPhoto)
class EditedPhotoAdmin(ReadOnlyAdmin):
    """What a correction did to one photo."""

    list_display = ["photo", "edit"]
    list_select_related = ["photo", "edit"]
    ordering = ["-pk"]


from photos import stacks_admin  # noqa: E402, F401 - Django looks for admins here
