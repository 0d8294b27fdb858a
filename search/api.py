"""The REST API of search and of the embedding index."""

import json
from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import throttle_classes
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.rate_limits import SearchLimit
from jobs.services import run_step_again
from photos.api_errors import BadRequest, Unavailable, refuse_long_query, validated
from photos.api_fields import Body, FiniteFloatField, FlagField, WholeNumberField, WordsField
from photos.filter_fields import FilterFields, filter_from
from photos.filters import PhotoFilter
from photos.library_choice import LibraryParameters, chosen_library
from photos.models import Photo, PhotoStep
from photos.schemas import SearchResults, SimilarPhotos
from photos.serializers import json_by_id, with_score
from search import services


class SearchParameters(FilterFields):
    q = WordsField()
    query = WordsField(help_text="The same as q.")
    limit = WholeNumberField(default=20, min_value=1, max_value=100)
    min_score = FiniteFloatField(required=False, default=None, min_value=0, max_value=1)


class SearchAnswer(SearchResults):
    encoder = serializers.CharField(help_text="The model that was asked.")


class SimilarParameters(Body):
    limit = WholeNumberField(default=20, min_value=1, max_value=100)


class IndexAnswer(serializers.Serializer[Any]):
    indexed = serializers.IntegerField()
    job_id = serializers.CharField(allow_null=True)
    message = serializers.CharField()
    status = serializers.CharField(required=False)


class IndexBody(Body):
    incremental = FlagField(required=False, default=True, lenient=True)


@extend_schema(
    summary="Photos by what they show",
    parameters=[SearchParameters],
    responses={200: SearchAnswer, 503: None},
)
@api_view(["GET", "HEAD"])
@throttle_classes([SearchLimit])
async def search_photos(request: Request) -> HttpResponse:
    """Photos that show what `q` (or `query`) says, best first: `{query, results}`; each has a `score`.

    The filters of the photo list narrow it.
    """
    values = validated(SearchParameters, request.query_params)
    query = values["q"] or values["query"]
    if not query:
        raise BadRequest("Send what to look for as “q”.", code="missing_query")
    refuse_long_query(query)
    wanted = filter_from(values)
    photos = wanted.apply(Photo.objects.all()) if wanted != PhotoFilter() else None
    try:
        hits = await find(request.user, query, values["limit"], values["min_score"], photos=photos)
    except services.SearchUnavailable as error:
        raise Unavailable(str(error), code="search_unavailable") from None
    return await sync_to_async(answer)(query, hits)


async def find(
    user: Any, words: str, limit: int, min_score: float | None, *, photos: QuerySet[Any] | None = None
) -> list[services.Hit]:
    """The search of a request, of all photos or of these `photos`.

    The model is asked only about a query never asked before.
    """
    text = services.normalize_query(words)
    query = await sync_to_async(services.find_query)(text)
    if query is None:
        query = await services.embed_query(text)
    return await sync_to_async(services.run_query)(
        user=user, query=query, limit=limit, min_score=min_score, photos=photos
    )


def answer(query: str, hits: list[services.Hit]) -> HttpResponse:
    body = {"query": query, "results": results_of(hits), "encoder": services.encoder_choice().label}
    return HttpResponse(json.dumps(body), content_type="application/json")


def results_of(hits: list[services.Hit]) -> list[dict[str, Any]]:
    texts = json_by_id(Photo.objects.filter(pk__in=[hit.photo.pk for hit in hits]))
    return [with_score(texts[hit.photo.pk], hit.score) for hit in hits if hit.photo.pk in texts]


@extend_schema(summary="Similar photos", parameters=[SimilarParameters], responses=SimilarPhotos)
@api_view(["GET", "HEAD"])
async def similar_photos(request: Request, photo_id: int) -> HttpResponse:
    """Photos most like this one, by embedding, best first."""
    limit = validated(SimilarParameters, request.query_params)["limit"]
    return await sync_to_async(similar_answer)(request.user, photo_id, limit)


def similar_answer(user: Any, photo_id: int, limit: int) -> HttpResponse:
    photo = Photo.objects.visible_to(user).filter(pk=photo_id).first()
    if photo is None:
        raise NotFound("There is no such photo.", code="photo_not_found")
    hits = services.similar_photos(user=user, photo=photo, limit=limit)
    if hits is None:
        raise NotFound("The photo has no embedding yet. Try again soon.", code="no_embedding")
    body = {"photo_id": photo_id, "results": results_of(hits)}
    return HttpResponse(json.dumps(body), content_type="application/json")


@extend_schema(
    summary="Embed photos anew", parameters=[LibraryParameters], request=IndexBody, responses=IndexAnswer
)
@api_view(["POST"])
async def index_embeddings(request: Request) -> Response:
    """Embed photos as a job: those of a library without a vector, or all with `{"incremental": false}`."""
    body = validated(IndexBody, request.data)
    return await sync_to_async(index_embeddings_sync)(request, body["incremental"])


def index_embeddings_sync(request: Request, incremental: bool) -> Response:
    library = chosen_library(request, request.data)
    rows = PhotoStep.objects.filter(photo__library=library, step="embedding", photo__deleted_at__isnull=True)
    if incremental:
        rows = rows.exclude(photo__embeddings__encoder__version=services.encoder_choice().version)
    job = run_step_again(kind="embeddings", rows=rows, library_id=library.pk, user=request.user)
    if job is None:
        return Response({"indexed": 0, "job_id": None, "message": "No photos to process"})
    message = f"Queued {job.total} photos for processing"
    return Response({"indexed": 0, "job_id": str(job.pk), "message": message, "status": "queued"})
