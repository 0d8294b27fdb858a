"""What another service or program says about a photo, beside its file. No Django."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Details:
    """Empty and None stand for nothing said. `taken_at` is aware; coordinates are degrees."""

    name: str = ""
    title: str = ""
    description: str = ""
    taken_at: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None
    rating: int | None = None
    tags: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    is_favorite: bool = False
    is_archived: bool = False
    is_trashed: bool = False
    xmp: bytes = b""
    """The packet itself, for the regions of faces in it."""


def clean_texts(values: Iterable[Any]) -> tuple[str, ...]:
    """The texts among these, without blanks around them and without repetitions."""
    texts = (value.strip() for value in values if isinstance(value, str))
    return tuple(dict.fromkeys(text for text in texts if text))
