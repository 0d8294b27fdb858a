"""The admin of folders and the files in them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from chitra.sources.models import Folder, FolderFile
from chitra.sources.tasks import start_scan
from jobs.admin import AnyModelAdmin, ReadOnlyAdmin


@admin.register(Folder)
class FolderAdmin(AnyModelAdmin):
    """Folders are added on their page, which checks the path; here they are looked at and scanned."""

    list_display = ("path", "library", "mode", "schedule_minutes", "is_watched", "scanned_at")
    list_filter = ("mode", "is_watched")
    search_fields = ("path", "library__name")
    readonly_fields = ("library", "path", "mode", "device", "watch_problem", "scanned_at", "created_at")
    exclude = ("last_job", "interim")
    actions = ("scan",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Scan the chosen folders now")
    def scan(self, request: HttpRequest, folders: QuerySet[Folder]) -> None:
        for folder in folders.select_related("last_job"):
            start_scan(folder, user=request.user)
        self.message_user(request, "The scans are queued.")


@admin.register(FolderFile)
class FolderFileAdmin(ReadOnlyAdmin):
    """What scans saw."""

    list_display = ("path", "folder", "photo", "size", "missing_since", "problem")
    list_filter = (("missing_since", admin.EmptyFieldListFilter), "folder")
    search_fields = ("path",)
    list_select_related = ("folder", "photo")
    show_full_result_count = False
