"""Requests that cannot be used, of every kind and for every operation: a 4xx in the one shape, and no more.

Which values an operation takes, its schema says, so a new one is asked too.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from chitra.accounts.models import User
from chitra.tests.api_operations import ENDPOINTS, operations, url_with
from chitra.tests.small_world import World

HUGE = 10**400
BAD_TEXTS = ["%00", "%FF", "%ED%A0%80", "-1", "1e999", "9" * 400, "NaN", "%F0%9F%92%A5", "x" * 5000]
ASK_THE_MODEL = {("/api/search/photos", name) for name in ("q", "query")}  # which has to be loaded first
CHECKED_TYPES = {"integer", "number", "boolean"}
OLD_CODES = {"missing_name", "missing_root", "missing_source_person_id", "invalid_tags"}  # 400, as ever
ODD_HEADERS = {
    "accept": "\x00",
    "accept-encoding": "\xff;q=nothing",
    "if-none-match": '"\xff',
    "range": "bytes=9-1,,x",
    "if-range": "\x00",
    "x-request-id": "a\r\nb",
    "x-forwarded-for": "\xff",
    "cookie": "sessionid=\x00\xff; =",
    "origin": "\xff",
}
BAD_KEYS = ["Bearer \xff\xfe", "Bearer \x00" + "x" * 10_000, "Bearer a.b.c"]
BODIES = {  # by JSON type, what is none of it or cannot be used
    "string": ["a\0b", 7, True, [], {}],
    "integer": [HUGE, -HUGE, 1.5, "NaN", "x", True, [], {}],
    "number": [HUGE, "NaN", "inf", "x", True, [], {}],
    "boolean": ["perhaps", 7, 1.5, [], {}],
    "array": ["x", 7, True, {}, [None], [{}], [HUGE]],
    "object": ["x", 7, [], {"nothing": 1}],
}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    generated: dict[str, Any] = SchemaGenerator().get_schema(  # type: ignore[no-untyped-call]
        request=None, public=True
    )
    return generated


@pytest.fixture
def world(alice: User, media: Any, settings: Any) -> World:
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, 0)
    settings.SCAN_ROOTS = []
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    return World(User.objects.get(pk=alice.pk))


@pytest.fixture
def client(world: World, client_of: Callable[[User], Client]) -> Client:
    client = client_of(world.owner)
    client.raise_request_exception = False
    return client


def described(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, address with ids in braces, and description of each operation."""
    for path, found in schema["paths"].items():
        for method, operation in found.items():
            if path != "/api/events":
                yield method, path, operation


def address(path: str, world: World) -> str:
    return path.format(**world.ids)


def assert_no_crash(answer: Any, what: Any) -> None:
    """Below 500; and an error is JSON in the one shape."""
    assert answer.status_code < 500, (what, answer.content[:300])
    if answer.status_code >= 400:
        assert answer["Content-Type"] == "application/json", what
        body = answer.json()
        assert body["error"] == body["detail"], (what, body)
        assert body["message"], what


def plain_type(schema: dict[str, Any]) -> str:
    kind = schema.get("type")
    return str(next(name for name in kind if name != "null")) if isinstance(kind, list) else str(kind)


def test_texts_that_are_no_values_are_refused_as_parameters(
    client: Client, world: World, schema: dict[str, Any]
) -> None:
    for method, path, operation in described(schema):
        if method != "get":
            continue
        for parameter in operation.get("parameters", []):
            if parameter["in"] != "query" or (path, parameter["name"]) in ASK_THE_MODEL:
                continue
            for text in BAD_TEXTS:
                url = f"{address(path, world)}?{parameter['name']}={text}"
                answer = client.get(url)
                assert_no_crash(answer, url)
                if plain_type(parameter["schema"]) in CHECKED_TYPES or "enum" in parameter["schema"]:
                    assert answer.status_code in (400, 404, 422), url


def test_bytes_that_are_no_text_are_no_crash_in_addresses(client: Client, world: World) -> None:
    for name in sorted(ENDPOINTS):
        url = url_with(name, world.ids)
        assert_no_crash(client.get(f"{url}?x=%FF%00&%00=%ED%A0%80"), url)
        for odd in ("%FF", "%00", "9" * 400, "..%2F"):
            assert_no_crash(client.get(f"{url}/{odd}"), (url, odd))
            assert_no_crash(client.get(f"{url.rpartition('/')[0]}/{odd}"), (url, odd))


