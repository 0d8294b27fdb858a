"""Live events: from any process to every open page, without a broker.

`publish` is a NOTIFY on the caller's own database connection, so an event is sent when its transaction
commits and never when it rolls back. Each web process holds one LISTEN connection (`jobs.listener`) and hands
events to its channel layer. With Redis as the channel layer, events go through Redis instead.
"""

import json
import logging
from collections.abc import Sequence
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connection, transaction
from redis import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
CHANNEL = "chitra_events"
MAX_PAYLOAD_BYTES = 7900  # PostgreSQL's limit for NOTIFY is 8000


def library_group(library_id: int) -> str:
    """Name of the channel group of everybody who may see the library."""
    return f"library-{library_id}"


def publish(library_id: int | None, kind: str, **data: Any) -> None:
    """Tell the open pages of a library's members what happened. `data` must be small and JSON."""
    if library_id is None:
        return
    event = {"library_id": library_id, "kind": kind, **data}
    if settings.REDIS_URL:
        transaction.on_commit(lambda: send_to_group(event), robust=True)
        return
    payload = json.dumps(event)
    if len(payload) > MAX_PAYLOAD_BYTES:
        payload = json.dumps({"library_id": library_id, "kind": kind})
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])


def publish_each(library_id: int, kind: str, ids: Sequence[int]) -> None:
    """`publish` for each id, in one statement."""
    if settings.REDIS_URL:
        for pk in ids:
            publish(library_id, kind, id=pk)
    elif ids:
        rows = "unnest(%s::bigint[]) AS id, (SELECT %s::bigint AS library_id) AS library"
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {publishing(kind)} FROM {rows}", [list(ids), library_id])


def publishing(kind: str) -> str:
    """SQL that does what `publish` does, to be part of the statement that makes the rows.

    It is an expression over their `library_id` and `id`. With Redis it does nothing: `publish_each` instead.
    """
    if settings.REDIS_URL:
        return "NULL"
    event = f"json_build_object('library_id', library_id, 'kind', '{kind}', 'id', id)"
    return f"pg_notify('{CHANNEL}', {event}::text)"


def send_to_group(event: dict[str, Any]) -> None:
    """Hand an event to the channel layer from synchronous code. Without Redis it is lost, and said so."""
    layer = get_channel_layer()
    try:
        async_to_sync(layer.group_send)(
            library_group(event["library_id"]), {"type": "library.event", "event": event}
        )
    except (RedisError, OSError) as error:
        logger.warning("Live events are off, Redis (CHITRA_REDIS_URL) cannot be used: %s", error)


def check_redis() -> None:
    """Raise RedisError when there is a Redis to be used and it does not answer."""
    if settings.REDIS_URL:
        seconds = settings.REDIS_CONNECT_SECONDS
        with Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=seconds, socket_timeout=seconds
        ) as redis:
            redis.ping()
