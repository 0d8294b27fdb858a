"""Errors and reading parameters, for the APIs of all apps. Every answer has the shape of `chitra.errors`."""

from functools import cache
from typing import Any

from django.http import QueryDict
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.serializers import ListField, Serializer


class Conflict(APIException):
    """409: what is asked for contradicts what is there."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class Unprocessable(APIException):
    """422 with the problems of each field."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "invalid"

    def __init__(self, fields: dict[str, Any]) -> None:
        super().__init__("Some values cannot be used; “fields” says which and why.")
        self.fields = fields


class SentText(str):
    """A value of a query string or a form: text, whatever it means."""


def validated(serializer: type[Serializer[Any]], data: Any) -> dict[str, Any]:
    """The values of a query string or body by this serializer; Unprocessable when some cannot be used."""
    bound = instance_of(serializer)
    if isinstance(data, QueryDict):  # a plain dict, or what is absent counts as an unticked box of a form
        data = {name: query_value(data, name, bound.fields.get(name)) for name in data}
    try:
        return dict(bound.run_validation(data))
    except ValidationError as error:
        detail = error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail}
        raise Unprocessable(detail) from None


@cache
def instance_of(serializer: type[Serializer[Any]]) -> Serializer[Any]:
    """One that is kept: making one copies all its fields, which takes longer than validating them."""
    return serializer()


def query_value(query: QueryDict, name: str, field: Any) -> Any:
    """All values of a parameter for a list, else the last one."""
    if isinstance(field, ListField):
        return [SentText(text) for text in query.getlist(name)]
    return SentText(text) if isinstance(text := query[name], str) else text
