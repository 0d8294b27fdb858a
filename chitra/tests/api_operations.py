"""The operations of the API as the URL configuration has them, so that tests can ask for all of them."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from django.test import Client
from django.urls import URLPattern, URLResolver, reverse
from django.urls.converters import UUIDConverter

from chitra.urls import api_patterns

Operation = tuple[str, str]  # method and name


def named(patterns: list[Any]) -> Iterator[URLPattern]:
    """The endpoints, so that a new one cannot be forgotten."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from named(pattern.url_patterns)
        elif pattern.name:
            yield pattern


ENDPOINTS: dict[str, URLPattern] = {str(pattern.name): pattern for pattern in named(api_patterns)}


def methods_of(name: str) -> set[str]:
    """The methods of an endpoint in lower case, but for OPTIONS; HEAD where there is no GET."""
    view: Any = ENDPOINTS[name].callback
    methods = {name for name in view.cls.http_method_names if hasattr(view.cls, name)} - {"options"}
    return methods - {"head"} if "get" in methods else methods


def operations() -> set[Operation]:
    return {(method, name) for name in ENDPOINTS for method in methods_of(name)}


def url_with(name: str, ids: dict[str, Any]) -> str:
    """The address of an endpoint with those of these ids that it takes."""
    wanted = ENDPOINTS[name].pattern.converters
    return reverse(name, kwargs={key: value for key, value in ids.items() if key in wanted})


def url_of(name: str, **ids: Any) -> str:
    """Its URL, with these ids or ones that nothing has."""
    wanted = ENDPOINTS[name].pattern.converters
    nothing: dict[str, Any] = {
        key: uuid4() if isinstance(converter, UUIDConverter) else 4711 for key, converter in wanted.items()
    }
    return url_with(name, {**nothing, **ids})


def allowed_methods(client: Client, name: str) -> set[str]:
    return set(client.options(url_of(name))["Allow"].split(", "))


def assert_is_error(response: Any, status: int, code: str | None = None) -> None:
    assert response.status_code == status, response.content[:300]
    assert response["Content-Type"] == "application/json"
    answer = response.json()
    assert answer["error"] == answer["detail"]
    assert answer["message"]
    if code is not None:
        assert answer["error"] == code
