"""What clients send to change photos: one, or many at once."""

from typing import Any

from rest_framework import serializers

from photos.api.fields import Body, FlagField, IdField, TextField, WholeNumberField
from photos.api.filter_fields import FilterObject, filter_from
from photos.bulk import Selection

MOST_IDS = 10_000
PHOTO_COLUMNS = {"favorite": "is_favorite", "archived": "is_archived"}  # named otherwise by the API


class PhotoChanges(Body):
    """What people say about a photo; what is left out stays as it is."""

    title = TextField(required=False, allow_blank=True, max_length=300)
    description = TextField(required=False, allow_blank=True, max_length=10_000)
    rating = WholeNumberField(required=False, allow_null=True, min_value=0, max_value=5)
    favorite = FlagField(required=False)
    archived = FlagField(required=False)


WAYS_TO_CHOOSE: list[dict[str, Any]] = [{"required": ["ids"]}, {"required": ["filter"]}]


class SelectionBody(Body):
    """Photos by `ids` or by `filter`; one of the two. An empty filter is everything."""

    ids = serializers.ListField(child=IdField(), required=False, min_length=1, max_length=MOST_IDS)
    filter = FilterObject(required=False)

    rules = {
        "oneOf": WAYS_TO_CHOOSE,
        "example": {"filter": {"tag": ["beach"], "taken_from": "2024-05-01"}},
    }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("ids" in attrs) == ("filter" in attrs):
            raise serializers.ValidationError({"ids": ["Send either ids or filter."]})
        return attrs


def selection_from(values: dict[str, Any]) -> Selection:
    """The choice of a SelectionBody that was validated."""
    if "ids" in values:
        return Selection(ids=tuple(values["ids"]))
    return Selection(wanted=filter_from(values["filter"]))


ACTION_VALUES = {"add_to_album": "album", "remove_from_album": "album", "tag": "tag", "untag": "tag"}
ACTIONS = ["trash", "restore", "favorite", "unfavorite", "archive", "unarchive", "rate", *ACTION_VALUES]


def action_rules() -> list[dict[str, Any]]:
    """Which actions need nothing, and which what, in JSON Schema."""
    needs = {"rate": "rating", **ACTION_VALUES}
    alone = [action for action in ACTIONS if action not in needs]
    return [
        {"properties": {"action": {"pattern": f"^({'|'.join(alone)})$"}}},
        *(
            {"properties": {"action": {"const": action}}, "required": [value]}
            for action, value in needs.items()
        ),
    ]


class BulkBody(SelectionBody):
    """One action on many photos."""

    action = serializers.ChoiceField(choices=ACTIONS)
    album = IdField(required=False, help_text="With add_to_album and remove_from_album.")
    tag = TextField(required=False, max_length=200, help_text="With tag and untag.")
    rating = WholeNumberField(
        required=False, allow_null=True, min_value=0, max_value=5, help_text="With rate; null takes it off."
    )

    rules = {
        "oneOf": [{**way, "anyOf": action_rules()} for way in WAYS_TO_CHOOSE],
        "example": {"action": "rate", "rating": 5, "ids": [12, 13]},
    }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        action = attrs["action"]
        needed = "rating" if action == "rate" else ACTION_VALUES.get(action)
        if needed is not None and needed not in attrs:
            raise serializers.ValidationError({needed: [f"“{action}” needs it."]})
        return super().validate(attrs)


class ChecksumField(serializers.RegexField):
    """SHA-256 or SHA-1 in hex, in any case."""

    def __init__(self, **options: Any) -> None:
        super().__init__(r"\A(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{40})\Z", **options)

    def to_internal_value(self, data: Any) -> str:
        return str(super().to_internal_value(data)).lower()


class ChecksumsBody(Body):
    checksums = serializers.ListField(child=ChecksumField(), min_length=1, max_length=MOST_IDS)
