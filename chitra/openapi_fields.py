"""The fields and bodies of `photos.api.fields` in words of JSON Schema, as exactly as they are checked."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension
from rest_framework.serializers import BooleanField

from jobs.steps import all_steps

FLAG_WORDS = sorted(
    value for value in BooleanField.TRUE_VALUES | BooleanField.FALSE_VALUES if isinstance(value, str)
)

# What Python strips. \s of regular expressions differs: JSON Schema's is not \x85, but \ufeff.
BLANKS = r"\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
NOT_BLANK = rf"^[^\u0000]*[^\u0000{BLANKS}][^\u0000]*$"


class FieldExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """What drf-spectacular says of a field, for more to be said."""

    match_subclasses = True

    def plain(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer_field(
            self.target, direction, bypass_extensions=True
        )
        if isinstance(schema.get("type"), list):  # “null” is added to what an extension says
            schema["type"] = schema["type"][0]
        return schema


class TextSchema(FieldExtension):  # type: ignore[no-untyped-call]
    """No text has a null character, and one that may not be blank has something else than blanks."""

    target_class = "photos.api.fields.TextField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        plain = self.plain(auto_schema, direction)
        if self.target.allow_blank:
            plain["minLength"] = 1  # of what is not blank; drf-spectacular adds that it may be
        if self.target.schema_format:
            return {**plain, "format": self.target.schema_format}
        pattern = r"^[^\u0000]+$" if self.target.allow_blank else NOT_BLANK
        return plain if "format" in plain else {**plain, "pattern": pattern}


class StepNameSchema(FieldExtension):  # type: ignore[no-untyped-call]
    target_class = "photos.api.filter_fields.StepNameField"
    priority = 1

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return {"type": "string", "enum": [step.name for step in all_steps()]}


class FlagSchema(FieldExtension):  # type: ignore[no-untyped-call]
    target_class = "photos.api.fields.FlagField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        plain = self.plain(auto_schema, direction)
        if not self.target.lenient:
            return plain
        words = {"type": "string", "enum": FLAG_WORDS}
        return {"anyOf": [plain, {"type": "integer", "enum": [0, 1]}, words]}


class NumberSchema(FieldExtension):  # type: ignore[no-untyped-call]
    target_class = "photos.api.fields.NumberField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        plain = self.plain(auto_schema, direction)
        if not self.target.json_text:
            return plain
        return {"anyOf": [plain, {"type": "string", "pattern": self.target.json_text}]}


class TagSchema(FieldExtension):  # type: ignore[no-untyped-call]
    target_class = "photos.api.tags.TagField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        item = auto_schema.resolve_serializer(self.target.item, direction).ref
        name = auto_schema._map_serializer_field(self.target.item().fields["tag"], direction)
        return {"anyOf": [{**name, "maxLength": 200}, item]}


class BodySchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    target_class = "photos.api.fields.Body"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        plain: dict[str, Any] = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**plain, **self.target.rules}
