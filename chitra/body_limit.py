"""Refuse bodies over the limit before they are spooled to disk."""

from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import JsonResponse

from chitra import request_ids
from chitra.errors import error_body
from chitra.middleware import CorsMiddleware

MOST_DIGITS = 18
PHOTO_BODIES = (b"multipart/form-data", b"application/offset+octet-stream")  # forms, and pieces of files
FORM_OVERHEAD_BYTES = 1024 * 1024  # boundaries and part headers around the files
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class BodyTooLarge(Exception):
    """More bytes came than one request may bring."""


class BodyLimit:
    """ASGI wrapper: 413 for a declared length over the limit, and for a body that grows over it.

    The limit of photos is MAX_UPLOAD_BYTES; any other body is read into memory, so its limit is lower. A body
    of undeclared length has it declared in the end: Django, which looks at the headers after it has read the
    body, takes one without for empty.
    """

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope = dict(scope)
        headers = dict(scope["headers"])
        is_photo = headers.get(b"content-type", b"").lower().startswith(PHOTO_BODIES)
        limit = settings.MAX_UPLOAD_BYTES if is_photo else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        taken = limit + FORM_OVERHEAD_BYTES
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit() or len(declared) > MOST_DIGITS or int(declared) > taken:
            await refuse(scope, send, limit, declared.decode("latin-1"))
            return
        received = 0

        async def counted() -> dict[str, Any]:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > taken:
                raise BodyTooLarge
            if received and not message.get("more_body") and b"content-length" not in headers:
                scope["headers"] = [*scope["headers"], (b"content-length", str(received).encode())]
            return message

        try:
            await self.application(scope, counted, send)
        except BodyTooLarge:
            await refuse(scope, send, limit, str(received))


async def refuse(scope: Scope, send: Send, limit: int, size: str) -> None:
    """Answer 413 as the old API does, with sizes in bytes; also readable by pages that CORS lets in."""
    most = f"{limit / 1024**3:.1f}GB" if limit >= 1024**3 else f"{limit / 1024**2:.0f}MB"
    message = f"File too large. Maximum size: {most}. CHITRA_MAX_UPLOAD_MB raises that of photos."
    body = {
        **error_body("too_large", message),
        "max_size": limit,
        "received_size": int(size) if size.isdigit() and len(size) <= MOST_DIGITS else None,
    }
    answer = JsonResponse(body, status=413, headers={"Connection": "close"})
    # Without a length its end comes behind the body, for which a client that stops sending waits for ever.
    answer.headers["Content-Length"] = str(len(answer.content))
    request = ASGIRequest(scope, BytesIO())
    answer.headers[request_ids.HEADER] = request_ids.id_of(request)
    CorsMiddleware(lambda request: answer)(request)
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.items()]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": answer.content})
