"""Nothing a client sends makes the API answer 5xx, and every refusal is JSON that says why."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from chitra.accounts.models import User
from photos.models import Library, Photo

METHODS = ("get", "post", "put", "patch", "delete")
VALUES: dict[str, Any] = {
    "a huge number": 10**400,
    "a number beyond any id": 2**63,
    "a negative number": -1,
    "a fraction": 1.5,
    "text": "abc",
    "a null byte": "a\0b",
    "half a character": "\ud800",
    "a list": [[]],
    "an object": {"a": {}},
    "true": True,
    "null": None,
    "long text": "x" * 10_000,
}
BROKEN_BODIES: dict[str, bytes] = {
    "cut short": b'{"name": ',
    "NaN": b'{"threshold": NaN}',
    "infinite": b'{"threshold": 1e999, "min_score": -Infinity}',
    "no UTF-8": b'{"name": "\xff\xfe"}',
    "a name twice": b'{"name": "a", "name": "b"}',
    "nested deeply": b'{"a":' + b"[" * 100_000,
    "a list": b"[1]",
    "a number": b"1",
}
FIELDS = [
    *("name", "source_person_id", "person_id", "limit", "offset", "min_score", "thumb_size", "threshold"),
    *("reset", "incremental", "tags", "root", "role", "username", "password", "email", "q", "query", "tag"),
    *(
        "token",
        "max_distance",
        "include_pending",
        "auto_process",
        "cursor",
        "taken_from",
        "taken_to",
        "person",
    ),
    *(
        "album",
        "library",
        "box",
        "city",
        "country",
        "camera",
        "type",
        "min_rating",
        "favorite",
        "archived",
        "has_gps",
        "step",
    ),
    *(
        "step_status",
        "id",
        "ids",
        "filter",
        "action",
        "rating",
        "title",
        "description",
        "checksums",
        "status",
    ),
    *("photo_ids", "cover"),
]


def api_paths() -> Iterator[str]:
    """Every path under /api, with ids that may exist."""
    for pattern in patterns_of(get_resolver().url_patterns, ""):
        if pattern.startswith("api/") and "(" not in pattern:
            path = pattern
            for converter in ("id", "int", "str", "path"):
                while f"<{converter}:" in path:
                    start = path.index(f"<{converter}:")
                    path = path[:start] + "1" + path[path.index(">", start) + 1 :]
            yield f"/{path}"


def patterns_of(patterns: list[Any], prefix: str) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from patterns_of(pattern.url_patterns, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern)


@pytest.fixture
def program(
    admin: User, client_of: Callable[[User], Client], add_photo: Callable[..., Photo], settings: Any
) -> Client:
    """An administrator's, so that every endpoint is reached."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    library: Library = Library.objects.home_of(admin)
    add_photo(to=library)
    program = client_of(admin)
    program.raise_request_exception = False
    return program


def assert_understood(answer: Any, what: str) -> None:
    assert answer.status_code < 500, what
    if answer.status_code >= 400:
        body = json.loads(answer.content)
        assert body["error"] == body["detail"], what
        assert body["message"], what


@pytest.mark.parametrize("path", sorted(api_paths()))
def test_wrong_values_are_refused_with_a_reason(program: Client, path: str) -> None:
    for name, value in VALUES.items():
        cache.clear()
        values = dict.fromkeys(FIELDS, value)
        query = {field: str(value).encode("utf-8", "surrogatepass") for field in FIELDS}
        assert_understood(program.get(path, query), f"GET {path} with {name}")
        for method in METHODS[1:]:
            answer = getattr(program, method)(path, json.dumps(values), content_type="application/json")
            assert_understood(answer, f"{method} {path} with {name}")


@pytest.mark.parametrize("path", sorted(api_paths()))
def test_broken_bodies_are_refused_with_a_reason(program: Client, path: str) -> None:
    for name, body in BROKEN_BODIES.items():
        cache.clear()
        for method in ("post", "put"):
            for content_type in ("application/json", "multipart/form-data; boundary=x", "text/plain"):
                answer = getattr(program, method)(path, body, content_type=content_type)
                assert_understood(answer, f"{method} {path}, {content_type}, {name}")


@pytest.mark.parametrize(("name", "body"), BROKEN_BODIES.items(), ids=list(BROKEN_BODIES))
def test_broken_json_is_a_4xx_not_an_empty_body(program: Client, name: str, body: bytes) -> None:
    answer = program.post("/api/index/faces-cluster", body, content_type="application/json")
    assert answer.status_code in (400, 422), name


@pytest.mark.parametrize("text", [str(2**63), "1" + "0" * 30, "9" * 5000], ids=["2^63", "10^30", "long"])
def test_ids_beyond_any_row_are_unknown(program: Client, text: str) -> None:
    for path in ("photos/{}", "photos/{}/image", "faces/{}/thumbnail", "photos/{}/tags", "jobs/{}"):
        assert_understood(program.get(f"/api/{path.format(text)}"), path)


def test_null_bytes_and_bad_utf_8_in_queries_are_refused(program: Client) -> None:
    for path in ("search/by-person?q=", "search/photos?q=", "search/by-tag?tag="):
        assert program.get(f"/api/{path}%00").status_code == 422
        assert program.get(f"/api/{path}%ff").status_code == 400
