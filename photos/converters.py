"""Ids in URLs: whole numbers. Those that PostgreSQL cannot hold stand for the largest, which no row has."""

from django.urls import register_converter

from photos.api.fields import MAX_ID


class IdConverter:
    """`<id:photo_id>`: 0 to MAX_ID."""

    regex = "[0-9]+"

    def to_python(self, text: str) -> int:
        return min(int(text), MAX_ID)

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(IdConverter, "id")
