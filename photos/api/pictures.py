"""The REST API of bytes: originals, thumbnails, previews, objects by their keys."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from jobs.loop_views import on_event_loop
from jobs.models import StepStatus
from jobs.unchanged import Snapshot, unchanged_since
from photos import media_keys, serving
from photos.api import jpeg
from photos.api.errors import DecodeFailed, Unavailable, validated
from photos.api.photos import photo_not_found
from photos.api.serializers import ImageParameters, StorageParameters
from photos.api.statements import find_picture
from photos.formats.imaging import UndecodableImage
from photos.models import PhotoStep
from photos.pictures import Picture
from photos.storages import originals, renditions

logger = logging.getLogger(__name__)

BYTES = {
    (200, "application/octet-stream"): OpenApiTypes.BINARY,
    (200, "image/*"): OpenApiTypes.BINARY,
    (200, "video/*"): OpenApiTypes.BINARY,
    302: None,
    503: None,
}
PICTURES = {
    (200, "image/webp"): OpenApiTypes.BINARY,
    (200, "image/jpeg"): OpenApiTypes.BINARY,
    422: None,  # the photo is damaged
    503: None,
}


@extend_schema(
    summary="The original",
    parameters=[ImageParameters],
    responses=BYTES,
)
@on_event_loop
@api_view(["GET", "HEAD"])
async def photo_image(request: Request, photo_id: int) -> HttpResponseBase:
    """The original, byte for byte; `?download=1` names the file."""
    wanted = validated(ImageParameters, request.query_params) if request.query_params else {}
    picture, snapshot = await get_picture(request.user, photo_id)
    item = media_keys.original_item(picture, download=wanted.get("download") == "1")
    response = await serve_original(request, item)
    return unchanged_since(snapshot, response) if isinstance(response, serving.LeftToProxy) else response


async def serve_original(request: Request, item: serving.Item) -> HttpResponseBase:
    storage = originals()
    if hasattr(storage, "ensure"):  # while a migration runs: bring it from the old server first
        await sync_to_async(storage.ensure)(item.key)
    return await serve_or_404(request, storage, item, "file_not_found_on_storage")


@extend_schema(summary="The thumbnail", responses=PICTURES)
@on_event_loop
@api_view(["GET", "HEAD"])
async def photo_thumbnail(request: Request, photo_id: int) -> HttpResponseBase:
    """WebP, or JPEG for who does not accept that, at most 480 pixels a side; grey while it is being made."""
    return await serve_rendition(request, photo_id, "thumbnail")


@extend_schema(summary="The preview", responses=PICTURES)
@on_event_loop
@api_view(["GET", "HEAD"])
async def photo_preview(request: Request, photo_id: int) -> HttpResponseBase:
    """WebP, or JPEG for who does not accept that, at most 1600 pixels a side."""
    return await serve_rendition(request, photo_id, "preview")


async def serve_rendition(request: Request, photo_id: int, kind: str) -> HttpResponseBase:
    picture, snapshot = await get_picture(request.user, photo_id)
    if not picture.has_renditions:
        return await sync_to_async(without_rendition)(photo_id, kind)
    item = media_keys.rendition_item(picture, kind)
    response = await serve_picture(request, item, "thumbnail_not_found_on_storage")
    return unchanged_since(snapshot, response) if isinstance(response, serving.LeftToProxy) else response


def without_rendition(photo_id: int, kind: str) -> HttpResponse:
    """A placeholder while the thumbnail is being made. Raises DecodeFailed, or NotFound for a preview."""
    failed = PhotoStep.objects.filter(photo_id=photo_id, step="renditions", status=StepStatus.FAILED).first()
    if failed is not None:
        raise DecodeFailed(failed.error)
    if kind != "thumbnail":
        raise NotFound(f"The {kind} is not made yet. Try again soon.", code="thumbnail_pending")
    return jpeg.placeholder()


async def serve_picture(request: Request, item: serving.Item, code: str) -> HttpResponseBase:
    """A rendition, in a format that the client accepts; 404 with `code` when it is gone."""
    serve = serving.serve if jpeg.accepts_webp(request) else jpeg.serve
    with or_404(item, code):
        response = await serve(request._request, renditions(), item)
    patch_vary_headers(response, ["Accept"])
    return response


@extend_schema(
    summary="A file by its key",
    parameters=[StorageParameters],
    responses={**BYTES, **PICTURES},
)
@api_view(["GET", "HEAD"])
async def storage_object(request: Request, key: str) -> HttpResponseBase:
    """An object by its key, if it belongs to a photo that the caller may see.

    Keys of the old server's thumbnails, which end in .jpg, answer WebP, or JPEG for who does not accept that.
    """
    if request.query_params:
        validated(StorageParameters, request.query_params)
    media = await sync_to_async(media_keys.find_media)(request.user, key)
    if media is None:
        raise NotFound("There is no such file.", code="file_not_found")
    if media.storage == "originals":
        return await serve_original(request, media.item)
    if key.endswith(".jpg"):
        return await serve_picture(request, media.item, "file_not_found")
    return await serve_or_404(request, renditions(), media.item, "file_not_found")


async def serve_or_404(request: Request, storage: Any, item: serving.Item, code: str) -> HttpResponseBase:
    with or_404(item, code):
        return await serving.serve(request._request, storage, item)


@contextmanager
def or_404(item: serving.Item, code: str) -> Iterator[None]:
    """404 with `code` when the object is gone, 422 for a broken one, 503 when the storage does not answer."""
    try:
        yield
    except FileNotFoundError:
        raise NotFound(
            "The file is not in the storage; health and check_files say more.", code=code
        ) from None
    except UndecodableImage as error:
        raise DecodeFailed(f"{item.key} is damaged; check_files makes it anew. {error}") from None
    except OSError as error:
        logger.error("%s cannot be read: %s", item.key, error)
        raise Unavailable(
            "The storage does not answer; health says more.", code="storage_unavailable"
        ) from None


async def get_picture(user: Any, photo_id: int) -> tuple[Picture, Snapshot | None]:
    """A photo's files and what was seen, or 404 also for somebody else's."""
    picture, snapshot = await find_picture(user, photo_id)
    if picture is None:
        raise photo_not_found()
    return picture, snapshot
