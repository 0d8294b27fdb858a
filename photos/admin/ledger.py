"""The admin of the ledger: which photo stands where on its way through the steps."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import truncatechars
from django.utils.safestring import SafeString

from jobs import ledger
from jobs.admin import ReadOnlyAdmin, plain
from jobs.steps import all_steps
from photos.admin.pictures import photo_thumbnail
from photos.models import PhotoStep


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
