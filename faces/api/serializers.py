"""Bodies and parameters of the people endpoints."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from faces.people import MAX_ALIASES, MAX_NAME_CHARACTERS
from photos.api.fields import (
    ID_TEXT,
    SHARE_TEXT,
    Body,
    FiniteFloatField,
    FlagField,
    IdField,
    TextField,
    WholeNumberField,
    WordsField,
)


class PersonNameField(TextField):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MAX_NAME_CHARACTERS, schema_format="person-name", **options)


LIMIT_TEXT = r"^[1-9][0-9]{0,8}$"
SIZE_TEXT = r"^(3[2-9]|[4-9][0-9]|[1-4][0-9]{2}|50[0-9]|51[0-2])$"  # 32 to 512


@extend_schema_field({"type": "string", "format": "birth-date", "example": "1950-12-31"})
class BirthDateField(serializers.DateField):
    """A day from 1750 to today, as YYYY-MM-DD."""


class NameBody(Body):
    name = PersonNameField()


class MergeBody(Body):
    source_person_id = IdField(json_text=ID_TEXT)


class AssignBody(Body):
    person_id = IdField(json_text=ID_TEXT)


class ClusterBody(Body):
    threshold = FiniteFloatField(
        required=False, allow_null=True, default=None, min_value=0, max_value=1, json_text=SHARE_TEXT
    )
    reset = FlagField(required=False, default=False, lenient=True)


class IndexFacesBody(Body):
    limit = WholeNumberField(
        required=False, allow_null=True, default=None, min_value=1, max_value=2**31 - 1, json_text=LIMIT_TEXT
    )
    min_score = FiniteFloatField(required=False, default=0.5, min_value=0, max_value=1, json_text=SHARE_TEXT)
    thumb_size = WholeNumberField(
        required=False, default=160, min_value=32, max_value=512, json_text=SIZE_TEXT
    )


class AnswerBody(Body):
    """About a face (`face_id`) or about two people (`other_id`)."""

    person_id = IdField()
    face_id = IdField(required=False)
    other_id = IdField(required=False)
    answer = serializers.ChoiceField(choices=["yes", "no", "unsure"])

    rules = {
        "oneOf": [{"required": ["face_id"]}, {"required": ["other_id"]}],
        "example": {"person_id": 12, "face_id": 40, "answer": "yes"},
    }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("face_id" in attrs) == ("other_id" in attrs):
            raise serializers.ValidationError("Send either face_id or other_id.")
        return attrs


class SuggestionParameters(Body):
    limit = WholeNumberField(default=20, min_value=1, max_value=100)


class JournalParameters(Body):
    limit = WholeNumberField(default=50, min_value=1, max_value=200)
    before = IdField(required=False)
    person_id = IdField(required=False)
    face_id = IdField(required=False)


class ReclusterBody(Body):
    threshold = FiniteFloatField(
        required=False, allow_null=True, default=None, min_value=0.05, max_value=0.95
    )


class RejectBody(Body):
    person_id = IdField(required=False)


class SplitBody(Body):
    face_ids = serializers.ListField(child=IdField(), min_length=1, max_length=10_000)
    into = IdField(required=False)
    name = PersonNameField(required=False, default="", allow_blank=True)


class PersonChanges(Body):
    name = PersonNameField(required=False)
    birth_date = BirthDateField(required=False, allow_null=True)
    aliases = serializers.ListField(child=PersonNameField(), required=False, max_length=MAX_ALIASES)
    hidden = FlagField(required=False)
    favorite = FlagField(required=False)
    cover = IdField(required=False, allow_null=True)


class BoxBody(Body):
    """`box` is x1, y1, x2, y2 in fractions of the upright picture."""

    box = serializers.ListField(child=FiniteFloatField(min_value=0, max_value=1), min_length=4, max_length=4)

    rules = {"example": {"box": [0.2, 0.1, 0.4, 0.4]}}


class DrawBody(BoxBody):
    person_id = IdField(required=False, allow_null=True, default=None)


class BulkAssignBody(Body):
    """No person takes the faces from their people for good."""

    face_ids = serializers.ListField(child=IdField(), min_length=1, max_length=10_000)
    person_id = IdField(allow_null=True)


class FaceListParameters(Body):
    limit = WholeNumberField(required=False, default=None, min_value=1, max_value=2**31 - 1)
    offset = WholeNumberField(default=0, min_value=0, max_value=2**31 - 1)
    person_id = IdField(required=False, default=None)


class PersonSearchParameters(Body):
    q = WordsField()
    name = WordsField(help_text="The same as q.")
