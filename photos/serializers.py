"""Photos as JSON, written by PostgreSQL: no row is turned into Python objects on the way to a client."""

import json
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Func, QuerySet, TextField
from rest_framework import serializers

MAX_OFFSET = 100_000_000


class PhotoJson(Func):
    """SQL for the old API's photo object, with what is new behind it; search puts its `score` in.

    Written out, because to compose it of two dozen ORM expressions takes longer than to run it. The key of
    the thumbnail is that of `Photo.rendition_key`; times are wall clocks as the old API writes them.
    """

    arity = 0
    output_field = TextField()
    template = """json_build_object(
        'id', "photos_photo"."id",
        'file_path', "photos_photo"."original_key",
        'size', "photos_photo"."size",
        'created_at', to_char("photos_photo"."taken_at" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS'),
        'checksum', "photos_photo"."sha1",
        'phash', coalesce(lpad(to_hex("photos_photo"."perceptual_hash"), 16, '0'), ''),
        'exif_datetime', CASE WHEN starts_with("photos_photo"."taken_at_source", 'exif_')
            THEN to_char("photos_photo"."taken_at" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') ELSE '' END,
        'latitude', "photos_photo"."latitude",
        'longitude', "photos_photo"."longitude",
        'thumb_path', CASE WHEN "photos_photo"."has_renditions"
            THEN concat("photos_photo"."library_id", '/', substr("photos_photo"."uuid"::text, 1, 2), '/',
                replace("photos_photo"."uuid"::text, '-', ''), '/thumbnail.webp') END,
        'score', NULL,
        'media_type', 'photo',
        'duration_seconds', NULL,
        'width', "photos_photo"."width",
        'height', "photos_photo"."height",
        'playback_status', NULL,
        'name', "photos_photo"."original_name",
        'mime_type', "photos_photo"."mime_type",
        'sha256', "photos_photo"."checksum",
        'thumbhash', translate(encode("photos_photo"."thumbhash", 'base64'), E'\\n', ''),
        'has_renditions', "photos_photo"."has_renditions",
        'camera', "photos_photo"."camera_model",
        'uploaded_at', to_char("photos_photo"."created_at" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')
    )::text"""


def photos_as_json(photos: QuerySet[Any]) -> list[str]:
    """One JSON text a photo, in the order of the query."""
    return list(photos.annotate(json=PhotoJson()).values_list("json", flat=True))


def json_by_id(photos: QuerySet[Any]) -> dict[int, str]:
    """The JSON text of each photo by its id."""
    return dict(photos.annotate(json=PhotoJson()).values_list("pk", "json"))


def with_score(text: str, score: float) -> dict[str, Any]:
    """A photo of `json_by_id` as a result of a search."""
    return {**json.loads(text), "score": round(score, 4)}


@dataclass(frozen=True)
class PageStatement:
    """A page of photos and their number in one query; kept, because it takes as long to compile as to run."""

    sql: str
    parameters: tuple[Any, ...]

    @classmethod
    def of(cls, photos: QuerySet[Any]) -> "PageStatement":
        """For all photos of a query, in its order."""
        page, parameters = photos.annotate(json=PhotoJson()).values("json").query.sql_with_params()
        every, parameters_of_every = photos.order_by().values("pk").query.sql_with_params()
        sql = (
            f"SELECT string_agg(page.json, ','), (SELECT count(*) FROM ({every}) AS every) "
            f"FROM ({page} LIMIT %s OFFSET %s) AS page"
        )
        return cls(sql, (*parameters_of_every, *parameters))

    def fetch(self, *, limit: int, offset: int) -> tuple[str, int]:
        """JSON texts joined by commas, "" for none, and how many photos there are in all."""
        with connection.cursor() as cursor:
            cursor.execute(self.sql, [*self.parameters, limit, offset])
            items, count = cursor.fetchone()
        return items or "", count


class PageParameters(serializers.Serializer[Any]):
    limit = serializers.IntegerField(default=100, min_value=1, max_value=1000)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=MAX_OFFSET)


class ScanBody(serializers.Serializer[Any]):
    root = serializers.CharField(  # type: ignore[assignment] # every field has a `root`, which DRF keeps apart
        required=False, default="", allow_blank=True, max_length=4096
    )


class StorageParameters(serializers.Serializer[Any]):
    redirect = serializers.ChoiceField(
        choices=["0", "1"], required=False, help_text="1 asks for a link into the S3 store (302), 0 never."
    )


class ImageParameters(StorageParameters):
    download = serializers.CharField(required=False, help_text="1 gives the file its name.")


class UploadParameters(serializers.Serializer[Any]):
    auto_process = serializers.BooleanField(required=False, default=True)
