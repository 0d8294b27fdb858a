"""The REST API of tags: of one photo, of all, and photos by tag."""

import json
from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from django.db.models import Avg, Count, Max, Min
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from photos.api.errors import BadRequest, validated
from photos.api.fields import SHARE_TEXT, Body, FiniteFloatField, TextField, WholeNumberField, WordsField
from photos.api.schemas import OkAnswer, PhotoTags, SearchResults, TagList
from photos.api.serializers import json_by_id, with_score
from photos.models import Photo, Tag


class TagItem(Body):
    tag = TextField(max_length=200)
    score = FiniteFloatField(default=1.0, min_value=0, max_value=1, json_text=SHARE_TEXT)


class TagField(serializers.Field[Any, Any, Any, Any]):
    """A name, or `{tag, score}` with a score from 0 to 1; by itself a name counts as certain."""

    item = TagItem

    def to_internal_value(self, data: Any) -> tuple[str, float]:
        if isinstance(data, str):
            data = {"tag": data}
        bound = self.item(data=data)
        bound.is_valid(raise_exception=True)
        return bound.validated_data["tag"], bound.validated_data["score"]


class TagsBody(Body):
    tags = serializers.ListField(child=TagField(), min_length=1, max_length=1000)


class TagListParameters(Body):
    limit = WholeNumberField(default=500, min_value=1, max_value=5000)


class ByTagParameters(Body):
    tag = WordsField()
    min_score = FiniteFloatField(default=0.0, min_value=0, max_value=1)
    limit = WholeNumberField(default=50, min_value=1, max_value=200)


@extend_schema(methods=["GET"], summary="Tags of a photo", responses=PhotoTags)
@extend_schema(methods=["POST"], summary="Tag a photo", request=TagsBody, responses=OkAnswer)
@api_view(["GET", "HEAD", "POST"])
async def photo_tags(request: Request, photo_id: int) -> Response:
    """Tags by score; an unknown photo has none. POST adds tags and keeps those that are there."""
    if request.method == "POST":
        return await sync_to_async(add_tags)(request, photo_id)
    return await sync_to_async(list_photo_tags)(request.user, photo_id)


def list_photo_tags(user: Any, photo_id: int) -> Response:
    rows = Tag.objects.visible_to(user).filter(photo_id=photo_id, photo__deleted_at__isnull=True)
    tags = rows.order_by("-score", "name").values_list("name", "score", "source")
    items = [{"tag": name, "score": score, "source": source} for name, score, source in tags]
    return Response({"photo_id": photo_id, "tags": items})


def add_tags(request: Request, photo_id: int) -> Response:
    if not isinstance(sent := request.data.get("tags"), list) or not sent:
        raise BadRequest("Send at least one tag: {“tags”: [“name”]}.", code="invalid_tags")
    tags = dict(validated(TagsBody, request.data)["tags"])
    photo = Photo.objects.editable_by(request.user).filter(pk=photo_id).first()
    if photo is None:
        raise NotFound("There is no such photo.", code="photo_not_found")
    rows = [Tag(photo=photo, name=name, score=score) for name, score in tags.items()]
    Tag.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["photo", "name"], update_fields=["score", "source"]
    )
    return Response({"status": "ok"})


@extend_schema(summary="All tags", parameters=[TagListParameters], responses=TagList)
@api_view(["GET", "HEAD"])
async def tags(request: Request) -> Response:
    """Tags with the number of photos and the spread of their scores, most used first."""
    limit = validated(TagListParameters, request.query_params)["limit"]
    return await sync_to_async(list_tags)(request.user, limit)


def list_tags(user: Any, limit: int) -> Response:
    visible = Tag.objects.visible_to(user).filter(photo__deleted_at__isnull=True)
    spread = {"avg_score": Avg("score"), "min_score": Min("score"), "max_score": Max("score")}
    counted = visible.values("name").annotate(count=Count("pk"), **spread).order_by("-count", "name")
    rows = list(counted[:limit])
    total = len(rows) if len(rows) < limit else visible.values("name").distinct().count()
    return Response({"tags": [{"tag": row.pop("name"), **row} for row in rows], "total": total})


@extend_schema(summary="Photos by tag", parameters=[ByTagParameters], responses=SearchResults)
@api_view(["GET", "HEAD"])
async def search_by_tag(request: Request) -> HttpResponse:
    """Photos with this tag in any case, best score first."""
    values = validated(ByTagParameters, request.query_params)
    if not values["tag"]:
        raise BadRequest("Send the tag as “tag”.", code="missing_tag")
    return await sync_to_async(photos_by_tag)(request.user, **values)


def photos_by_tag(user: Any, *, tag: str, min_score: float, limit: int) -> HttpResponse:
    rows = Tag.objects.visible_to(user).filter(photo__deleted_at__isnull=True, score__gte=min_score)
    best = rows.filter(name__iexact=tag).values("photo_id").annotate(best=Max("score"))
    scores = dict(best.order_by("-best", "-photo_id").values_list("photo_id", "best")[:limit])
    texts = json_by_id(Photo.objects.filter(pk__in=scores))
    results = [with_score(texts[pk], score) for pk, score in scores.items() if pk in texts]
    return HttpResponse(json.dumps({"query": tag, "results": results}), content_type="application/json")
