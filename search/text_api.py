"""The text in a photo, for programs."""

from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from photos.models import Photo
from search.models import PhotoText


class TextLine(serializers.Serializer[Any]):
    text = serializers.CharField()
    box = serializers.ListField(
        child=serializers.FloatField(),
        min_length=4,
        max_length=4,
        help_text="x1, y1, x2, y2 in fractions of the upright photo.",
    )
    score = serializers.FloatField(help_text="How sure the reading is, 0 to 1.")


class TextAnswer(serializers.Serializer[Any]):
    photo_id = serializers.IntegerField()
    text = serializers.CharField(help_text="All lines. Empty without text, and before the photo was read.")
    lines = TextLine(many=True)


@extend_schema(summary="The text in a photo", responses=TextAnswer)
@api_view(["GET", "HEAD"])
async def photo_text(request: Request, photo_id: int) -> Response:
    """The lines that are to be read in a photo, in reading order, and where they are."""
    return Response(await sync_to_async(text_of)(request.user, photo_id))


def text_of(user: Any, photo_id: int) -> dict[str, Any]:
    if not Photo.objects.visible_to(user).filter(pk=photo_id).exists():
        raise NotFound("There is no such photo.", code="photo_not_found")
    read = PhotoText.objects.filter(photo=photo_id).only("text", "lines").first()
    return {
        "photo_id": photo_id,
        "text": read.text if read else "",
        "lines": read.lines if read else [],
    }
