"""A PhotoFilter as clients write it: parameters of a list, or an object in a body."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar, NoReturn

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from jobs.api_errors import SentText
from jobs.models import StepStatus
from jobs.steps import all_steps
from photos.api.fields import Body, FiniteFloatField, FlagField, IdField, TextField, WholeNumberField
from photos.api.serializers import PageParameters
from photos.filters import Box, PhotoFilter

WALL_CLOCK = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?)?")


@extend_schema_field({"type": "string", "format": "day-or-wall-clock", "example": "2024-05-31"})
class WallClockField(serializers.Field[Any, Any, Any, Any]):
    """A day (YYYY-MM-DD) or a wall clock without a zone (YYYY-MM-DDTHH:MM:SS) between the years 1 and 9999.

    With `is_end`, a day means its end.
    """

    default_error_messages = {
        "invalid": "Send a day as YYYY-MM-DD or a wall clock as YYYY-MM-DDTHH:MM:SS, without a zone."
    }

    def __init__(self, *, is_end: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.is_end = is_end

    def to_internal_value(self, data: Any) -> datetime:
        if not isinstance(data, str) or not WALL_CLOCK.fullmatch(data):
            self.fail("invalid")
        try:
            moment = datetime.fromisoformat(data)
        except ValueError:
            self.fail("invalid")
        if self.is_end and len(data) == len("YYYY-MM-DD"):
            moment = datetime.max if moment.date() == date.max else moment + timedelta(days=1)
        return moment.replace(tzinfo=UTC)


class EdgesField(serializers.Field[Any, Any, Any, Any]):
    """The four edges of a box in degrees, separated by commas, in the order of `edges`."""

    edges: ClassVar[tuple[str, ...]]

    default_error_messages = {
        "invalid": "Send the box as “{edges}” in degrees: latitudes from -90 to 90 in order, "
        "longitudes from -180 to 180; west beyond east crosses the date line."
    }

    def to_internal_value(self, data: Any) -> Box:
        parts = data.split(",", 4) if isinstance(data, str) else []
        if len(parts) != len(self.edges):
            self.refuse()
        number = FiniteFloatField()
        try:
            values = [number.run_validation(SentText(part)) for part in parts]
        except serializers.ValidationError:
            self.refuse()
        box = Box(**dict(zip(self.edges, values, strict=True)))
        if not (-90 <= box.south <= box.north <= 90 and abs(box.west) <= 180 and abs(box.east) <= 180):
            self.refuse()
        return box

    def refuse(self) -> NoReturn:
        self.fail("invalid", edges=",".join(self.edges))


@extend_schema_field({"type": "string", "format": "geo-box", "example": "47.2,10.1,48.3,12.9"})
class BoxField(EdgesField):
    edges = ("south", "west", "north", "east")


@extend_schema_field({"type": "string", "format": "geo-bbox", "example": "10.1,47.2,12.9,48.3"})
class BboxField(EdgesField):
    """As GeoJSON and map libraries order them."""

    edges = ("west", "south", "east", "north")


class StepNameField(TextField):
    """A step of PHOTO_STEPS."""

    default_error_messages = {"unknown": "There is no such step. Steps are: {names}."}

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        names = [step.name for step in all_steps()]
        if name not in names:
            self.fail("unknown", names=", ".join(names))
        return name


class FilterFields(Body):
    """Everything a client may ask of photos. What is left out asks for nothing."""

    taken_from = WallClockField(required=False, help_text="Taken on this day or later.")
    taken_to = WallClockField(
        required=False, is_end=True, help_text="Taken on this day at the latest, or before this time."
    )
    person = serializers.ListField(
        child=IdField(), required=False, max_length=20, help_text="Ids of people who must all be on it."
    )
    tag = serializers.ListField(
        child=TextField(max_length=200),
        required=False,
        max_length=20,
        help_text="Tags it must all have, in any case.",
    )
    album = IdField(required=False)
    library = IdField(required=False)
    box = BoxField(required=False, help_text="“south,west,north,east” in degrees.")
    bbox = BboxField(required=False, help_text="The same as “west,south,east,north”.")
    city = TextField(required=False, max_length=200, help_text="Its name, in any case.")
    country = TextField(
        required=False, max_length=100, help_text="Its name, in any case, or its code (“IT”)."
    )
    camera = TextField(required=False, max_length=200, help_text="Make or model, in any case.")
    type = serializers.RegexField(
        r"\A[a-z]+(/[a-z0-9.+-]+)?\Z",
        required=False,
        max_length=50,
        help_text="A MIME type or its first part: “image/heic” or “image”.",
    )
    min_rating = WholeNumberField(required=False, min_value=0, max_value=5)
    favorite = FlagField(required=False, allow_null=True, default=None)
    archived = FlagField(required=False, allow_null=True, default=None)
    has_gps = FlagField(required=False, allow_null=True, default=None)
    step = StepNameField(required=False, max_length=40, help_text="With step_status: in which state it is.")
    step_status = serializers.ChoiceField(choices=StepStatus.choices, required=False)
    stacked = FlagField(
        required=False, default=False, help_text="Of each stack only the photo that stands for it."
    )


class FilterObject(FilterFields):
    """The filter in a body. A name that is none is refused: ignored, it would choose too many photos."""

    rules = {"additionalProperties": False}

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := data.keys() - self.fields.keys()):
            raise serializers.ValidationError({str(name): ["There is no such filter."] for name in unknown})
        return super().to_internal_value(data)


class PhotoListParameters(PageParameters, FilterFields):
    """A page of the photos that fit."""

    cursor = TextField(
        schema_format="cursor",
        required=False,
        allow_blank=True,
        max_length=200,
        help_text="Empty for the first page, then `next_cursor` of the page before. Without offset.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "cursor" in attrs and attrs["offset"]:
            raise serializers.ValidationError({"offset": ["Send either cursor or offset."]})
        return attrs


def filter_from(values: dict[str, Any]) -> PhotoFilter:
    """The filter of FilterFields that were validated; other names in `values` are not looked at."""
    return PhotoFilter(
        taken_from=values.get("taken_from"),
        taken_before=values.get("taken_to"),
        people=tuple(values.get("person", ())),
        tags=tuple(values.get("tag", ())),
        album=values.get("album"),
        library=values.get("library"),
        boxes=tuple(values[name] for name in ("box", "bbox") if name in values),
        city=values.get("city", ""),
        country=values.get("country", ""),
        camera=values.get("camera", ""),
        mime_type=values.get("type", ""),
        min_rating=values.get("min_rating"),
        is_favorite=values.get("favorite"),
        is_archived=values.get("archived"),
        has_place=values.get("has_gps"),
        step=values.get("step", ""),
        step_status=values.get("step_status", ""),
        is_stacked=values.get("stacked", False),
    )
