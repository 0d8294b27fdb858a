"""Errors that DRF lacks. Every answer has the shape of `chitra.errors`."""

from rest_framework import status
from rest_framework.exceptions import APIException

from jobs.api_errors import Conflict as Conflict
from jobs.api_errors import Unprocessable as Unprocessable
from jobs.api_errors import validated as validated


class BadRequest(APIException):
    """400 with a code, where the old API answers so."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "bad_request"


class Unauthorized(APIException):
    """401 with a code of its own, at endpoints that check something else than the usual credentials."""

    status_code = status.HTTP_401_UNAUTHORIZED
    default_code = "Not authenticated"
    auth_header = "Bearer"


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
    wait = 30  # Retry-After


MAX_QUERY_CHARACTERS = 500


def refuse_long_query(text: str) -> None:
    """BadRequest for more than anybody means by a query."""
    if len(text) > MAX_QUERY_CHARACTERS:
        message = f"The query has more than {MAX_QUERY_CHARACTERS} characters. Use fewer words."
        raise BadRequest(message, code="query_too_long")
