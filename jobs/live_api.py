"""Live events over plain HTTP, for clients without websockets: the same events as ws/events."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from adrf.decorators import api_view
from channels.layers import get_channel_layer
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from jobs import hearing
from jobs.listener import ensure_listening

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
CONTENT_TYPE = "text/event-stream"


@extend_schema(
    summary="Live events",
    responses={(200, CONTENT_TYPE): OpenApiTypes.STR},
)
@api_view(["GET", "HEAD"])
async def events(request: Request) -> HttpResponseBase:
    """Server-sent events of one's libraries, as ws/events sends them: `data: {library_id, kind, …}`.

    A comment comes every 20 seconds. What happened before the request, or between two of them, is not told:
    load the state anew after connecting. The stream ends when the key or token does.
    """
    if request.method == "HEAD":
        return HttpResponse(content_type=CONTENT_TYPE, headers=HEADERS)
    sent = [(name.lower().encode(), text.encode("latin-1")) for name, text in request.headers.items()]
    stream = event_stream({"path": request.path, "headers": sent})
    return StreamingHttpResponse(stream, content_type=CONTENT_TYPE, headers=HEADERS)


async def event_stream(scope: Mapping[str, Any]) -> AsyncIterator[bytes]:
    """Events for whoever the headers of `scope` say, until the client goes or may hear no more.

    That is looked up again every RECHECK_SECONDS.
    """
    await ensure_listening()
    layer = get_channel_layer()
    channel = await layer.new_channel("sse")
    heard = hearing.Hearing(layer, channel, scope)
    now = asyncio.get_running_loop().time
    try:
        may_hear = await heard.update()
        yield b": connected\n\n"
        look_again = now() + hearing.RECHECK_SECONDS
        while may_hear:
            try:
                message = await asyncio.wait_for(layer.receive(channel), max(0.0, look_again - now()))
            except TimeoutError:
                may_hear = await heard.update_again()
                look_again = now() + hearing.RECHECK_SECONDS
                yield b": still there\n\n"
            else:
                yield f"data: {json.dumps(message['event'])}\n\n".encode()
    finally:
        await heard.end()
