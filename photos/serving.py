"""Bytes out of a storage: streamed, redirected to the store or left to a proxy, never whole in memory."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, ParamSpec, TypeVar
from urllib.parse import quote

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.files.storage import FileSystemStorage, Storage
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotModified,
    JsonResponse,
    StreamingHttpResponse,
)
from django.utils.http import content_disposition_header, http_date, parse_http_date_safe

from photos.storages import object_store, storage_of
from photos.storages.folders import FolderFiles
from photos.storages.objects import ObjectReader

WHO_ASKS = "Authorization, X-Api-Key, Cookie"  # the headers that say so
P = ParamSpec("P")
T = TypeVar("T")
CHUNK_BYTES = 1024 * 1024
RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
THUMBNAIL_CACHE = "private, max-age=604800"
ORIGINAL_CACHE = "private, no-cache"


@dataclass(frozen=True)
class Item:
    """An object to serve. `etag` without quotes; `download_name` "" shows it in the browser.

    Small objects are not worth a redirect that pages did not ask for (`is_small`).
    """

    key: str
    mime_type: str
    etag: str
    cache_control: str
    download_name: str = ""
    is_small: bool = False


async def serve(request: HttpRequest, storage: Storage, item: Item) -> HttpResponseBase:
    """What `answer` answers, without holding up the event loop. Raises the same."""
    if (at_once := answer_at_once(request, storage_of(storage, item.key), item)) is not None:
        return at_once
    return await run_blocking(answer, request, storage, item)


def answer(request: HttpRequest, storage: Storage, item: Item) -> HttpResponseBase:
    """The object, a part of it (Range), 304, or where to get it. The caller has checked who asks.

    Raises FileNotFoundError and StorageUnavailable.
    """
    storage = storage_of(storage, item.key)
    if (at_once := answer_at_once(request, storage, item)) is not None:
        return at_once
    headers = headers_of(item)
    if wants_redirect(request, storage, item):
        return redirect(storage, item)
    store = object_store(storage)
    if request.method != "HEAD" and "Range" not in request.headers and not settings.ACCEL:
        reader: ObjectReader | None = (whole := store.open_reader(item.key))
        stat = whole.stat
    else:
        reader, stat = None, store.stat(item.key)
    headers["Last-Modified"] = http_date(stat.modified_at.timestamp())
    if is_unmodified_since(request, stat.modified_at):
        if reader is not None:
            reader.close()
        return HttpResponseNotModified(headers=headers)
    if proxy_headers := accelerated(storage, item.key):
        return HttpResponse(headers={**headers, **proxy_headers}, content_type=item.mime_type)
    asked = requested_span(request.headers.get("Range", ""), stat.size)
    status = 206 if asked is not None and range_applies(request, item, headers) else 200
    start, end = asked if asked is not None and status == 206 else (0, stat.size)
    if status == 206:
        if start >= end:
            return outside_of(stat.size)
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{stat.size}"
    headers["Content-Length"] = str(end - start)
    if request.method == "HEAD":
        return HttpResponse(headers=headers, status=status, content_type=item.mime_type)
    if reader is None:
        reader = store.open_reader(item.key, start, end)
    if end - start <= CHUNK_BYTES:
        return HttpResponse(read_all(reader), headers=headers, status=status, content_type=item.mime_type)
    options: dict[str, Any] = {"headers": headers, "status": status, "content_type": item.mime_type}
    if reader.file is not None:
        return FileAnswer(reader, reader.file, start, end - start, **options)
    return StreamingHttpResponse(stream(reader), **options)


def outside_of(size: int) -> HttpResponse:
    """416, in the shape of all errors."""
    code, message = "range_not_satisfiable", f"The file has {size} bytes; the range begins behind them."
    body = {"error": code, "detail": code, "message": message}
    return JsonResponse(body, status=416, headers={"Content-Range": f"bytes */{size}"})


class FileAnswer(StreamingHttpResponse):
    """A part of an open file. It is streamed, but a server may send `length` bytes of `file` by itself."""

    goes_as_file = False  # whether the server of this request does

    def __init__(self, reader: ObjectReader, file: BinaryIO, start: int, length: int, **options: Any) -> None:
        super().__init__(stream(reader), **options)
        self.file = file
        self.start = start
        self.length = length

    def close(self) -> None:
        super().close()
        self.file.close()


def answer_at_once(request: HttpRequest, storage: Storage, item: Item) -> HttpResponse | None:
    """The answer, if it takes no look at the object: the client has it, or the proxy will find it."""
    if etag_is_known(request.META.get("HTTP_IF_NONE_MATCH", ""), item.etag):
        return HttpResponseNotModified(headers=headers_of(item))
    if isinstance(storage, FolderFiles):  # to find its file is to look at it
        return None
    if proxy_headers := accelerated(storage, item.key):
        return LeftToProxy(headers={**headers_of(item), **proxy_headers}, content_type=item.mime_type)
    return None


class LeftToProxy(HttpResponse):
    """What the proxy needs to send a file that was not looked at."""


def headers_of(item: Item) -> dict[str, str]:
    headers = {
        "ETag": f'"{item.etag}"',
        "Cache-Control": item.cache_control,
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
        "Vary": WHO_ASKS,
    }
    if item.download_name:
        headers["Content-Disposition"] = disposition(item)
    return headers


def disposition(item: Item) -> str:
    """Content-Disposition with the name the file came with, "" to show it."""
    if not item.download_name:
        return ""
    return content_disposition_header(True, item.download_name) or "attachment"


def etag_is_known(if_none_match: str, etag: str) -> bool:
    """Whether an If-None-Match header names this ETag (weakly compared) or any."""
    names = [name.strip().removeprefix("W/") for name in if_none_match.split(",")]
    return f'"{etag}"' in names or "*" in names


def is_unmodified_since(request: HttpRequest, modified_at: datetime) -> bool:
    """Whether If-Modified-Since holds; If-None-Match makes it void."""
    if "If-None-Match" in request.headers:
        return False
    since = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
    return since is not None and int(modified_at.timestamp()) <= since


def range_applies(request: HttpRequest, item: Item, headers: dict[str, str]) -> bool:
    """Whether Range is to be followed: If-Range, when sent, must name the object as it is."""
    condition = request.headers.get("If-Range", "").strip()
    return condition in ("", f'"{item.etag}"', headers["Last-Modified"])


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


def wants_redirect(request: HttpRequest, storage: Any, item: Item) -> bool:
    """Whether to send a client to the store: if it asks ("?redirect=1"), or pages if they get there."""
    if not hasattr(storage, "presigned_url"):
        return False
    if (asked := request.GET.get("redirect")) in ("0", "1"):
        return asked == "1"
    is_page = "Authorization" not in request.headers and "X-Api-Key" not in request.headers
    return is_page and not item.is_small and bool(storage.public_endpoint_url)


def redirect(storage: Any, item: Item) -> HttpResponse:
    """302 to a URL that works for CHITRA_PRESIGNED_SECONDS, kept by the browser for half of it."""
    seconds = settings.PRESIGNED_SECONDS
    described = {
        "ContentType": item.mime_type,
        "ContentDisposition": disposition(item),
        "CacheControl": item.cache_control,
    }
    url = storage.presigned_url(item.key, seconds=seconds, headers=described)
    headers = {
        "Location": url,
        "Cache-Control": f"private, max-age={seconds // 2}",
        "Vary": WHO_ASKS,
    }
    return HttpResponse(status=302, headers=headers)


def accelerated(storage: Storage, key: str) -> dict[str, str]:
    """What tells the proxy of CHITRA_ACCEL to send the file itself; nothing without one."""
    if not settings.ACCEL or not isinstance(storage, FileSystemStorage):
        return {}
    path = storage.path(key)
    if settings.ACCEL == "sendfile":
        return {"X-Sendfile": quote(path)}
    own = f"{settings.MEDIA_DIR}/"
    if not path.startswith(own):
        return {}
    return {"X-Accel-Redirect": settings.ACCEL_PREFIX + quote(path.removeprefix(own))}


async def stream(reader: ObjectReader) -> AsyncIterator[bytes]:
    """Pieces of an open object, each read on a thread of the pool while the one before is sent."""
    coming = asyncio.ensure_future(run_blocking(reader.read, CHUNK_BYTES))
    try:
        while data := await coming:
            coming = asyncio.ensure_future(run_blocking(reader.read, CHUNK_BYTES))
            yield data
    finally:
        await asyncio.wait([coming])
        await run_blocking(reader.close)


def read_all(reader: ObjectReader) -> bytes:
    try:
        return b"".join(iter(lambda: reader.read(CHUNK_BYTES), b""))
    finally:
        reader.close()


async def run_blocking(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """File work without the ORM, on any thread."""
    return await sync_to_async(function, thread_sensitive=False)(*args, **kwargs)
