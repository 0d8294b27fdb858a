"""Is everything there? The public part says ok or not; administrators also see what, how fast and why not."""

import logging
import time
import uuid
from collections.abc import Callable
from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import Error as DatabaseProblem
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from drf_spectacular.utils import extend_schema
from redis.exceptions import RedisError
from rest_framework import serializers
from rest_framework.decorators import authentication_classes, permission_classes
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from chitra import __version__
from chitra.open_api import warning_of_open_api
from faces.services import pack_choice
from jobs.events import check_redis
from jobs.queue import silent_clusters, waiting_tasks
from photos.storages import originals, read_through
from search.services import encoder_choice

logger = logging.getLogger(__name__)


class HealthAnswer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=["ok", "degraded"])
    version = serializers.CharField()
    db_path = serializers.CharField()
    db_status = serializers.ChoiceField(choices=["ok", "error"])
    storage_status = serializers.ChoiceField(choices=["ok", "error"])
    storage_type = serializers.ChoiceField(choices=["filesystem", "s3"])
    embed_status = serializers.ChoiceField(choices=["ok", "unavailable"])
    warnings = serializers.ListField(child=serializers.CharField())
    parts = serializers.DictField(required=False, help_text="For administrators: every part.")


class ReadyAnswer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=["ready", "waiting"])


class Unhealthy(Exception):
    """A part that does not work; the message says why and what to do."""


def check_database() -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT version(), (SELECT extversion FROM pg_extension WHERE extname = 'vector')")
        server, vector = cursor.fetchone()
    return {"server": " ".join(server.split()[:2]), "pgvector": vector}


def check_storage() -> dict[str, Any]:
    """Write, read and remove a small object."""
    storage = originals()
    key = f"health/{uuid.uuid4().hex}"
    storage.save(key, ContentFile(b"chitra", name=key))
    try:
        with storage.open(key, "rb") as file:
            read = file.read()
        is_public = bool(getattr(storage, "is_public", lambda key: False)(key))
    finally:
        storage.delete(key)
    if read != b"chitra":
        raise Unhealthy("The storage gave back other bytes than were written.")
    if is_public:
        raise Unhealthy("Everybody can read the bucket without a key. Remove its public policy.")
    details: dict[str, Any] = {"backend": type(getattr(storage, "primary", storage)).__name__}
    if settings.LEGACY_FTP:
        details["remaining_on_old_server"] = read_through.remaining()
    return details


def check_queue() -> dict[str, Any]:
    silent = silent_clusters()
    if silent:
        commands = " and ".join(f"manage.py qcluster -n {name}" for name in silent)
        raise Unhealthy(f"No worker takes tasks of the queue {' and '.join(silent)}. Start one: {commands}.")
    return {"waiting": waiting_tasks()}


def check_events() -> dict[str, Any]:
    try:
        check_redis()
    except RedisError:
        raise Unhealthy(
            "Redis does not answer, so pages show no live progress. Check the server and CHITRA_REDIS_URL."
        ) from None
    return {"over": "redis" if settings.REDIS_URL else "postgresql"}


def check_models() -> dict[str, Any]:
    return {"encoder": encoder_choice().label, "faces": pack_choice().label}


def check_migrations() -> dict[str, Any]:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        raise Unhealthy(f"{len(missing)} migrations are not applied. Run manage.py migrate.")
    return {}


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "database": check_database,
    "storage": check_storage,
    "queue": check_queue,
    "events": check_events,
    "models": check_models,
    "migrations": check_migrations,
}
NEEDED_TO_SERVE = ("database", "storage", "migrations")


def examine(name: str) -> dict[str, Any]:
    """One part: `{status, latency_ms, …}`, with `reason` when it does not work."""
    started = time.monotonic()
    try:
        details = PARTS[name]()
        status: dict[str, Any] = {"status": "ok", **details}
    except (Unhealthy, DatabaseProblem, OSError) as error:
        status = {"status": "error", "reason": reason_of(error)}
    return {**status, "latency_ms": round(1000 * (time.monotonic() - started), 1)}


def reason_of(error: Exception) -> str:
    """A sentence without paths."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).splitlines()[0] if str(error) else type(error).__name__


@extend_schema(summary="Is everything there?", responses=HealthAnswer)
@api_view(["GET", "HEAD"])
@permission_classes([AllowAny])
async def health(request: Request) -> Response:
    """Anybody: `{status, version, db_status, storage_status}`. Administrators: every part. Always 200."""
    return Response(await sync_to_async(report)(request.user))


def report(user: Any) -> dict[str, Any]:
    is_admin = bool(user.is_authenticated and user.is_staff)
    names = list(PARTS) if is_admin else ["database", "storage"]
    parts = {name: examine(name) for name in names}
    healthy = all(part["status"] == "ok" for part in parts.values())
    body: dict[str, Any] = {
        "status": "ok" if healthy else "degraded",
        "version": __version__,
        "db_path": "postgresql",
        "db_status": parts["database"]["status"],
        "storage_status": parts["storage"]["status"],
        "storage_type": settings.STORAGE,
        "embed_status": "ok" if encoder_choice().is_available else "unavailable",
        "warnings": [warning] if (warning := warning_of_open_api()) else [],
    }
    return {**body, "parts": parts} if is_admin else body


@extend_schema(summary="Can this process serve?", responses={200: ReadyAnswer, 503: ReadyAnswer})
@api_view(["GET", "HEAD"])
@authentication_classes([])
@permission_classes([AllowAny])
async def ready(request: Request) -> Response:
    """200 `ready` when this process can serve requests, else 503 `waiting`; log and health say for what."""
    parts = {name: await sync_to_async(examine)(name) for name in NEEDED_TO_SERVE}
    reasons = {name: part["reason"] for name, part in parts.items() if part["status"] != "ok"}
    if reasons:
        logger.warning("Not ready: %s", "; ".join(f"{name}: {reason}" for name, reason in reasons.items()))
        return Response({"status": "waiting"}, status=503)
    return Response({"status": "ready"})
