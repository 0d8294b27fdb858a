"""Bodies and queries that cannot be used, for all endpoints that take them: refused with a reason."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from chitra.tests.api_operations import assert_is_error, operations, url_of

ClientOf = Callable[[Any], Client]


@pytest.fixture
def client(client_of: ClientOf, admin: Any) -> Client:
    """An administrator's program: the permissions are not what stops it."""
    return client_of(admin)


JSON_ENDPOINTS = [
    ("post", "api-scan-path"),
    ("post", "api-persons"),
    ("put", "api-person"),
    ("post", "api-person-merge"),
    ("post", "api-face-assign"),
    ("post", "api-index-faces"),
    ("post", "api-index-faces-cluster"),
    ("post", "api-index-embeddings"),
    ("post", "api-suggestion-answer"),
    ("post", "api-recluster"),
    ("post", "api-face-reject"),
    ("post", "api-faces-assign"),
    ("patch", "api-face"),
    ("post", "api-photo-faces"),
    ("post", "api-person-split"),
    ("patch", "api-person"),
    ("post", "api-photo-tags"),
    ("put", "api-user-role"),
    ("patch", "api-photo"),
    ("post", "api-photos-bulk"),
    ("post", "api-photos-check"),
    ("post", "api-photos-download"),
    ("post", "api-albums"),
    ("patch", "api-album"),
    ("post", "api-album-photos"),
    ("post", "api-album-remove"),
    ("put", "api-album-order"),
    ("post", "api-libraries"),
    ("patch", "api-library"),
    ("post", "api-members"),
    ("patch", "api-member"),
    ("post", "api-keys"),
    ("patch", "api-photo-edit"),
    ("post", "api-apply-dates"),
    ("post", "api-stacks"),
    ("patch", "api-stack"),
]
WITHOUT_BODY = {
    ("post", "api-upload"),  # takes a form
    ("delete", "api-photo"),
    ("post", "api-photo-restore"),
    ("post", "api-photo-step-retry"),
    ("post", "api-job-cancel"),
    ("post", "api-job-retry"),
    ("delete", "api-album"),
    ("delete", "api-stack"),
    ("delete", "api-library"),
    ("delete", "api-member"),
    ("delete", "api-key"),
    ("post", "api-persons-cleanup"),
    ("post", "api-persons-rebuild-index"),
    ("post", "api-user-whitelist"),
    ("post", "api-user-unwhitelist"),
    ("post", "api-user-deactivate"),
    ("post", "api-face-confirm"),
    ("post", "api-face-unassign"),
    ("delete", "api-face"),
    ("delete", "api-person"),
    ("post", "api-journal-undo"),
    ("post", "api-recluster-apply"),
    ("post", "api-undo-edit"),
    ("post", "api-tus"),  # tus describes files in headers
    ("patch", "api-tus-upload"),
    ("delete", "api-tus-upload"),
}


def test_all_endpoints_that_take_json_are_tested() -> None:
    writing = {(method, name) for method, name in operations() if method not in ("get", "head")}
    tested_elsewhere = {("post", name) for name in ("api-register", "api-login", "api-logout")}
    assert writing == set(JSON_ENDPOINTS) | WITHOUT_BODY | tested_elsewhere


@pytest.mark.parametrize(("method", "name"), JSON_ENDPOINTS)
@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b'{"a": }',
        b"\xff\xfe",
        b'{"threshold": NaN}',
        b"[" * 100_000,
        b'{"a": 1' + b"1" * 5000 + b"}",
        b'{"a": "\\ud800"}',
        b'{"a": 1, "a": 2}',
    ],
    ids=["open", "hole", "utf8", "nan", "deep", "long", "half", "twice"],
)
def test_malformed_json_is_refused(client: Client, method: str, name: str, data: bytes) -> None:
    response = getattr(client, method)(url_of(name), data, content_type="application/json")
    assert_is_error(response, 400, "malformed_body")


