"""One shape for every error of the API: `{"error": code, "detail": code, "message": text, "fields"?: {}}`.

`error` and `detail` hold the same code, because one generation of old clients reads the one and the next the
other.
"""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    NotAuthenticated,
    NotFound,
    ParseError,
)
from rest_framework.exceptions import PermissionDenied as Forbidden
from rest_framework.response import Response
from rest_framework.views import set_rollback

logger = logging.getLogger(__name__)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's hook. Anything unforeseen is logged whole and answered without internals."""
    set_rollback()
    error = known_error(error)
    if not isinstance(error, APIException):
        logger.exception("Unforeseen error in %s", context["request"].path, exc_info=error)
        return Response(
            error_body("internal_error", "Something went wrong on the server; its log says what."), 500
        )
    headers = dict(getattr(error, "headers", {}))
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    return Response(body_of(error), status=error.status_code, headers=headers)


def known_error(error: Exception) -> Exception:
    """An error of Django or of the system as the API's own, if it has a word for it."""
    match error:
        case Http404():
            return NotFound()
        case PermissionDenied():
            return Forbidden()
        case RequestDataTooBig():
            return TooLarge()
        case SuspiciousOperation() | UnreadablePostError() | RecursionError():
            return ParseError()  # RecursionError: JSON nested thousands deep
        case OperationalError() | InterfaceError():
            logger.error("The database is away: %s", error)
            return DatabaseAway()
    return error


class TooLarge(APIException):
    status_code = 413
    default_code = "too_large"
    default_detail = "The body is too large. Photos go to /api/photos/upload, as files."


class DatabaseAway(APIException):
    status_code = 503
    default_code = "database_unavailable"
    default_detail = "The database does not answer. Try again soon."
    wait = 5  # Retry-After: it may be that many ask at once


def body_of(error: APIException) -> dict[str, Any]:
    """Code and sentence of a DRF exception."""
    detail = error.detail
    if isinstance(error, ParseError):
        return error_body("malformed_body", str(detail))
    if isinstance(error, NotAuthenticated):
        return error_body("Not authenticated", "Send an API key or a token, or log in.")
    if isinstance(error, AuthenticationFailed) and detail_code(detail) == error.default_code:
        return error_body("Could not validate credentials", str(detail))
    code = getattr(detail, "code", None) or error.default_code
    return error_body(str(code), str(detail), getattr(error, "fields", None))


def detail_code(detail: Any) -> str:
    return str(getattr(detail, "code", ""))


def error_body(code: str, message: str, fields: Any = None) -> dict[str, Any]:
    """The shape itself."""
    body: dict[str, Any] = {"error": code, "detail": code, "message": message}
    if fields is not None:
        body["fields"] = fields
    return body
