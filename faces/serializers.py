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