@pytest.mark.parametrize(("method", "name"), JSON_ENDPOINTS)
@pytest.mark.parametrize("data", ['"text"', "7", "[1]", '["name"]', "true", "[[]]"])
def test_json_that_is_no_object_is_refused(client: Client, method: str, name: str, data: str) -> None:
    response = getattr(client, method)(url_of(name), data, content_type="application/json")
    assert_is_error(response, 422, "invalid")
    assert "non_field_errors" in response.json()["fields"]


@pytest.mark.parametrize(("method", "name"), JSON_ENDPOINTS)
def test_a_form_where_json_is_expected_is_refused(client: Client, method: str, name: str) -> None:
    response = getattr(client, method)(
        url_of(name), "name=x", content_type="application/x-www-form-urlencoded"
    )
    assert_is_error(response, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("method", "name", "data"),
    [
        ("post", "api-person-merge", {"source_person_id": "NaN"}),
        ("post", "api-person-merge", {"source_person_id": -1}),
        ("post", "api-person-merge", {"source_person_id": 10**30}),
        ("post", "api-person-merge", {"source_person_id": [1]}),
        ("post", "api-face-assign", {"person_id": 1.5}),
        ("post", "api-face-assign", {"person_id": {}}),
        ("post", "api-persons", {"name": ["a"]}),
        ("post", "api-persons", {"name": "a\0b"}),
        ("post", "api-persons", {"name": None}),
        ("post", "api-persons", {"name": "x" * 100_000}),
        ("post", "api-index-faces-cluster", {"threshold": "NaN"}),
        ("post", "api-index-faces-cluster", {"threshold": "inf"}),
        ("post", "api-index-faces-cluster", {"threshold": -0.1}),
        ("post", "api-index-faces-cluster", {"threshold": 1.1}),
        ("post", "api-index-faces-cluster", {"threshold": "much"}),
        ("post", "api-index-faces-cluster", {"reset": "perhaps"}),
        ("post", "api-index-faces", {"limit": 0}),
        ("post", "api-index-faces", {"limit": -5}),
        ("post", "api-index-faces", {"limit": 10**20}),
        ("post", "api-index-faces", {"limit": "all"}),
        ("post", "api-index-embeddings", {"incremental": 7}),
        ("post", "api-index-embeddings", {"incremental": []}),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(client: Client, method: str, name: str, data: Any) -> None:
    response = getattr(client, method)(url_of(name), json.dumps(data), content_type="application/json")
    assert_is_error(response, 422, "invalid")
    assert list(response.json()["fields"]) == list(data)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=-1",
        "min_score=nan",
        "min_score=inf",
        "min_score=-1",
        "min_score=2",
    ],
)
def test_a_search_with_an_unusable_value_is_refused(client: Client, query: str) -> None:
    assert_is_error(client.get(f"/api/search/photos?q=sea&{query}"), 422, "invalid")


@pytest.mark.parametrize("query", ["", "q=", "q=%20%20", "query="])
def test_a_search_for_nothing_is_refused(client: Client, query: str) -> None:
    assert_is_error(client.get(f"/api/search/photos?{query}"), 400, "missing_query")
    assert_is_error(client.get(f"/api/search/by-person?{query}"), 400, "missing_person_name")


@pytest.mark.parametrize("text", ["%EF%BF%BD", "'; DROP TABLE photos_photo; --", "%25_", "x" * 500])
def test_a_search_for_a_person_with_any_name_answers(client: Client, text: str) -> None:
    assert client.get(f"/api/search/by-person?q={text}").json()["results"] == []


@pytest.mark.parametrize("path", ["search/photos", "search/by-person", "photos"])
def test_a_query_that_is_no_text_is_refused(client: Client, path: str) -> None:
    name = "city" if path == "photos" else "q"
    assert_is_error(client.get(f"/api/{path}?{name}=a%00b"), 422, "invalid")
    for odd in ("%FF", "%ED%A0%80", "a%C3"):
        assert_is_error(client.get(f"/api/{path}?{name}={odd}"), 400, "malformed_query")
