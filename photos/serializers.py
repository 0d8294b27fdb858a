"""Photos as JSON, written by PostgreSQL: no row is turned into Python objects on the way to a client."""

from typing import Any

from django.db.models import BooleanField, Case, CharField, F, FloatField, Func, QuerySet, TextField, Value, When
from django.db.models.functions import Cast, Coalesce, Concat, JSONObject
from rest_framework import serializers

MAX_OFFSET = 100_000_000


class ToText(Func):
    """A wall-clock time as `YYYY-MM-DDTHH:MM:SS`, the way the old API writes times."""

    template = "to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS')"
    output_field = TextField()


class Hex64(Func):
    """A 64-bit hash as 16 hex digits, "" for none."""

    template = "coalesce(lpad(to_hex(%(expressions)s), 16, '0'), '')"
    output_field = TextField()


class Base64(Func):
    template = "translate(encode(%(expressions)s, 'base64'), E'\\n', '')"
    output_field = TextField()


class ShardOfUuid(Func):
    """The two leading hex digits that a rendition's key starts with."""

    template = "substr(replace(%(expressions)s::text, '-', ''), 1, 2)"
    output_field = TextField()


class HexOfUuid(Func):
    template = "replace(%(expressions)s::text, '-', '')"
    output_field = TextField()


def thumbnail_key() -> Case:
    """SQL for `Photo.rendition_key("thumbnail")`, null while there is none."""
    key = Concat(
        Cast("library_id", TextField()),
        Value("/"),
        ShardOfUuid("uuid"),
        Value("/"),
        HexOfUuid("uuid"),
        Value("/thumbnail.webp"),
        output_field=TextField(),
    )
    return Case(When(has_renditions=True, then=key), default=None)


EXIF_SOURCES = ("exif_original", "exif_digitized", "exif_modified")


def photo_json(**extra: Any) -> JSONObject:
    """SQL for the old API's photo object, with what is new behind it."""
    exif_time = Case(
        When(taken_at_source__in=EXIF_SOURCES, then=ToText("taken_at")),
        default=Value(""),
        output_field=TextField(),
    )
    return JSONObject(
        id="id",
        file_path="original_key",
        size="size",
        created_at=ToText("taken_at"),
        checksum="sha1",
        phash=Hex64("perceptual_hash"),
        exif_datetime=exif_time,
        latitude="latitude",
        longitude="longitude",
        thumb_path=thumbnail_key(),
        score=extra.get("score", Value(None, output_field=FloatField())),
        media_type=Value("photo"),
        duration_seconds=Value(None, output_field=FloatField()),
        width="width",
        height="height",
        playback_status=Value(None, output_field=CharField()),
        name="original_name",
        mime_type="mime_type",
        sha256="checksum",
        thumbhash=Coalesce(Base64("thumbhash"), Value("", output_field=TextField())),
        has_renditions=Cast("has_renditions", BooleanField()),
        camera=F("camera_model"),
        uploaded_at=ToText("created_at"),
    )


def photos_as_json(photos: QuerySet[Any]) -> list[str]:
    """One JSON text a photo, in the order of the query."""
    return list(photos.annotate(json=Cast(photo_json(), TextField())).values_list("json", flat=True))


class PageParameters(serializers.Serializer[Any]):
    limit = serializers.IntegerField(default=100, min_value=1, max_value=1000)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=MAX_OFFSET)


class ScanBody(serializers.Serializer[Any]):
    root = serializers.CharField(required=False, default="", allow_blank=True, max_length=4096)
