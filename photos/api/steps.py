"""The REST API of one photo's ledger."""

from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from jobs import ledger
from jobs.models import StepStatus
from jobs.steps import all_steps
from photos.api.errors import Conflict
from photos.api.photos import photo_not_found
from photos.models import Photo, PhotoStep


class StepObject(serializers.Serializer[Any]):
    step = serializers.CharField()
    title = serializers.CharField()
    status = serializers.ChoiceField(choices=StepStatus.values)
    attempt = serializers.IntegerField(help_text="How often it was begun.")
    version = serializers.CharField(help_text="Of the code or model that did it.")
    error = serializers.CharField(help_text="Why it failed or was skipped; else empty.")
    duration_ms = serializers.IntegerField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class PhotoSteps(serializers.Serializer[Any]):
    photo_id = serializers.IntegerField()
    steps = StepObject(many=True)


@extend_schema(summary="Steps of a photo", responses=PhotoSteps)
@api_view(["GET", "HEAD"])
async def photo_steps(request: Request, photo_id: int) -> Response:
    """How far the processing of the photo is, in the order of the steps."""
    return await sync_to_async(steps_answer)(request.user, photo_id)


def steps_answer(user: Any, photo_id: int) -> Response:
    if not Photo.objects.visible_to(user).filter(pk=photo_id).exists():
        raise photo_not_found()
    rows = {row.step: row for row in PhotoStep.objects.filter(photo_id=photo_id)}
    steps = [step_json(step.title, rows[step.name]) for step in all_steps() if step.name in rows]
    return Response({"photo_id": photo_id, "steps": steps})


def step_json(title: str, row: PhotoStep) -> dict[str, Any]:
    return {
        "step": row.step,
        "title": title,
        "status": row.status,
        "attempt": row.attempt,
        "version": row.version,
        "error": row.error,
        "duration_ms": row.duration_ms,
        "finished_at": row.finished_at,
    }


@extend_schema(summary="Do a step again", request=None, responses={200: PhotoSteps, 409: None})
@api_view(["POST"])
async def retry_step(request: Request, photo_id: int, step: str) -> Response:
    """One step of a photo anew; 409 while it runs, or when the step before it did not succeed."""
    return await sync_to_async(retry)(request.user, photo_id, step)


def retry(user: Any, photo_id: int, step: str) -> Response:
    if not Photo.objects.editable_by(user).filter(pk=photo_id).exists():
        raise photo_not_found()
    names = {known.name for known in all_steps()}
    rows = (
        PhotoStep.objects.filter(photo_id=photo_id, step=step) if step in names else PhotoStep.objects.none()
    )
    if not rows.exists():
        raise NotFound("The photo has no such step.", code="step_not_found")
    if not ledger.reset(rows):
        raise Conflict("The step runs now, or the one before it did not succeed.", code="step_not_ready")
    return steps_answer(user, photo_id)
