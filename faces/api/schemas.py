"""What the endpoints of faces and people answer, for the OpenAPI schema."""

from typing import Any

from rest_framework import serializers


class PersonObject(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()


class CountedPerson(PersonObject):
    photo_count = serializers.IntegerField()


class PersonList(serializers.Serializer[Any]):
    persons = CountedPerson(many=True)


class PersonFace(serializers.Serializer[Any]):
    face_id = serializers.IntegerField()
    photo_id = serializers.IntegerField()
    thumb_path = serializers.CharField(allow_null=True)


class PersonFaces(serializers.Serializer[Any]):
    items = PersonFace(many=True)


class FaceObject(PersonFace):
    photo_path = serializers.CharField()
    person_id = serializers.IntegerField(allow_null=True)
    person_name = serializers.CharField(allow_null=True)
    box = serializers.ListField(
        child=serializers.FloatField(), help_text="x1, y1, x2, y2 in fractions of the upright picture."
    )
    detection_score = serializers.FloatField()
    assigned_by = serializers.ChoiceField(choices=["machine", "person"], allow_null=True)


class FaceList(serializers.Serializer[Any]):
    items = FaceObject(many=True)


class MergeAnswer(serializers.Serializer[Any]):
    status = serializers.CharField()
    source_person_id = serializers.IntegerField()
    target_person_id = serializers.IntegerField()


class IndexFacesAnswer(serializers.Serializer[Any]):
    processed_photos = serializers.IntegerField()
    job_id = serializers.CharField(allow_null=True)
    message = serializers.CharField()
    status = serializers.CharField(required=False)


class ClusterAnswer(serializers.Serializer[Any]):
    clustered_faces = serializers.IntegerField()
    persons_created = serializers.IntegerField()
    threshold = serializers.FloatField()
    job_id = serializers.CharField()
    message = serializers.CharField()
