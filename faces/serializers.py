"""Bodies and parameters of the people endpoints."""

from typing import Any

from rest_framework import serializers

from photos.api_fields import FiniteFloatField, IdField, WordsField


class NameBody(serializers.Serializer[Any]):
    name = serializers.CharField(
        required=False, default="", allow_blank=True, trim_whitespace=True, max_length=1000
    )


class MergeBody(serializers.Serializer[Any]):
    source_person_id = IdField()


class AssignBody(serializers.Serializer[Any]):
    person_id = IdField()


class ClusterBody(serializers.Serializer[Any]):
    threshold = FiniteFloatField(required=False, allow_null=True, default=None, min_value=0, max_value=1)
    reset = serializers.BooleanField(required=False, default=False)


class IndexFacesBody(serializers.Serializer[Any]):
    limit = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, max_value=2**31 - 1
    )
    min_score = FiniteFloatField(required=False, default=0.5, min_value=0, max_value=1)
    thumb_size = serializers.IntegerField(required=False, default=160, min_value=32, max_value=512)


class AnswerBody(serializers.Serializer[Any]):
    """About a face (`face_id`) or about two people (`other_id`)."""

    person_id = IdField()
    face_id = IdField(required=False)
    other_id = IdField(required=False)
    answer = serializers.ChoiceField(choices=["yes", "no", "unsure"])

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("face_id" in attrs) == ("other_id" in attrs):
            raise serializers.ValidationError("Send either face_id or other_id.")
        return attrs


class SuggestionParameters(serializers.Serializer[Any]):
    limit = serializers.IntegerField(default=20, min_value=1, max_value=100)


class JournalParameters(serializers.Serializer[Any]):
    limit = serializers.IntegerField(default=50, min_value=1, max_value=200)
    before = IdField(required=False)
    person_id = IdField(required=False)
    face_id = IdField(required=False)


class ReclusterBody(serializers.Serializer[Any]):
    threshold = FiniteFloatField(
        required=False, allow_null=True, default=None, min_value=0.05, max_value=0.95
    )


class RejectBody(serializers.Serializer[Any]):
    person_id = IdField(required=False)


class SplitBody(serializers.Serializer[Any]):
    face_ids = serializers.ListField(child=IdField(), min_length=1, max_length=10_000)
    into = IdField(required=False)
    name = serializers.CharField(required=False, default="", allow_blank=True, max_length=1000)


class PersonChanges(serializers.Serializer[Any]):
    name = serializers.CharField(required=False, max_length=1000)
    birth_date = serializers.DateField(required=False, allow_null=True)
    aliases = serializers.ListField(
        child=serializers.CharField(max_length=1000), required=False, max_length=100
    )
    hidden = serializers.BooleanField(required=False)
    favorite = serializers.BooleanField(required=False)
    cover = IdField(required=False, allow_null=True)


class BoxBody(serializers.Serializer[Any]):
    """`box` is x1, y1, x2, y2 in fractions of the upright picture."""

    box = serializers.ListField(child=FiniteFloatField(min_value=0, max_value=1), min_length=4, max_length=4)


class DrawBody(BoxBody):
    person_id = IdField(required=False, allow_null=True, default=None)


class BulkAssignBody(serializers.Serializer[Any]):
    """No person takes the faces from their people for good."""

    face_ids = serializers.ListField(child=IdField(), min_length=1, max_length=10_000)
    person_id = IdField(allow_null=True)


class FaceListParameters(serializers.Serializer[Any]):
    limit = serializers.IntegerField(required=False, default=None, min_value=1, max_value=2**31 - 1)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=2**31 - 1)
    person_id = IdField(required=False, default=None)


class PersonSearchParameters(serializers.Serializer[Any]):
    q = WordsField()
    name = WordsField(help_text="The same as q.")
