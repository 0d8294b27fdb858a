"""The REST API of photos: list, detail, progress."""

import json
from functools import lru_cache
from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from django.db import transaction
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.loop_views import on_event_loop
from jobs.services import step_counts
from jobs.unchanged import unchanged_since
from photos import bulk, editing
from photos.api import schemas
from photos.api.cursors import page_after
from photos.api.edit_fields import PHOTO_COLUMNS, PhotoChanges
from photos.api.errors import Unprocessable, validated
from photos.api.filter_fields import PhotoListParameters, filter_from
from photos.api.serializers import photos_as_json
from photos.api.statements import PageStatement, find_json
from photos.filters import PhotoFilter
from photos.models import Photo, PhotoStep
from photos.timeline import BadCursor


@extend_schema(
    operation_id="photos_list",
    summary="List photos",
    parameters=[PhotoListParameters],
    responses=schemas.PhotoPage,
)
@on_event_loop
@api_view(["GET", "HEAD"])
async def list_photos(request: Request) -> HttpResponse:
    """Photos, newest first by capture time: `{items, limit, offset, total}`.

    With `cursor`, empty for the first page, photos that arrive meanwhile shift nothing, and no page costs
    more than another: `{items, limit, next_cursor}`.
    """
    values = validated(PhotoListParameters, request.query_params)
    wanted = filter_from(values)
    if "cursor" in values:
        photos = wanted.apply(Photo.objects.visible_to(request.user))
        return await sync_to_async(cursor_page)(photos, values["cursor"], values["limit"])
    statement = timeline_of(request.user, wanted)
    body, snapshot = await statement.fetch(limit=values["limit"], offset=values["offset"])
    return unchanged_since(snapshot, json_answer(body))


def json_answer(body: str | bytes) -> HttpResponse:
    """JSON that is written already."""
    return HttpResponse(body, content_type="application/json")


def cursor_page(photos: Any, cursor: str, limit: int) -> HttpResponse:
    try:
        page = page_after(photos, cursor, limit=limit)
    except BadCursor as error:
        raise Unprocessable({"cursor": [str(error)]}) from None
    following = json.dumps(page.next_cursor)
    body = f'{{"items":[{",".join(page.items)}],"limit":{limit},"next_cursor":{following}}}'
    return json_answer(body)


@lru_cache(maxsize=1000)
def timeline_of(user: Any, wanted: PhotoFilter) -> PageStatement:
    """The query is the same as long as user and filter are: membership is looked up when it runs."""
    return PageStatement.of(wanted.apply(Photo.objects.visible_to(user)).newest_first())


@extend_schema(summary="Progress of the steps", responses=schemas.Progress)
@api_view(["GET", "HEAD"])
def progress(request: Request) -> Response:
    """How many of the visible photos are in which state of each step: `{steps: {name: {status: count}}}`."""
    rows = PhotoStep.objects.visible_to(request.user).filter(photo__deleted_at__isnull=True)
    return Response({"steps": step_counts(rows)})


@extend_schema(methods=["GET"], summary="One photo", responses=schemas.PhotoObject)
@extend_schema(methods=["DELETE"], summary="Move a photo to the trash", responses={200: schemas.DeletedPhoto})
@extend_schema(
    methods=["PATCH"], summary="Change a photo", request=PhotoChanges, responses=schemas.PhotoObject
)
@on_event_loop
@api_view(["GET", "HEAD", "PATCH", "DELETE"])
async def photo_detail(request: Request, photo_id: int) -> HttpResponse:
    """GET: the photo. PATCH: what people say about it; what is left out stays. DELETE: into the trash, where
    it can be brought back from for 30 days.
    """
    if request.method == "DELETE":
        return await sync_to_async(delete_photo)(request.user, photo_id)
    if request.method == "PATCH":
        changes = validated(PhotoChanges, request.data)
        await sync_to_async(change_photo)(request.user, photo_id, changes)
    found, snapshot = await find_json(request.user, photo_id)
    if found is None:
        raise photo_not_found()
    return unchanged_since(snapshot, json_answer(found))


def photo_answer(user: Any, photo_id: int) -> HttpResponse:
    found = photos_as_json(Photo.objects.visible_to(user).filter(pk=photo_id))
    if not found:
        raise photo_not_found()
    return json_answer(found[0])


def change_photo(user: Any, photo_id: int, changes: dict[str, Any]) -> None:
    """Marks are set; what the file could say as well is a correction, which locks it."""
    chosen = Photo.objects.editable_by(user).filter(pk=photo_id)
    photo = chosen.select_related("library").first()
    if photo is None:
        raise photo_not_found()
    said = {name: value for name, value in changes.items() if name in Photo.Editable.values}
    marks = {PHOTO_COLUMNS.get(name, name): changes[name] for name in changes if name not in said}
    with transaction.atomic():
        if said:
            editing.edit_photo(photo=photo, actor=user, values=said)
        if marks:
            bulk.set_values(chosen, **marks)


def delete_photo(user: Any, photo_id: int) -> Response:
    if not bulk.trash(Photo.objects.editable_by(user).filter(pk=photo_id)):
        raise photo_not_found()
    return Response({"message": "Photo deleted successfully", "photo_id": photo_id})


def photo_not_found() -> NotFound:
    return NotFound("There is no such photo.", code="photo_not_found")
