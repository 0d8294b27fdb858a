"""The REST API of grouping anew: a plan, what it would move, and doing what it says."""

from typing import Any

from adrf.decorators import api_view
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from faces import people, reclustering
from faces.api import curation_schemas as schemas
from faces.api.curation import carry_out, entry_json
from faces.api.serializers import ReclusterBody
from jobs.access import jobs_visible_to
from jobs.api import JobObject, job_json
from jobs.models import Job
from photos.api.errors import validated
from photos.api.library_choice import LibraryParameters, chosen_library
from photos.models import Library


@extend_schema(
    summary="Plan a grouping", parameters=[LibraryParameters], request=ReclusterBody, responses=JobObject
)
@api_view(["POST"])
async def recluster(request: Request) -> Response:
    """Plan a grouping of the whole library in the background: `{threshold?}`. Answers the job."""
    threshold = validated(ReclusterBody, request.data or {})["threshold"]
    return await carry_out(start_recluster, request, threshold)


def start_recluster(request: Request, threshold: float | None) -> dict[str, Any]:
    library = chosen_library(request, request.data)
    user = request.user
    return job_json(reclustering.start_planning(library_id=library.pk, threshold=threshold, user=user))


def plan_job_for(user: Any, job_id: Any) -> Job:
    job: Job | None = jobs_visible_to(user).filter(pk=job_id, kind=reclustering.KIND).first()
    if job is None:
        raise NotFound(f"Job not found: {job_id}", code="job_not_found")
    return job


@extend_schema(summary="What a plan would move", responses={200: schemas.Plan, 409: None})
@api_view(["GET", "HEAD"])
async def recluster_diff(request: Request, job_id: Any) -> Response:
    """What would move; 409 `no_plan` while the job has not ended."""
    return await carry_out(diff_of, request.user, job_id)


def diff_of(user: Any, job_id: Any) -> dict[str, Any]:
    job = plan_job_for(user, job_id)
    if not isinstance(job.result, dict):
        raise people.PeopleError("no_plan", "The plan is not ready.")
    return job.result


@extend_schema(summary="Do what a plan says", request=None, responses={200: schemas.AppliedPlan, 409: None})
@api_view(["POST"])
async def recluster_apply(request: Request, job_id: Any) -> Response:
    """Do exactly what the plan says; 409 `plan_outdated` when the library has changed since."""
    return await carry_out(apply_sync, request.user, job_id)


def apply_sync(user: Any, job_id: Any) -> dict[str, Any]:
    job = plan_job_for(user, job_id)
    if job.library_id is None or not Library.objects.editable_by(user).filter(pk=job.library_id).exists():
        raise NotFound(f"Job not found: {job_id}", code="job_not_found")
    entry = reclustering.apply_recluster(job, actor=user)
    return {"status": "applied", "entry": entry_json(entry) if entry else None}


# --- faces --------------------------------------------------------------------------------------------------
