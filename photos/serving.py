"""Bytes out of a storage: streamed in pieces, with ranges and validators, never a whole file in memory."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.core.files.storage import Storage
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotModified,
    StreamingHttpResponse,
)
from django.utils.http import content_disposition_header

CHUNK_BYTES = 512 * 1024
RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
THUMBNAIL_CACHE = "private, max-age=604800"
ORIGINAL_CACHE = "private, no-cache"


@dataclass(frozen=True)
class Item:
    """An object to serve. `etag` without quotes; `download_name` "" shows it in the browser."""

    key: str
    mime_type: str
    etag: str
    cache_control: str
    download_name: str = ""


async def serve(request: HttpRequest, storage: Storage, item: Item) -> HttpResponseBase:
    """The object, a part of it (Range), or 304 when the client has it. Raises FileNotFoundError."""
    headers = headers_of(item)
    if f'"{item.etag}"' in request.headers.get("If-None-Match", ""):
        return HttpResponseNotModified(headers=headers)
    file, size = await run_blocking(open_with_size, storage, item.key)
    span, status = (0, size), 200
    if request.headers.get("If-Range", headers["ETag"]) == headers["ETag"]:
        asked = requested_span(request.headers.get("Range", ""), size)
        if asked is not None:
            span, status = asked, 206
    start, end = span
    if start >= end and status == 206:
        await run_blocking(file.close)
        return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    if status == 206:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    if request.method == "HEAD":
        await run_blocking(file.close)
        return HttpResponse(headers=headers, status=status, content_type=item.mime_type)
    if end - start <= CHUNK_BYTES:
        data = await run_blocking(read_span, file, start, end)
        return HttpResponse(data, headers=headers, status=status, content_type=item.mime_type)
    return StreamingHttpResponse(
        stream(file, start, end), headers=headers, status=status, content_type=item.mime_type
    )


def headers_of(item: Item) -> dict[str, str]:
    headers = {
        "ETag": f'"{item.etag}"',
        "Cache-Control": item.cache_control,
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
        "Vary": "Authorization, Cookie",
    }
    if item.download_name:
        headers["Content-Disposition"] = content_disposition_header(True, item.download_name) or "attachment"
    return headers


def requested_span(header: str, size: int) -> tuple[int, int] | None:
    """Start and end (exclusive) of a Range header; empty when it cannot be satisfied.

    None for no header and for a form that is not served: the whole is the answer then.
    """
    match = RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return max(0, size - int(last)), size
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last) + 1, size) if last else size


async def stream(file: Any, start: int, end: int) -> AsyncIterator[bytes]:
    """Pieces of an open file, each read on a thread of the pool."""
    try:
        await run_blocking(file.seek, start)
        while start < end:
            data = await run_blocking(file.read, min(CHUNK_BYTES, end - start))
            if not data:
                break
            start += len(data)
            yield data
    finally:
        await run_blocking(file.close)


def read_span(file: Any, start: int, end: int) -> bytes:
    with file:
        file.seek(start)
        return bytes(file.read(end - start))


def open_with_size(storage: Storage, key: str) -> tuple[Any, int]:
    file = storage.open(key, "rb")
    return file, file.size


async def run_blocking(function: Any, *arguments: Any) -> Any:
    """File work without the ORM, on any thread."""
    return await sync_to_async(function, thread_sensitive=False)(*arguments)
