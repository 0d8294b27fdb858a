"""The REST API of search and of the embedding index."""

import json
from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import throttle_classes
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.rate_limits import SearchLimit
from jobs.services import run_step_again
from photos.api.errors import BadRequest, Unavailable, refuse_long_query, validated
from photos.api.fields import Body, FiniteFloatField, FlagField, WholeNumberField, WordsField
from photos.api.filter_fields import FilterFields, filter_from
from photos.api.library_choice import LibraryParameters, chosen_library
from photos.api.schemas import SearchResults, SimilarPhotos
from photos.api.serializers import json_by_id, with_score
from photos.filters import PhotoFilter
from photos.models import Photo, PhotoStep
from search import services
from search.understanding import Asked, read_query


class SearchParameters(FilterFields):
    q = WordsField()
    query = WordsField(help_text="The same as q.")
    limit = WholeNumberField(default=20, min_value=1, max_value=100)
    min_score = FiniteFloatField(required=False, default=None, min_value=0, max_value=1)


class PersonUnderstood(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()


class Understood(serializers.Serializer[Any]):
    """What of the query narrowed the photos, and the words that ranked them."""

    words = serializers.CharField(help_text="What the photos have to show, or what is written about them.")
    people = PersonUnderstood(many=True)
    places = serializers.ListField(child=serializers.CharField())
    taken = serializers.CharField(help_text="When, such as “June 2019”; empty for any time.")
    kinds = serializers.ListField(child=serializers.ChoiceField(choices=["favorite", "video"]))


class SearchAnswer(SearchResults):
    encoder = serializers.CharField(help_text="The model that was asked.")
    understood = Understood()


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

    Names of people and places, times (“summer 2019”, “in June”, “two years ago”), “videos” and “favorites” in
    it narrow the photos, as the filters of the photo list do; the words that are left rank them.
    """
    values = validated(SearchParameters, request.query_params)
    query = values["q"] or values["query"]
    if not query:
        raise BadRequest("Send what to look for as “q”.", code="missing_query")
    refuse_long_query(query)
    user, limits = request.user, (values["limit"], values["min_score"])
    asked, known = await sync_to_async(answer_of_known)(user, query, filter_from(values), *limits)
    if known is not None:
        return known
    try:
        hits = await find_anew(user, asked, *limits)
    except services.SearchUnavailable as error:
        raise Unavailable(str(error), code="search_unavailable") from None
    return await sync_to_async(answer)(asked, hits)


def answer_of_known(
    user: Any, query: str, wanted: PhotoFilter, limit: int, min_score: float | None
) -> tuple[Asked, HttpResponse | None]:
    """What was asked, and the answer, None when a model has to look at the words first."""
    asked = read_query(user, query)
    if wanted != PhotoFilter():
        asked = asked.within(wanted)
    hits = find_known(user, asked, limit, min_score)
    return asked, None if hits is None else answer(asked, hits)


async def find(user: Any, asked: Asked, limit: int, min_score: float | None) -> list[services.Hit]:
    """The search of a request: words rank; what has only people, places and times is listed by time.

    Raises SearchUnavailable when there is no model for words never asked before, and nothing is written that
    fits.
    """
    hits = await sync_to_async(find_known)(user, asked, limit, min_score)
    return await find_anew(user, asked, limit, min_score) if hits is None else hits


def find_known(user: Any, asked: Asked, limit: int, min_score: float | None) -> list[services.Hit] | None:
    """The search for what needs no model; None for words never asked before."""
    if not asked.words:
        return newest(asked.photos, limit)
    query = services.find_query(services.normalize_query(asked.words))
    return None if query is None else ranked(user, asked, query, limit, min_score)


async def find_anew(user: Any, asked: Asked, limit: int, min_score: float | None) -> list[services.Hit]:
    """The search for words never asked before: a model looks at them."""
    query, problem = None, None
    try:
        query = await services.embed_query(services.normalize_query(asked.words))
    except services.SearchUnavailable as error:
        problem = error
    hits = await sync_to_async(ranked)(user, asked, query, limit, min_score)
    if problem is not None and not hits:
        raise problem
    return hits


def ranked(
    user: Any, asked: Asked, query: services.Query | None, limit: int, min_score: float | None
) -> list[services.Hit]:
    return services.run_query(
        user=user,
        text=services.normalize_query(asked.words),
        query=query,
        limit=limit,
        min_score=min_score,
        photos=asked.photos if asked.is_narrowed else None,
    )


def newest(photos: Any, limit: int) -> list[services.Hit]:
    """The newest of these photos; each fits wholly."""
    ids = photos.without_clips().newest_first().values_list("pk", flat=True)[:limit]
    return [services.Hit(pk, 1.0) for pk in ids]


def answer(asked: Asked, hits: list[services.Hit]) -> HttpResponse:
    body = {
        "query": asked.query,
        "results": results_of(hits),
        "encoder": services.encoder_choice().label,
        "understood": {
            "words": asked.words,
            "people": [{"id": person.pk, "name": person.name} for person in asked.people],
            "places": list(asked.places),
            "taken": str(asked.period or ""),
            "kinds": sorted(asked.kinds),
        },
    }
    return HttpResponse(json.dumps(body), content_type="application/json")


def results_of(hits: list[services.Hit]) -> list[dict[str, Any]]:
    texts = json_by_id(Photo.objects.filter(pk__in=[hit.photo_id for hit in hits]))
    return [with_score(texts[hit.photo_id], hit.score) for hit in hits if hit.photo_id in texts]


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