def test_headers_that_are_nonsense_are_no_crash(client: Client, world: World) -> None:
    for method, name in sorted(operations()):
        if method in ("get", "post"):
            url = url_with(name, world.ids)
            assert_no_crash(getattr(client, method)(url, headers=ODD_HEADERS), (method, url))


@pytest.mark.parametrize("host", ["elsewhere.example", "\xff", "a" * 300])
def test_a_host_that_is_none_of_ours_is_refused(client: Client, settings: Any, host: str) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    answer = client.get("/api/photos", headers={"host": host})
    assert_no_crash(answer, host)
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")
    assert client.get("/", headers={"host": host})["Content-Type"].startswith("text/html")


def test_a_fault_outside_of_the_views_is_said_in_the_same_shape(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise RuntimeError("password is hunter2")

    monkeypatch.setattr("chitra.json_answers.is_json", fail)
    answer = client.get("/api/photos")
    assert (answer.status_code, answer.json()["error"]) == (500, "internal_error")
    assert "hunter2" not in answer.text


@pytest.mark.parametrize("key", BAD_KEYS)
@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
def test_a_key_that_is_none_is_401_everywhere(world: World, header: str, key: str) -> None:
    client = Client(raise_request_exception=False)
    for name in sorted(set(ENDPOINTS) - {"api-photo-video"}):
        answer = client.get(url_with(name, world.ids), headers={header: key})
        assert_no_crash(answer, name)


def properties(body: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The fields of a body, without references."""
    parts = schema["components"]["schemas"]
    found = parts[body["$ref"].rpartition("/")[2]] if "$ref" in body else body
    return {name: resolved(part, parts) for name, part in found["properties"].items()}


def resolved(part: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    if "allOf" in part:
        part = part["allOf"][0]
    return dict(parts[part["$ref"].rpartition("/")[2]]) if "$ref" in part else part


def takes_text(part: dict[str, Any]) -> bool:
    """Whether old clients may send texts and 0 and 1 for this."""
    return "anyOf" in part


def test_each_value_of_a_body_that_cannot_be_used_is_named(
    client: Client, world: World, schema: dict[str, Any]
) -> None:
    for method, path, operation in described(schema):
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            continue
        for name, part in properties(content["application/json"]["schema"], schema).items():
            first = part["anyOf"][0] if takes_text(part) else part
            values: list[Any] = BODIES[plain_type(first)] if "type" in first else [7]
            for value in [*values, *(["nonsense"] if "enum" in first else [])]:
                url = address(path, world)
                text = json.dumps({name: value})
                answer = getattr(client, method)(url, text, content_type="application/json")
                assert_no_crash(answer, (url, text))
                if answer.json().get("error") not in OLD_CODES:
                    assert (answer.status_code, name in answer.json().get("fields", {})) == (422, True), (
                        url,
                        text,
                        answer.content,
                    )


def test_bodies_of_other_types_and_sizes_are_refused(
    client: Client, world: World, schema: dict[str, Any], settings: Any
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    for method, path, operation in described(schema):
        content = operation.get("requestBody", {}).get("content", {})
        if not content:
            continue
        ask = getattr(client, method)
        url = address(path, world)
        for kind in ("text/plain", "application/xml", "application/json; x", "image/jpeg", "\xff", "x"):
            if kind.partition(";")[0] not in content:
                answer = ask(url, b"x", content_type=kind)
                assert_no_crash(answer, (url, kind))
                assert answer.status_code == 415, (url, kind)
        if "application/json" in content:
            answer = ask(url, json.dumps({"x": "y" * 2000}), content_type="application/json")
            assert_no_crash(answer, url)
            assert (answer.status_code, answer.json()["error"]) == (413, "too_large"), url


def test_what_is_limited_says_when_to_try_again(world: World, client: Client, settings: Any) -> None:
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, 1)
    limited = 0
    for method, name in sorted(operations()):
        if not getattr(ENDPOINTS[name].callback, "cls").throttle_classes:  # noqa: B009 - known to Django only
            continue
        limited += 1
        for _ in range(2):
            answer = getattr(client, method)(url_with(name, world.ids), headers={"tus-resumable": "1.0.0"})
        assert_no_crash(answer, name)
        assert (answer.status_code, answer.json()["error"]) == (429, "throttled"), name
        assert int(answer["Retry-After"]) > 0
    assert limited >= 4


def test_methods_that_nobody_knows_are_405(client: Client, world: World) -> None:
    for name in sorted(ENDPOINTS):
        for method in ("PROPFIND", "TRACE", "X"):
            answer = client.generic(method, url_with(name, world.ids))
            assert_no_crash(answer, name)
            assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed"), (name, method)
