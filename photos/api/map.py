"""The REST API of the map: photos in clusters."""

from typing import Any

from adrf.decorators import api_view
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from photos.api.errors import validated
from photos.api.fields import WholeNumberField
from photos.api.filter_fields import BboxField, FilterFields, filter_from
from photos.map_clusters import MOST_ZOOM, Grid, clusters_json
from photos.models import Photo


class MapParameters(FilterFields):
    bbox = BboxField(help_text="The part of the map, “west,south,east,north” in degrees.")
    zoom = WholeNumberField(
        min_value=0,
        max_value=MOST_ZOOM,
        help_text="At 0 the world is 256 pixels wide, then twice as wide each.",
    )


@extend_schema_field(
    {
        **{"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4},
        "example": [11.87, 43.45, 11.89, 43.47],
    }
)
class EdgesList(serializers.ListField):
    """Degrees."""


class MapCluster(serializers.Serializer[Any]):
    """Photos in one cell of the map."""

    latitude = serializers.FloatField(help_text="In the middle of its photos.")
    longitude = serializers.FloatField()
    count = serializers.IntegerField()
    photo_id = serializers.IntegerField(help_text="One of them with a thumbnail.", allow_null=True)
    city = serializers.CharField(help_text="Of that photo, or empty.")
    bbox = EdgesList(help_text="West, south, east, north, just around its photos.")


class MapClusters(serializers.Serializer[Any]):
    zoom = serializers.IntegerField(help_text="As asked for, or lower where that would be too many cells.")
    clusters = MapCluster(many=True)


@extend_schema(
    operation_id="photos_map", summary="Photos on a map", parameters=[MapParameters], responses=MapClusters
)
@api_view(["GET", "HEAD"])
def photo_map(request: Request) -> HttpResponse:
    """The photos in a part of the map, those in one cell of 64 pixels as one cluster, the largest first."""
    values = validated(MapParameters, request.query_params)
    box = values.pop("bbox")
    grid = Grid.of(box, values["zoom"])
    photos = filter_from(values).apply(Photo.objects.visible_to(request.user))
    body = f'{{"zoom":{grid.zoom},"clusters":{clusters_json(photos, box, grid)}}}'
    return HttpResponse(body, content_type="application/json")
