"""Which jobs and rows of the ledger somebody may see and change."""

from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.module_loading import import_string

from jobs import ledger
from jobs.models import Job


def jobs_visible_to(user: Any) -> QuerySet[Job]:
    """Jobs of the user's libraries, and those the user asked for."""
    libraries = import_string(settings.EVENT_LIBRARIES)(user)
    return Job.objects.filter(Q(library_id__in=libraries) | Q(created_by=user))


def may_change(user: Any, job: Job) -> bool:
    """Whether the user asked for the job or may change its library."""
    libraries = import_string(settings.EDITABLE_LIBRARIES)
    return job.created_by_id == user.pk or job.library_id in libraries(user)


def visible_rows(user: Any) -> QuerySet[Any]:
    """The ledger of what the user may see, without the trash."""
    return in_use(ledger_of_libraries().visible_to(user))


def editable_rows(user: Any) -> QuerySet[Any]:
    return in_use(ledger_of_libraries().editable_by(user))


def ledger_of_libraries() -> Any:
    """The concrete ledger, whose rows know their library."""
    return ledger.ledger()


def ledger_subject() -> str:
    """What a row of the ledger is about."""
    return ledger.subject_column().removesuffix("_id")


def in_use(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.filter(**{f"{ledger_subject()}__deleted_at__isnull": True})
