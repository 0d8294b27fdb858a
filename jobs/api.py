"""The REST API of jobs."""

import uuid
from datetime import datetime
from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.module_loading import import_string
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.models import Job


class JobObject(serializers.Serializer[Any]):
    job_id = serializers.CharField()
    kind = serializers.CharField()
    status = serializers.ChoiceField(choices=Job.Status.values)
    created_at = serializers.DateTimeField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    result = serializers.JSONField(allow_null=True, help_text="How many succeeded, or an object.")
    error = serializers.CharField(allow_null=True)
    total = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    message = serializers.CharField()


def jobs_visible_to(user: Any) -> QuerySet[Job]:
    """Jobs of the user's libraries, and those the user asked for."""
    libraries = import_string(settings.EVENT_LIBRARIES)(user)
    return Job.objects.filter(Q(library_id__in=libraries) | Q(created_by=user))


@extend_schema(summary="State of a job", responses=JobObject)
@api_view(["GET", "HEAD"])
async def job_detail(request: Request, job_id: str) -> Response:
    """State and progress of a job."""
    return Response(await sync_to_async(job_json_for)(request.user, job_id))


def job_json_for(user: Any, job_id: str) -> dict[str, Any]:
    job = jobs_visible_to(user).filter(pk=job_id).first() if is_uuid(job_id) else None
    if job is None:
        raise NotFound("There is no such job.", code=f"Job not found: {job_id}")
    return job_json(job)


def is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


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
