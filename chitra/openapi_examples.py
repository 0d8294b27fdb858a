"""An example for each body and answer in JSON, made of the schema: docs show it, schemathesis sends it."""

from typing import Any

Schema = dict[str, Any]
WORDS: dict[str, Any] = {
    "name": "Trip to Arezzo",
    "email": "alice@example.org",
    "username": "alice",
    "password": "a long sentence nobody guesses",
    "tag": "beach",
    "query": "beach",
    "q": "beach",
    "root": "/photos/2024",
    "month": "2024-05",
    "city": "Arezzo",
    "country": "Italy",
    "country_code": "IT",
    "camera": "X100V",
    "title": "Sunset",
    "description": "From the tower",
    "birth_date": "1950-12-31",
    "taken_at": "2024-05-31T12:34:56",
    "created_at": "2024-05-31T12:34:56",
    "mime_type": "image/jpeg",
    "file_path": "1/0f/0f3a.jpg",
    "thumb_path": "1/0f/0f3a/thumbnail.webp",
    "checksum": "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "checksums": "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "job_id": "0b7c6d0e-8d0b-4a0e-9d1c-6d1f0d3c9a11",
    "steps": {"metadata": {"done": 3}},
}
FORMATS = {"date-time": "2024-05-31T12:34:56Z", "date": "2024-05-31", "uuid": WORDS["job_id"]}
NUMBERS = {"id": 12, "latitude": 43.46, "longitude": 11.88, "limit": 100, "offset": 0}


def add_examples(result: Schema, **context: Any) -> Schema:
    """Postprocessing hook."""
    parts = result["components"]["schemas"]
    for operations in result["paths"].values():
        for operation in operations.values():
            answers = [part for status, part in operation["responses"].items() if status.startswith("2")]
            for described in (operation.get("requestBody", {}), *answers):
                content = described.get("content", {}).get("application/json")
                if content:
                    content["example"] = example_of(content["schema"], parts)
    return result


def example_of(schema: Schema, parts: Schema, name: str = "") -> Any:
    """A value that the schema allows; `name` is that of the field."""
    if "$ref" in schema:
        return example_of(parts[schema["$ref"].rpartition("/")[2]], parts, name)
    if "example" in schema:
        return schema["example"]
    for several in ("allOf", "anyOf", "oneOf"):
        if several in schema and "properties" not in schema:
            return example_of(schema[several][0], parts, name)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    return value_of(kind[0] if isinstance(kind, list) else kind, schema, parts, name)


def value_of(kind: str, schema: Schema, parts: Schema, name: str) -> Any:
    match kind:
        case "object":
            fields = {key: example_of(part, parts, key) for key, part in schema.get("properties", {}).items()}
            return fields or WORDS.get(name, {})
        case "array":
            return [example_of(schema["items"], parts, name)] * schema.get("minItems", 1)
        case "boolean":
            return schema.get("default", True)
        case "string":
            return FORMATS.get(schema.get("format", "")) or WORDS.get(name, "text")
        case "null":
            return None
    low, high = schema.get("minimum", 0), schema.get("maximum")
    wanted = schema.get("default", NUMBERS.get(name, 1))
    return wanted if wanted is not None and low <= wanted and (high is None or wanted <= high) else low
