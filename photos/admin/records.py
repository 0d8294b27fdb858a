"""The admin of what is only looked at: uploads under way, files elsewhere, corrections, sidecars."""

from django.contrib import admin

from jobs.admin import ReadOnlyAdmin
from photos.models import EditedPhoto, LegacyFile, PhotoEdit, ResumableUpload, Sidecar


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
