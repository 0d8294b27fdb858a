"""Live events over plain HTTP, for clients without websockets: the same events as ws/events."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.module_loading import import_string
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from jobs.events import library_group
from jobs.listener import ensure_listening

HEARTBEAT_SECONDS = 20.0
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
CONTENT_TYPE = "text/event-stream"


@extend_schema(
    summary="Live events",
    responses={(200, CONTENT_TYPE): OpenApiTypes.STR},
)
@api_view(["GET", "HEAD"])
async def events(request: Request) -> HttpResponseBase:
    """Server-sent events of one's libraries, as ws/events sends them: `data: {library_id, kind, …}`.

    A comment comes every 20 seconds of silence. What happened before the request, or between two of them, is
    not told: load the state anew after connecting.
    """
    if request.method == "HEAD":
        return HttpResponse(content_type=CONTENT_TYPE, headers=HEADERS)
    return StreamingHttpResponse(event_stream(request.user), content_type=CONTENT_TYPE, headers=HEADERS)


async def event_stream(user: Any) -> AsyncIterator[bytes]:
    """Events until the client goes. Which libraries are heard is looked up again at every heartbeat."""
    await ensure_listening()
    layer = get_channel_layer()
    channel = await layer.new_channel("sse")
    joined: set[str] = set()
    try:
        joined = await join_groups(layer, channel, user, joined)
        yield b": connected\n\n"
        while True:
            try:
                message = await asyncio.wait_for(layer.receive(channel), HEARTBEAT_SECONDS)
            except TimeoutError:
                joined = await join_groups(layer, channel, user, joined)
                yield b": still there\n\n"
            else:
                yield f"data: {json.dumps(message['event'])}\n\n".encode()
    finally:
        for group in joined:
            await layer.group_discard(group, channel)


async def join_groups(layer: Any, channel: str, user: Any, joined: set[str]) -> set[str]:
    """Hear the libraries that the user may see now, and no others. Returns their groups."""
    libraries = import_string(settings.EVENT_LIBRARIES)
    wanted = set(map(library_group, await sync_to_async(libraries)(user)))
    for group in wanted - joined:
        await layer.group_add(group, channel)
    for group in joined - wanted:
        await layer.group_discard(group, channel)
    return wanted
