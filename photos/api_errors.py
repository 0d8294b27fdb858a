"""Errors that DRF lacks, and reading parameters. Every answer has the shape of `chitra.errors`."""

from typing import Any

from django.http import QueryDict
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.serializers import Serializer


class BadRequest(APIException):
    """400 with a code, where the old API answers so."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "bad_request"


class Unauthorized(APIException):
    """401 with a code of its own, at endpoints that check something else than the usual credentials."""

    status_code = status.HTTP_401_UNAUTHORIZED
    default_code = "Not authenticated"
    auth_header = "Bearer"


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


class DecodeFailed(APIException):
    """422: the photo is there, but cannot be shown; the message says why."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "decode_failed"


class TooLargeToTake(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class UnsupportedContent(APIException):
    status_code = status.HTTP_415_UNSUPPORTED_MEDIA_TYPE
    default_code = "unsupported_type"


class InsufficientStorage(APIException):
    status_code = status.HTTP_507_INSUFFICIENT_STORAGE
    default_code = "storage_unavailable"


class Unavailable(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "unavailable"


def validated(serializer: type[Serializer[Any]], data: Any) -> dict[str, Any]:
    """The values of a query string or body by this serializer; Unprocessable when some cannot be used."""
    if isinstance(data, QueryDict):
        data = data.dict()  # or what is absent counts as an unticked box of a form
    bound = serializer(data=data)
    if not bound.is_valid():
        raise Unprocessable(dict(bound.errors))
    return dict(bound.validated_data)


MAX_QUERY_CHARACTERS = 500


def refuse_long_query(text: str) -> None:
    """BadRequest for more than anybody means by a query."""
    if len(text) > MAX_QUERY_CHARACTERS:
        message = f"The query has more than {MAX_QUERY_CHARACTERS} characters. Use fewer words."
        raise BadRequest(message, code="query_too_long")
