"""Photos as JSON, written by PostgreSQL: no row is turned into Python objects on the way to a client."""

import json
from typing import Any

from django.db import models
from django.db.models import Func, QuerySet
from rest_framework import serializers

from photos.api.fields import Body, FlagField, TextField, WholeNumberField

MAX_OFFSET = 100_000_000


def column(name: str) -> str:
    """A column whose text is its JSON; never null."""
    return f'"photos_photo"."{name}"'


def quoted(name: str) -> str:
    """Text or boolean as JSON; never null."""
    return f"to_json({column(name)})"


def nullable(name: str) -> str:
    """A number as JSON, or null."""
    return f"coalesce(to_json({column(name)})::text, 'null')"


def wall_clock(name: str) -> str:
    """A time as the old API writes it: to the second, without a zone."""
    return f"to_json(date_trunc('second', {column(name)} AT TIME ZONE 'UTC'))"


def nullable_instant(name: str) -> str:
    """An instant of UTC to the second, with its Z, or null."""
    text = f"""to_char({column(name)} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""
    return f"coalesce(to_json({text})::text, 'null')"


HEX = f"replace({column('uuid')}::text, '-', '')"

# The old API's photo object, with what is new behind it; search puts its `score` in. The key of the thumbnail
# is that of `Photo.rendition_key`.
FIELDS = {
    "id": column("id"),
    "file_path": quoted("original_key"),
    "size": column("size"),
    "created_at": wall_clock("taken_at"),
    "checksum": quoted("sha1"),
    "phash": f"""to_json(coalesce(lpad(to_hex({column("perceptual_hash")}), 16, '0'), ''))""",
    "exif_datetime": f"""CASE WHEN starts_with({column("taken_at_source")}, 'exif_')
        THEN {wall_clock("taken_at")}::text ELSE '""' END""",
    "latitude": nullable("latitude"),
    "longitude": nullable("longitude"),
    "thumb_path": f"""CASE WHEN {column("has_renditions")} THEN concat('"', {column("library_id")}, '/',
        left({column("uuid")}::text, 2), '/', {HEX}, '/thumbnail.webp"') ELSE 'null' END""",
    "score": "'null'",
    "media_type": quoted("media_type"),
    "duration_seconds": nullable("duration_seconds"),
    "width": nullable("width"),
    "height": nullable("height"),
    "playback_status": f"coalesce(to_json(nullif({column('playback_status')}, ''))::text, 'null')",
    "name": quoted("original_name"),
    "mime_type": quoted("mime_type"),
    "sha256": quoted("checksum"),
    "thumbhash": f"""to_json(translate(encode({column("thumbhash")}, 'base64'), E'\\n', ''))""",
    "has_renditions": quoted("has_renditions"),
    "camera": quoted("camera_model"),
    "city": quoted("city"),
    "region": quoted("region"),
    "country": quoted("country"),
    "country_code": quoted("country_code"),
    "taken_at_utc": nullable_instant("taken_at_utc"),
    "utc_offset_minutes": nullable("utc_offset_minutes"),
    "taken_at_source": quoted("taken_at_source"),
    "zone_source": quoted("zone_source"),
    "uploaded_at": wall_clock("created_at"),
    "library_id": column("library_id"),
    "title": quoted("title"),
    "description": quoted("description"),
    "rating": nullable("rating"),
    "favorite": quoted("is_favorite"),
    "archived": quoted("is_archived"),
    "stack_id": nullable("stack_id"),
}


class PhotoJson(Func):
    """SQL for FIELDS as a JSON object, put together as text: a third cheaper than `json_build_object`, which
    looks up the type of each value in each row. None of FIELDS may be null.

    Written out, because to compose it of two dozen ORM expressions takes longer than to run it.
    """

    arity = 0
    output_field = models.TextField()
    template = "concat('{" + ", ',".join(f'"{name}":\', {sql}' for name, sql in FIELDS.items()) + ", '}')"


def photos_as_json(photos: QuerySet[Any]) -> list[str]:
    """One JSON text a photo, in the order of the query."""
    return list(photos.annotate(json=PhotoJson()).values_list("json", flat=True))


def json_by_id(photos: QuerySet[Any]) -> dict[int, str]:
    """The JSON text of each photo by its id."""
    return dict(photos.annotate(json=PhotoJson()).values_list("pk", "json"))


def with_score(text: str, score: float) -> dict[str, Any]:
    """A photo of `json_by_id` as a result of a search."""
    return {**json.loads(text), "score": round(score, 4)}


class PageParameters(Body):
    limit = WholeNumberField(default=100, min_value=1, max_value=1000)
    offset = WholeNumberField(default=0, min_value=0, max_value=MAX_OFFSET)


class CursorParameters(Body):
    limit = WholeNumberField(default=100, min_value=1, max_value=1000)
    cursor = TextField(
        schema_format="cursor",
        default="",
        allow_blank=True,
        max_length=200,
        help_text="Empty for the first page, then `next_cursor` of the page before.",
    )


class ScanBody(Body):
    root = TextField(  # type: ignore[assignment] # every field has a `root`, which DRF keeps apart
        max_length=4096, schema_format="server-folder"
    )


class StorageParameters(serializers.Serializer[Any]):
    redirect = serializers.ChoiceField(
        choices=["0", "1"], required=False, help_text="1 asks for a link into the S3 store (302), 0 never."
    )


class ImageParameters(StorageParameters):
    download = serializers.ChoiceField(
        choices=["0", "1"], required=False, help_text="1 gives the file its name."
    )


class UploadParameters(Body):
    auto_process = FlagField(required=False, default=True)
