"""The REST API of the timeline as columns, of statistics, and of a selection as a zip."""

from datetime import UTC, datetime
from typing import Any

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from photos.api.edit_fields import SelectionBody, selection_from
from photos.api.errors import TooLargeToTake, validated
from photos.api.fields import IdField
from photos.api.filter_fields import FilterFields, filter_from
from photos.api.photos import photo_not_found
from photos.archive import MOST_PHOTOS, Entry, entries_of, zip_stream
from photos.buckets import bucket_columns, bucket_counts, in_month
from photos.bulk import Selection
from photos.models import Photo
from photos.statistics import statistics_of


class Bucket(serializers.Serializer[Any]):
    month = serializers.CharField(help_text="YYYY-MM.")
    count = serializers.IntegerField()


class Buckets(serializers.Serializer[Any]):
    buckets = Bucket(many=True)


class BucketColumns(serializers.Serializer[Any]):
    """Arrays of one length, newest first."""

    count = serializers.IntegerField()
    id = serializers.ListField(child=serializers.IntegerField())
    ratio = serializers.ListField(child=serializers.FloatField(), help_text="Width over height.")
    thumbhash = serializers.ListField(child=serializers.CharField(), help_text="Base64, or empty.")
    time = serializers.ListField(child=serializers.CharField(), help_text="Wall clocks.")


class Share(serializers.Serializer[Any]):
    name = serializers.CharField()
    photos = serializers.IntegerField()
    bytes = serializers.IntegerField()


class TrashSize(serializers.Serializer[Any]):
    photos = serializers.IntegerField()
    bytes = serializers.IntegerField()


class Statistics(serializers.Serializer[Any]):
    photos = serializers.IntegerField()
    bytes = serializers.IntegerField(help_text="Of the originals.")
    favorites = serializers.IntegerField()
    archived = serializers.IntegerField()
    with_place = serializers.IntegerField()
    first_taken_at = serializers.CharField(allow_null=True)
    last_taken_at = serializers.CharField(allow_null=True)
    people = serializers.IntegerField()
    trash = TrashSize()
    by_type = Share(many=True)
    by_year = Share(many=True)
    by_camera = Share(many=True)


class DownloadParameters(FilterFields):
    id = serializers.ListField(
        child=IdField(), required=False, max_length=900, help_text="These photos; more fit into a POST."
    )


@extend_schema(
    operation_id="timeline_months",
    summary="Months of the timeline",
    parameters=[FilterFields],
    responses=Buckets,
)
@api_view(["GET", "HEAD"])
def buckets(request: Request) -> Response:
    """How many photos each month has, newest first; archived ones only with `archived=true`."""
    return Response({"buckets": bucket_counts(in_timeline(request))})


@extend_schema(summary="A month of the timeline", parameters=[FilterFields], responses=BucketColumns)
@api_view(["GET", "HEAD"])
def bucket(request: Request, month: str) -> HttpResponse:
    """What a grid needs of a month (YYYY-MM), as arrays of one length; no photos for an empty month."""
    try:
        first = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        raise NotFound("There is no such month.", code="month_not_found") from None
    text = bucket_columns(in_month(in_timeline(request), first))
    return HttpResponse(text, content_type="application/json")


def in_timeline(request: Request) -> Any:
    """What fits the request's filter; without `archived` in it, what is not archived."""
    values = validated(FilterFields, request.query_params)
    if values["archived"] is None:
        values["archived"] = False
    return filter_from(values).apply(Photo.objects.visible_to(request.user))


@extend_schema(summary="Statistics", parameters=[FilterFields], responses=Statistics)
@api_view(["GET", "HEAD"])
def statistics(request: Request) -> Response:
    """Numbers of the photos one sees, or of those that fit."""
    wanted = filter_from(validated(FilterFields, request.query_params))
    user = request.user
    photos = wanted.apply(Photo.objects.visible_to(user))
    return Response(statistics_of(photos, wanted.apply(Photo.objects.in_trash_of(user))))


@extend_schema(
    methods=["GET"],
    summary="Download photos as a zip",
    parameters=[DownloadParameters],
    responses={(200, "application/zip"): OpenApiTypes.BINARY, 404: None, 413: None},
)
@extend_schema(
    methods=["POST"],
    summary="Download photos as a zip",
    request=SelectionBody,
    responses={(200, "application/zip"): OpenApiTypes.BINARY, 404: None, 413: None},
)
@api_view(["GET", "HEAD", "POST"])
async def download(request: Request) -> HttpResponseBase:
    """The originals of a selection, at most 20,000, made while it is sent; 404 when nothing fits."""
    if request.method == "POST":
        selection = selection_from(validated(SelectionBody, request.data))
    else:
        values = validated(DownloadParameters, request.query_params)
        ids = tuple(values["id"]) if "id" in values else None
        selection = Selection(ids=ids, wanted=filter_from(values))
    entries = await sync_to_async(chosen_entries)(request.user, selection)
    headers = {
        "Content-Disposition": f'attachment; filename="photos-{timezone.now():%Y-%m-%d}.zip"',
        "Cache-Control": "no-store",
    }
    if request.method == "HEAD":
        return HttpResponse(content_type="application/zip", headers=headers)
    return StreamingHttpResponse(zip_stream(entries), content_type="application/zip", headers=headers)


def chosen_entries(user: Any, selection: Selection) -> list[Entry]:
    entries = entries_of(selection.of(Photo.objects.visible_to(user)).newest_first())
    if not entries:
        raise photo_not_found()
    if len(entries) > MOST_PHOTOS:
        raise TooLargeToTake(
            f"These are more than {MOST_PHOTOS:,} photos. Choose fewer at a time.", code="too_many"
        )
    return entries
