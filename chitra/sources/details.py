"""What another service or program says about a photo, beside its file. No Django."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from faces.regions import Region


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
    faces: tuple[Region, ...] = ()
    """Those named elsewhere."""

    def or_else(self, other: "Details") -> "Details":
        """These, and what the other says where these say nothing."""
        said = {each.name: getattr(self, each.name) for each in fields(self)}
        return replace(other, **{name: value for name, value in said.items() if not is_silent(value)})


def is_silent(value: Any) -> bool:
    """Whether a field says nothing; the equator and no stars do say something."""
    return value is None or value is False or value in ("", (), b"")


def clean_texts(values: Iterable[Any]) -> tuple[str, ...]:
    """The texts among these, without blanks around them and without repetitions."""
    texts = (value.strip() for value in values if isinstance(value, str))
    return tuple(dict.fromkeys(text for text in texts if text))
