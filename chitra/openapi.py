"""What drf-spectacular cannot see in the code: how requests are authenticated, and which errors there are."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from chitra import openapi_fields  # noqa: F401 - registers what it says of fields

ERRORS = {
    "400": "The request cannot be used as it is: `error` says why.",
    "401": "No key or token, or none that is valid.",
    "403": "The caller may not do this.",
    "404": "There is no such thing, or the caller may not know of it.",
    "405": "The endpoint has other methods.",
    "409": "What is asked for contradicts what is there: `error` says how.",
    "413": "The body or a file is too large.",
    "414": "The address is longer than 16 KiB.",
    "415": "The body or a file is of a type that is not taken.",
    "422": "Some values cannot be used: `fields` says which and why.",
    "429": "Too many attempts; `Retry-After` says when to try again.",
    "503": "Something behind the API does not answer; try again soon.",
    "507": "The storage is full or does not take the file.",
}
ERROR_SHAPE = {
    "type": "object",
    "description": "The shape of every error. `error` and `detail` hold the same code.",
    "properties": {
        "error": {"type": "string"},
        "detail": {"type": "string"},
        "message": {"type": "string"},
        "fields": {"type": "object", "additionalProperties": True},
    },
    "required": ["error", "detail", "message"],
    "example": {
        "error": "photo_not_found",
        "detail": "photo_not_found",
        "message": "There is no such photo.",
    },
}


class ApiSchema(AutoSchema):
    """Tags by the first part of the path, descriptions from the docstrings."""

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/api/").partition("/")[0]]


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "chitra.accounts.authentication.ApiKeyAuthentication"
    name = ["apiKey", "apiKeyHeader"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        """Either of the two."""
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {"type": "http", "scheme": "bearer", "description": "An API key, made under Settings."},
            {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "The same key."},
        ]


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "chitra.accounts.authentication.TokenAuthentication"
    name = "login"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "oauth2",
            "description": "The token of POST /api/auth/login.",
            "flows": {"password": {"tokenUrl": "/api/auth/login", "scopes": {}}},
        }


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "chitra.accounts.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "The session of the pages; unsafe methods also need the header X-CSRFToken.",
        }


class OpenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """CHITRA_LEGACY_OPEN_API is no way to authenticate that a client could choose."""

    target_class = "chitra.accounts.authentication.OpenAuthentication"
    name: list[str] = []

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        return []

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return []


def add_errors(result: dict[str, Any], **context: Any) -> dict[str, Any]:
    """Postprocessing hook: every operation gets the errors it can answer, by what it takes.

    A view names further ones without a body: `responses={200: Answer, 409: None}`.
    """
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Error"] = ERROR_SHAPE
    components["responses"] = {
        f"Error{status}": {
            "description": text,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        }
        for status, text in ERRORS.items()
    }
    for path, operations in result["paths"].items():
        for operation in operations.values():
            answers = operation["responses"]
            named = {status for status in answers if "content" not in answers[status]}
            for status in ERRORS.keys() & (named | error_statuses(path, operation)):
                answers[status] = {"$ref": f"#/components/responses/Error{status}"}
            operation["responses"] = dict(sorted(answers.items()))
            body = operation.get("requestBody", {})
            if any(is_needed(content["schema"], components) for content in body.get("content", {}).values()):
                body["required"] = True
    return result


def is_needed(schema: dict[str, Any], components: dict[str, Any]) -> bool:
    """Whether a body must be sent, because not even `{}` would do."""
    if "$ref" in schema:
        schema = components["schemas"][schema["$ref"].rpartition("/")[2]]
    branches = schema.get("oneOf", schema.get("anyOf", []))
    return "required" in schema or (bool(branches) and all("required" in branch for branch in branches))


def error_statuses(path: str, operation: dict[str, Any]) -> set[str]:
    found = {"405"}
    if any(operation.get("security", [])):
        found |= {"401", "403"}
    queries = {
        parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "query"
    }
    if "{" in path or "library" in queries:  # what the caller may not see is not there
        found.add("404")
    if queries:
        found |= {"400", "414", "422"}
    if "requestBody" in operation:
        found |= {"400", "413", "415", "422"}
    if path.startswith(("/api/photos/upload", "/api/search/photos")):
        found.add("429")
    if path.startswith(("/api/auth/login", "/api/auth/register")):
        found |= {"401", "403", "429"}
    return found
