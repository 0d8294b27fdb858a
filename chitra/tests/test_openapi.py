"""The committed schema is the one the code has, and its pages need nothing from elsewhere."""

import re
from typing import Any

import pytest
import yaml
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from chitra import settings
from chitra.openapi_fields import NOT_BLANK

COMMITTED = settings.BASE_DIR / "docs" / "openapi.yaml"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    generated: dict[str, Any] = SchemaGenerator().get_schema(  # type: ignore[no-untyped-call]
        request=None, public=True
    )
    return generated


def test_the_committed_schema_is_up_to_date(schema: dict[str, Any]) -> None:
    committed = yaml.safe_load(COMMITTED.read_text("utf-8"))
    assert yaml.safe_load(yaml.safe_dump(as_plain(schema))) == committed, "run: make openapi"


def as_plain(value: Any) -> Any:
    """Without the subclasses of dict, list and str that the generator leaves in it."""
    if isinstance(value, dict):
        return {str(key): as_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


def test_the_schema_is_valid_openapi_3_1(schema: dict[str, Any]) -> None:
    validate_schema(schema)  # type: ignore[no-untyped-call]
    assert schema["openapi"].startswith("3.1")


def test_every_operation_says_what_it_is_and_how_it_fails(schema: dict[str, Any]) -> None:
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), (method, path)
            assert any(status.startswith("4") for status in operation["responses"]), (method, path)


def test_every_body_and_answer_in_json_has_an_example_that_is_one(schema: dict[str, Any]) -> None:
    found = 0
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            answers = [part for status, part in operation["responses"].items() if status.startswith("2")]
            for described in (operation.get("requestBody", {}), *answers):
                if content := described.get("content", {}).get("application/json"):
                    found += 1
                    whole = {**as_plain(content["schema"]), "components": as_plain(schema["components"])}
                    errors = list(Draft202012Validator(whole).iter_errors(as_plain(content["example"])))
                    assert not errors, (method, path, [error.message for error in errors])
    assert found > 100


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_the_pages_load_nothing_from_other_hosts(db: None, path: str) -> None:
    page = Client().get(path).content.decode()
    assert "/static/drf_spectacular_sidecar/" in page
    assert "cdn" not in page


def test_anybody_may_read_the_schema(db: None) -> None:
    assert Client().get("/api/schema").status_code == 200
    assert Client().get("/openapi.json").json()["info"]["title"] == "Chitra"


def test_what_is_blank_is_blank_for_the_schema() -> None:
    pattern = re.compile(NOT_BLANK)
    for character in map(chr, range(1, 0x3100)):
        assert bool(pattern.search(character)) == bool(character.strip()), f"U+{ord(character):04X}"
