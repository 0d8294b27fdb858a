"""Renditions are WebP; clients that do not accept it get JPEG, made on the way."""

import base64

from django.core.files.storage import Storage
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified
from rest_framework.request import Request

from jobs.cpu import cpu_result
from photos import serving
from photos.formats import imaging
from photos.storages import read_bytes

# 8 x 8 grey pixels, shown while there is no thumbnail: old clients never ask again for one that was missing.
PLACEHOLDER = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8"
    "ybqmx5moq6T/wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAABf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AVf/Z"
)


def accepts_webp(request: Request) -> bool:
    """Whether Accept names WebP, all pictures or anything; a request without it takes all."""
    accepted = request.META.get("HTTP_ACCEPT", "*/*")
    return any(name in accepted for name in ("image/webp", "image/*", "*/*"))


def answer(request: HttpRequest, storage: Storage, item: serving.Item) -> HttpResponseBase:
    """A WebP object as JPEG, or 304 when the client has it. Raises FileNotFoundError, StorageUnavailable."""
    headers = {
        "ETag": f'"{item.etag}-jpeg"',
        "Cache-Control": item.cache_control,
        "X-Content-Type-Options": "nosniff",
        "Vary": serving.WHO_ASKS,
    }
    if serving.etag_is_known(request.headers.get("If-None-Match", ""), f"{item.etag}-jpeg"):
        return HttpResponseNotModified(headers=headers)
    data = cpu_result(imaging.to_jpeg, read_bytes(storage, item.key))
    return HttpResponse(data, headers=headers, content_type="image/jpeg")


async def serve(request: HttpRequest, storage: Storage, item: serving.Item) -> HttpResponseBase:
    """The same without holding up the event loop."""
    return await serving.run_blocking(answer, request, storage, item)


def placeholder() -> HttpResponse:
    """A grey picture that nobody keeps."""
    headers = {"Cache-Control": "no-store", "Retry-After": "3", "Vary": serving.WHO_ASKS}
    return HttpResponse(PLACEHOLDER, headers=headers, content_type="image/jpeg")
