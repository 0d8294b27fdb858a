"""Refuse bodies over the limit before they are spooled to disk."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

from chitra.errors import error_body

FORM_OVERHEAD_BYTES = 1024 * 1024  # boundaries and part headers around the files
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class BodyTooLarge(Exception):
    """More bytes came than one request may bring."""


class BodyLimit:
    """ASGI wrapper: 413 for a declared length over MAX_UPLOAD_BYTES, and for a body that grows over it."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = settings.MAX_UPLOAD_BYTES + FORM_OVERHEAD_BYTES
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > limit:
            await refuse(send, declared.decode("latin-1"))
            return
        received = 0

        async def counted() -> dict[str, Any]:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise BodyTooLarge
            return message

        try:
            await self.application(scope, counted, send)
        except BodyTooLarge:
            await refuse(send, str(received))


async def refuse(send: Send, size: str) -> None:
    """Answer 413 as the old API does, with sizes in bytes."""
    limit = settings.MAX_UPLOAD_BYTES
    message = f"File too large. Maximum size: {limit / 1024**3:.1f}GB"
    body = {
        **error_body("too_large", f"{message}. CHITRA_MAX_UPLOAD_MB raises the limit."),
        "max_size": limit,
        "received_size": int(size) if size.isdigit() else None,
    }
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
