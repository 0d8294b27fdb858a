"""The REST API of photos that look alike."""

from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from jobs.cpu import run_cpu
from photos.api.errors import validated
from photos.api.fields import Body, WholeNumberField
from photos.api.schemas import DuplicateGroups
from photos.api.serializers import json_by_id
from photos.look_alikes.duplicates import group_alike
from photos.models import Photo


class DuplicateParameters(Body):
    max_distance = WholeNumberField(default=8, min_value=0, max_value=64)


@extend_schema(
    summary="Find photos that look alike", parameters=[DuplicateParameters], responses=DuplicateGroups
)
@api_view(["GET", "HEAD"])
async def duplicates(request: Request) -> HttpResponse:
    """Groups whose perceptual hashes differ by at most `max_distance` bits in a chain, largest first."""
    max_distance = validated(DuplicateParameters, request.query_params)["max_distance"]
    rows = await sync_to_async(hashed_photos)(request.user)
    groups = await run_cpu(group_alike, [value for _, value in rows], max_distance=max_distance)
    by_id = [[rows[position][0] for position in group] for group in groups]
    return await sync_to_async(answer)(request.user, max_distance, by_id)


def hashed_photos(user: Any) -> list[tuple[int, int]]:
    rows = Photo.objects.visible_to(user).filter(perceptual_hash__isnull=False).order_by("pk")
    return [(pk, value) for pk, value in rows.values_list("pk", "perceptual_hash") if value is not None]


def answer(user: Any, max_distance: int, groups: list[list[int]]) -> HttpResponse:
    ids = [photo_id for group in groups for photo_id in group]
    texts = json_by_id(Photo.objects.visible_to(user).filter(pk__in=ids))
    shown = [[texts[photo_id] for photo_id in group if photo_id in texts] for group in groups]
    parts = ",".join(f'{{"size":{len(group)},"photos":[{",".join(group)}]}}' for group in shown)
    body = f'{{"max_distance":{max_distance},"group_count":{len(shown)},"groups":[{parts}]}}'
    return HttpResponse(body, content_type="application/json")
