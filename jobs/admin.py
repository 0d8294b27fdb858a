"""The admin of jobs and wake-ups, and what the admins of all apps share."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from jobs.models import Job, RateWindow, StepWake
from jobs.services import cancel_job

if TYPE_CHECKING:
    AnyModelAdmin = admin.ModelAdmin[Any]
    AnyTabularInline = admin.TabularInline[Any, Any]
    AnyModelForm = forms.ModelForm[Any]
else:
    AnyModelAdmin = admin.ModelAdmin
    AnyTabularInline = admin.TabularInline
    AnyModelForm = forms.ModelForm


class ReadOnlyAdmin(AnyModelAdmin):
    """Rows that services write. They are looked at, and changed by actions only: a form would break what the
    services promise, and deleting a row would leave its bytes in the storage."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """For the list, whose actions change rows, as granted; never for one row."""
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def plain(chosen: QuerySet[Any]) -> Any:
    """The rows an action was chosen for, without the joins and annotations of the list."""
    return chosen.model.objects.filter(pk__in=chosen.order_by().values("pk"))


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = [
        "id",
        "kind",
        "status",
        "progress",
        "failed",
        "library_id",
        "created_by",
        "created_at",
        "ended_at",
    ]
    list_filter = ["status", "kind"]
    list_select_related = ["created_by"]
    search_fields = ["=id", "message", "error", "created_by__email"]
    date_hierarchy = "created_at"
    actions = ["cancel"]
    fields = [
        "id",
        "kind",
        "status",
        "progress",
        "failed",
        "message",
        "error",
        "result",
        "arguments",
        "attempt",
        "library_id",
        "created_by",
        "created_at",
        "started_at",
        "ended_at",
        "lease_until",
    ]

    @admin.display(description="progress")
    def progress(self, job: Job) -> str:
        return f"{job.done} of {job.total} ({job.percent} %)"

    @admin.action(description="Cancel selected jobs", permissions=["change"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        cancelled = sum(cancel_job(job) for job in queryset)
        self.message_user(request, f"{cancelled} cancelled; the others had ended before.", messages.SUCCESS)


@admin.register(StepWake)
class StepWakeAdmin(ReadOnlyAdmin):
    list_display = ["step", "requested_at"]


@admin.register(RateWindow)
class RateWindowAdmin(ReadOnlyAdmin):
    list_display = ["key", "began_at", "count"]
    search_fields = ["key"]
