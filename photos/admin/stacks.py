"""The admin of stacks and of photos that look alike."""

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from jobs.admin import ReadOnlyAdmin
from photos.admin.pictures import photo_thumbnail
from photos.models import LookAlike, Photo, Stack

STACKED = Photo.objects.filter(deleted_at=None, still=None).order_by("stack_position")


@admin.register(Stack)
class StackAdmin(ReadOnlyAdmin):
    """Photos of which the timeline shows one; changed on the page of a photo."""

    list_display = ["thumbnail", "__str__", "library", "photo_count", "created_at"]
    list_display_links = ["thumbnail", "__str__"]
    list_filter = ["kind", "library"]
    list_select_related = ["library"]
    ordering = ["-pk"]
    fields = ["kind", "library", "members", "created_at"]
    readonly_fields = ["members"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related(Prefetch("photos", STACKED, "stacked"))

    @admin.display(description="")
    def thumbnail(self, stack: Any) -> SafeString | str:
        return photo_thumbnail(stack.stacked[0]) if stack.stacked else ""

    @admin.display(description="photos")
    def photo_count(self, stack: Any) -> int:
        return len(stack.stacked)

    @admin.display(description="photos")
    def members(self, stack: Any) -> SafeString:
        rows = ((reverse("admin:photos_photo_change", args=[photo.pk]), photo) for photo in stack.stacked)
        return format_html_join(", ", '<a href="{}">{}</a>', rows)


@admin.register(LookAlike)
class LookAlikeAdmin(ReadOnlyAdmin):
    """Pairs of photos that look alike, reviewed on the page of duplicates."""

    list_display = ["thumbnail", "other_thumbnail", "__str__", "distance", "found_at", "told_apart_at"]
    list_display_links = ["__str__"]
    list_filter = ["library"]
    list_select_related = ["photo", "other"]
    ordering = ["-pk"]

    @admin.display(description="")
    def thumbnail(self, pair: LookAlike) -> SafeString | str:
        return photo_thumbnail(pair.photo)

    @admin.display(description="")
    def other_thumbnail(self, pair: LookAlike) -> SafeString | str:
        return photo_thumbnail(pair.other)
