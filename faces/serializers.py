"""Bodies and parameters of the people endpoints."""

from typing import Any

from rest_framework import serializers


class NameBody(serializers.Serializer[Any]):
    name = serializers.CharField(
        required=False, default="", allow_blank=True, trim_whitespace=True, max_length=1000
    )


class MergeBody(serializers.Serializer[Any]):
    source_person_id = serializers.IntegerField(min_value=1, max_value=2**63 - 1)


class AssignBody(serializers.Serializer[Any]):
    person_id = serializers.IntegerField(min_value=1, max_value=2**63 - 1)


class ClusterBody(serializers.Serializer[Any]):
    threshold = serializers.FloatField(
        required=False, allow_null=True, default=None, min_value=0, max_value=1
    )
    reset = serializers.BooleanField(required=False, default=False)


class IndexFacesBody(serializers.Serializer[Any]):
    limit = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, max_value=2**31 - 1
    )
    min_score = serializers.FloatField(required=False, default=0.5, min_value=0, max_value=1)
    thumb_size = serializers.IntegerField(required=False, default=160, min_value=32, max_value=512)


class Id(serializers.IntegerField):
    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=2**63 - 1, **options)


class AnswerBody(serializers.Serializer[Any]):
    """About a face (`face_id`) or about two people (`other_id`)."""

    person_id = Id()
    face_id = Id(required=False)
    other_id = Id(required=False)
    answer = serializers.ChoiceField(choices=["yes", "no", "unsure"])

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("face_id" in attrs) == ("other_id" in attrs):
            raise serializers.ValidationError("Send either face_id or other_id.")
        return attrs


class SuggestionParameters(serializers.Serializer[Any]):
    limit = serializers.IntegerField(default=20, min_value=1, max_value=100)


class JournalParameters(serializers.Serializer[Any]):
    limit = serializers.IntegerField(default=50, min_value=1, max_value=200)
    before = Id(required=False)
    person_id = Id(required=False)
    face_id = Id(required=False)


class ReclusterBody(serializers.Serializer[Any]):
    threshold = serializers.FloatField(
        required=False, allow_null=True, default=None, min_value=0.05, max_value=0.95
    )


class RejectBody(serializers.Serializer[Any]):
    person_id = Id(required=False)


class SplitBody(serializers.Serializer[Any]):
    face_ids = serializers.ListField(child=Id(), min_length=1, max_length=10_000)
    into = Id(required=False)
    name = serializers.CharField(required=False, default="", allow_blank=True, max_length=1000)


class PersonChanges(serializers.Serializer[Any]):
    name = serializers.CharField(required=False, max_length=1000)
    birth_date = serializers.DateField(required=False, allow_null=True)
    aliases = serializers.ListField(
        child=serializers.CharField(max_length=1000), required=False, max_length=100
    )
    hidden = serializers.BooleanField(required=False)
    favorite = serializers.BooleanField(required=False)
    cover = Id(required=False, allow_null=True)


class BoxBody(serializers.Serializer[Any]):
    """`box` is x1, y1, x2, y2 in fractions of the upright picture."""

    box = serializers.ListField(
        child=serializers.FloatField(min_value=0, max_value=1), min_length=4, max_length=4
    )


class DrawBody(BoxBody):
    person_id = Id(required=False, allow_null=True, default=None)


class BulkAssignBody(serializers.Serializer[Any]):
    """No person takes the faces from their people for good."""

    face_ids = serializers.ListField(child=Id(), min_length=1, max_length=10_000)
    person_id = Id(allow_null=True)
