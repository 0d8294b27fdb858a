"""What the REST API reads and answers: strict JSON in, JSON out whatever a client says it accepts."""

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

from chitra.errors import TooLarge
from photos.api.errors import Unprocessable


class StrictJSONParser(BaseParser):
    """JSON of RFC 8259 in UTF-8, an object, no name twice; nothing at all counts as `{}`.

    Raises ParseError for what is no JSON, Unprocessable for what is no object.
    """

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        text = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if len(text) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise TooLarge
        if not text.strip():
            return {}
        try:
            value = json.loads(
                text.decode("utf-8"), parse_constant=refuse_constant, object_pairs_hook=without_duplicates
            )
        except UnicodeDecodeError:
            raise ParseError("The JSON is not UTF-8.") from None
        except json.JSONDecodeError as error:
            raise ParseError(f"The JSON is broken at character {error.pos}: {error.msg}.") from None
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
        except ValueError as error:
            raise ParseError(f"The JSON cannot be used: {error}.") from None
        if b"\\ud" in text.lower() and not is_text(json.dumps(value, ensure_ascii=False)):
            raise ParseError("The JSON has half a surrogate pair in it.")
        if not isinstance(value, dict):
            raise Unprocessable({"non_field_errors": ["Send a JSON object: {…}."]})
        return value


def is_text(text: str) -> bool:
    """Whether it can be written as UTF-8; half of a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's pairs as a dict. Raises ValueError for a name that comes twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice[:50]!r} comes twice")
    return found


class AnyAccept(BaseContentNegotiation):
    """The first renderer, always: a client that accepts only pictures still has to understand an error."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        for parser in parsers:
            if media_type_of(request.content_type) == parser.media_type:
                return parser
        return None

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


def media_type_of(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
