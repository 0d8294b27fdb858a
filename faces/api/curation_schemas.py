"""What the endpoints of curation answer, for the OpenAPI schema."""

from typing import Any

from rest_framework import serializers

from faces.api.schemas import PersonObject
from faces.models import JournalEntry
from photos.api.schemas import OkAnswer


class Suggestion(serializers.Serializer[Any]):
    """Either about a face (`face_id`, `photo_id`) or about two people (`other_id`, `other_name`)."""

    person_id = serializers.IntegerField()
    person_name = serializers.CharField()
    face_id = serializers.IntegerField(allow_null=True)
    photo_id = serializers.IntegerField(allow_null=True)
    other_id = serializers.IntegerField(allow_null=True)
    other_name = serializers.CharField(allow_null=True)
    similarity = serializers.FloatField(help_text="Cosine, at most 1.")
    faces = serializers.IntegerField(help_text="How many faces the answer is about.")


class SuggestionList(serializers.Serializer[Any]):
    items = Suggestion(many=True)


class Entry(serializers.Serializer[Any]):
    """What was done, by whom; `person_ids` names at most 100."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor = serializers.CharField(allow_null=True, help_text="Null for the machine or an import.")
    verb = serializers.ChoiceField(choices=JournalEntry.Verb.values)
    summary = serializers.CharField()
    person_ids = serializers.ListField(child=serializers.IntegerField())
    face_count = serializers.IntegerField()
    undo_of = serializers.IntegerField(allow_null=True)


class JournalPage(serializers.Serializer[Any]):
    items = Entry(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="`before` of the next page.")


class AppliedPlan(serializers.Serializer[Any]):
    status = serializers.CharField()
    entry = Entry(allow_null=True, help_text="Null when nothing moved.")


class Move(serializers.Serializer[Any]):
    """These faces leave `from` for `to`, or for the new group number `new`; null is nobody."""

    faces = serializers.ListField(child=serializers.IntegerField())
    to = serializers.IntegerField(allow_null=True)
    new = serializers.IntegerField(allow_null=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is no name that Python takes for an attribute."""
        return {**super().get_fields(), "from": serializers.IntegerField(allow_null=True)}


class Plan(serializers.Serializer[Any]):
    fingerprint = serializers.CharField(help_text="Of the library that the plan was made for.")
    threshold = serializers.FloatField()
    model = serializers.CharField()
    moves = Move(many=True)
    summary = serializers.DictField(help_text="The plan in numbers, and as `text` in one line.")


class AnsweredQuestion(OkAnswer):
    entry = serializers.IntegerField(allow_null=True, help_text="In the journal; null when nothing changed.")


class AssignedFaces(OkAnswer):
    assigned = serializers.IntegerField(help_text="How many faces changed.")


class MarkedPerson(PersonObject):
    aliases = serializers.ListField(child=serializers.CharField())
    birth_date = serializers.DateField(allow_null=True)
    hidden = serializers.BooleanField()
    favorite = serializers.BooleanField()
    cover = serializers.IntegerField(allow_null=True, help_text="The face chosen as the cover.")


class DeletedPerson(serializers.Serializer[Any]):
    status = serializers.CharField()
    person_id = serializers.IntegerField()
