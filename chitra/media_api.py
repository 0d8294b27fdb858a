"""The REST API of videos, for players that send no headers: a token in the URL stands for them."""

from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import permission_classes
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from chitra.accounts import tokens
from photos.api.errors import Unauthorized, validated
from photos.api.fields import Body, TextField
from photos.api.films import film_answer
from photos.models import Photo


class VideoParameters(Body):
    token = TextField(default="", allow_blank=True, max_length=2000, help_text="Of media-token.")


@extend_schema(
    summary="Play a video",
    parameters=[VideoParameters],
    responses={(200, "video/mp4"): OpenApiTypes.BINARY, 401: None},
)
@api_view(["GET", "HEAD"])
@permission_classes([AllowAny])
async def photo_video(request: Request, photo_id: int) -> HttpResponseBase:
    """The film of a video or motion photo, with Range. A token counts before other credentials."""
    token = validated(VideoParameters, request.query_params)["token"]
    photo = await sync_to_async(find_photo)(request.user, token, photo_id)
    return await film_answer(request, photo)


def find_photo(user: Any, token: str, photo_id: int) -> Photo:
    """401 without credentials or a token for media, 404 for a photo that its owner may not see."""
    try:
        if token or not user.is_authenticated:
            user = tokens.user_of(token, scope=tokens.MEDIA_SCOPE)
    except tokens.BadToken:
        message = "The token is none of GET /api/media-token, or has expired. Get a new one."
        raise Unauthorized(message, code="invalid_or_expired_media_token") from None
    photo: Photo | None = Photo.objects.visible_to(user).filter(pk=photo_id).first()
    if photo is None:
        raise NotFound("There is no such photo.", code="photo_not_found")
    return photo
