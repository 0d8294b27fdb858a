"""The REST API of corrections."""

from datetime import datetime
from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from photos import editing
from photos.api.errors import Unprocessable, validated
from photos.api.fields import Body, FiniteFloatField, TextField, WholeNumberField
from photos.api.photos import photo_not_found
from photos.api.schemas import EditAnswer, UndoAnswer
from photos.api.serializers import photos_as_json
from photos.dates.stamps import MAX_OFFSET_MINUTES
from photos.models import Photo, PhotoEdit


class WallClockField(TextField):
    """`2024-05-01T12:34:56`, a wall clock without a zone."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return datetime.fromisoformat(super().to_internal_value(data)).replace(tzinfo=None)
        except ValueError:
            raise serializers.ValidationError("Send a wall clock like 2024-05-01T12:34:56.") from None


class EditBody(Body):
    """What is sent is set and locked; what is left out stays."""

    title = TextField(required=False, allow_blank=True, max_length=300)
    description = TextField(required=False, allow_blank=True, max_length=10_000)
    rating = WholeNumberField(required=False, allow_null=True, min_value=0, max_value=5)
    taken_at = WallClockField(required=False, schema_format="past-wall-clock")
    utc_offset_minutes = WholeNumberField(
        required=False, allow_null=True, min_value=-MAX_OFFSET_MINUTES, max_value=MAX_OFFSET_MINUTES
    )
    latitude = FiniteFloatField(required=False, allow_null=True, min_value=-90, max_value=90)
    longitude = FiniteFloatField(required=False, allow_null=True, min_value=-180, max_value=180)

    rules = {
        "dependentRequired": {
            "latitude": ["longitude"],
            "longitude": ["latitude"],
            "utc_offset_minutes": ["taken_at"],
        },
        "anyOf": [
            {"properties": {"latitude": both, "longitude": both}}
            for both in ({"not": {"type": "null"}}, {"const": None})
        ],
    }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Coordinates come in pairs, an offset with its wall clock."""
        latitude, longitude = attrs.get("latitude"), attrs.get("longitude")
        if ("latitude" in attrs) != ("longitude" in attrs) or (latitude is None) != (longitude is None):
            raise serializers.ValidationError("Send latitude and longitude together.")
        if "utc_offset_minutes" in attrs and "taken_at" not in attrs:
            raise serializers.ValidationError("Send utc_offset_minutes together with taken_at.")
        return attrs


@extend_schema(summary="Correct a photo", request=EditBody, responses=EditAnswer)
@api_view(["PATCH"])
async def edit(request: Request, photo_id: int) -> HttpResponse:
    """Correct a photo: answers it with the `edit_id` by which to undo, null when nothing changed."""
    body = validated(EditBody, request.data)
    return await sync_to_async(edit_sync)(request.user, photo_id, body)


def edit_sync(user: Any, photo_id: int, body: dict[str, Any]) -> HttpResponse:
    photo = Photo.objects.editable_by(user).select_related("library").filter(pk=photo_id).first()
    if photo is None:
        raise photo_not_found()
    values = {name: body[name] for name in ("title", "description", "rating") if name in body}
    if "taken_at" in body:
        values["time"] = editing.WallClock(body["taken_at"], body.get("utc_offset_minutes"))
    if "latitude" in body:
        place = (body["latitude"], body["longitude"])
        values["place"] = None if place[0] is None else place
    try:
        made = editing.edit_photo(photo=photo, actor=user, values=values) if values else None
    except editing.BadEdit as error:
        raise Unprocessable({error.field: [str(error)]}) from None
    [text] = photos_as_json(Photo.objects.filter(pk=photo_id))
    edit_id = "null" if made is None else made.pk
    return HttpResponse(f'{{"edit_id":{edit_id},"photo":{text}}}', content_type="application/json")


@extend_schema(summary="Undo a correction", request=None, responses=UndoAnswer)
@api_view(["POST"])
async def undo(request: Request, edit_id: int) -> Response:
    """Undo an edit where it still stands: `{restored, left}`; doing it twice changes nothing."""
    return await sync_to_async(undo_sync)(request.user, edit_id)


def undo_sync(user: Any, edit_id: int) -> Response:
    found = PhotoEdit.objects.editable_by(user).filter(pk=edit_id).first()
    if found is None:
        raise NotFound("There is no such edit.", code="edit_not_found")
    undone = editing.undo(found)
    return Response({"restored": undone.restored, "left": undone.left})
