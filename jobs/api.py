"""The REST API of jobs."""

import uuid
from datetime import datetime
from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.access import jobs_visible_to, may_change
from jobs.api_errors import Conflict, validated
from jobs.models import Job
from jobs.services import cancel_job, retry_job


@extend_schema_field({"type": ["integer", "object", "null"]})
class ResultField(serializers.JSONField):
    """A number or an object, as the old API answers it."""


class JobObject(serializers.Serializer[Any]):
    job_id = serializers.CharField()
    kind = serializers.CharField()
    status = serializers.ChoiceField(choices=Job.Status.values)
    created_at = serializers.DateTimeField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    result = ResultField(help_text="How many succeeded, or an object.")
    error = serializers.CharField(allow_null=True)
    total = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    message = serializers.CharField()


class JobListParameters(serializers.Serializer[Any]):
    limit = serializers.IntegerField(default=50, min_value=1, max_value=500)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=1_000_000)
    status = serializers.ChoiceField(choices=Job.Status.values, required=False)


class JobPage(serializers.Serializer[Any]):
    items = JobObject(many=True)
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()
    total = serializers.IntegerField()


@extend_schema(
    operation_id="jobs_list", summary="List jobs", parameters=[JobListParameters], responses=JobPage
)
@api_view(["GET", "HEAD"])
async def job_list(request: Request) -> Response:
    """Jobs of one's libraries, newest first."""
    values = validated(JobListParameters, request.query_params)
    return await sync_to_async(list_jobs)(request.user, **values)


def list_jobs(user: Any, *, limit: int, offset: int, status: str | None = None) -> Response:
    jobs = jobs_visible_to(user)
    if status is not None:
        jobs = jobs.filter(status=status)
    rows = jobs.order_by("-created_at", "pk")[offset : offset + limit]
    items = [job_json(job) for job in rows]
    return Response({"items": items, "limit": limit, "offset": offset, "total": jobs.count()})


@extend_schema(summary="State of a job", responses=JobObject)
@api_view(["GET", "HEAD"])
async def job_detail(request: Request, job_id: str) -> Response:
    """State and progress of a job."""
    return Response(await sync_to_async(job_json_for)(request.user, job_id))


def job_json_for(user: Any, job_id: str) -> dict[str, Any]:
    return job_json(get_job(user, job_id))


def get_job(user: Any, job_id: str) -> Job:
    """The job, or 404 also for somebody else's."""
    job = jobs_visible_to(user).filter(pk=job_id).first() if is_uuid(job_id) else None
    if job is None:
        raise NotFound("There is no such job.", code=f"Job not found: {job_id}")
    return job


def get_changeable_job(user: Any, job_id: str) -> Job:
    """The job; 404 also for one that the user may only see."""
    job = get_job(user, job_id)
    if not may_change(user, job):
        raise NotFound("There is no such job.", code=f"Job not found: {job_id}")
    return job


@extend_schema(summary="Cancel a job", request=None, responses={200: JobObject, 409: None})
@api_view(["POST"])
async def cancel(request: Request, job_id: str) -> Response:
    """What has not begun is not begun; 409 when the job had ended already."""
    return Response(await sync_to_async(cancel_sync)(request.user, job_id))


def cancel_sync(user: Any, job_id: str) -> dict[str, Any]:
    if not cancel_job(get_changeable_job(user, job_id)):
        raise Conflict("The job had ended already.", code="job_ended")
    return job_json_for(user, job_id)


@extend_schema(summary="Do a job again", request=None, responses={200: JobObject, 409: None})
@api_view(["POST"])
async def retry(request: Request, job_id: str) -> Response:
    """A new job that does what failed in this one, or all of it; 409 when nothing is left to do."""
    return Response(await sync_to_async(retry_sync)(request.user, job_id))


def retry_sync(user: Any, job_id: str) -> dict[str, Any]:
    again = retry_job(get_changeable_job(user, job_id), user=user)
    if again is None:
        raise Conflict("The job is not over, or nothing of it is left to do.", code="nothing_to_retry")
    return job_json(again)


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
