"""The REST API of jobs."""

from datetime import datetime
from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.module_loading import import_string
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.models import Job


def jobs_visible_to(user: Any) -> QuerySet[Job]:
    """Jobs of the user's libraries, and those the user asked for."""
    libraries = import_string(settings.EVENT_LIBRARIES)(user)
    return Job.objects.filter(Q(library_id__in=libraries) | Q(created_by=user))


@api_view(["GET", "HEAD"])
async def job_detail(request: Request, job_id: str) -> Response:
    """State and progress of a job."""
    return Response(await sync_to_async(job_json_for)(request.user, job_id))


def job_json_for(user: Any, job_id: Any) -> dict[str, Any]:
    job = jobs_visible_to(user).filter(pk=job_id).first()
    if job is None:
        raise NotFound(f"Job not found: {job_id}", code="job_not_found")
    return job_json(job)


def job_json(job: Job) -> dict[str, Any]:
    return {
        "job_id": str(job.pk),
        "kind": job.kind,
        "status": job.status,
        "created_at": iso(job.created_at),
        "started_at": iso(job.started_at),
        "ended_at": iso(job.ended_at),
        "result": job.result,
        "error": job.error or None,
        "total": job.total,
        "done": job.done,
        "failed": job.failed,
        "message": job.message,
    }


def iso(moment: datetime | None) -> str | None:
    """UTC with microseconds and +00:00, as the old API writes the times of jobs."""
    return moment.isoformat(timespec="microseconds") if moment else None
