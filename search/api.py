"""The REST API of search and of the embedding index."""

import json
from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.cpu import run_cpu
from jobs.services import run_step_again
from photos.api_errors import BadRequest, Unavailable, text_parameter, validated
from photos.models import Library, Photo, PhotoStep
from photos.serializers import photos_as_json
from search import services


class SearchParameters(serializers.Serializer[Any]):
    limit = serializers.IntegerField(default=20, min_value=1, max_value=100)
    min_score = serializers.FloatField(required=False, default=None, min_value=0, max_value=1)


class IndexBody(serializers.Serializer[Any]):
    incremental = serializers.BooleanField(required=False, default=True)


@api_view(["GET", "HEAD"])
async def search_photos(request: Request) -> HttpResponse:
    """Photos that show what `q` (or `query`) says, best first: `{query, results}`; each has a `score`."""
    query = text_parameter(request.query_params, "q", "query")
    if not query:
        raise BadRequest("Send what to look for as “q”.", code="missing_query")
    values = validated(SearchParameters, request.query_params)
    try:
        hits = await find(request.user, query, values["limit"], values["min_score"])
    except services.SearchUnavailable as error:
        raise Unavailable(str(error), code="search_unavailable") from None
    return await sync_to_async(answer)(query, hits)


async def find(
    user: Any, words: str, limit: int, min_score: float | None, *, photos: QuerySet[Any] | None = None
) -> list[services.Hit]:
    """The search of a request, of all photos or of these `photos`.

    The model runs on a CPU thread, and only for a query never asked before.
    """
    text = services.normalize_query(words)
    query = await sync_to_async(services.find_query)(text)
    if query is None:
        query = await run_cpu(services.embed_query, text)
    return await sync_to_async(services.run_query)(
        user=user, query=query, limit=limit, min_score=min_score, photos=photos
    )


def answer(query: str, hits: list[services.Hit]) -> HttpResponse:
    ids = [hit.photo.pk for hit in hits]
    by_id = {item["id"]: item for item in map(json.loads, photos_as_json(Photo.objects.filter(pk__in=ids)))}
    results = [{**by_id[hit.photo.pk], "score": round(hit.score, 4)} for hit in hits if hit.photo.pk in by_id]
    body = json.dumps({"query": query, "results": results, "encoder": services.encoder_choice().label})
    return HttpResponse(body, content_type="application/json")


@api_view(["POST"])
async def index_embeddings(request: Request) -> Response:
    """Embed photos as a job: those without an embedding, or all with `{"incremental": false}`."""
    body = validated(IndexBody, request.data or {})
    return await sync_to_async(index_embeddings_sync)(request.user, body["incremental"])


def index_embeddings_sync(user: Any, incremental: bool) -> Response:
    rows = PhotoStep.objects.editable_by(user).filter(step="embedding", photo__deleted_at__isnull=True)
    if incremental:
        rows = rows.exclude(photo__embeddings__encoder__version=services.encoder_choice().version)
    job = run_step_again(kind="embeddings", rows=rows, library_id=Library.objects.home_of(user).pk, user=user)
    if job is None:
        return Response({"indexed": 0, "job_id": None, "message": "No photos to process"})
    message = f"Queued {job.total} photos for processing"
    return Response({"indexed": 0, "job_id": str(job.pk), "message": message, "status": "queued"})
