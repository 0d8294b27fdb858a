"""Rows of the legacy tables. SQLite enforces no types, so every value is checked here."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

DEFAULT_MODEL = "openai/clip-vit-base-patch32"


def text(value: Any) -> str:
    """Text that PostgreSQL can hold: "" for None, no zero bytes, broken UTF-8 made visible."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    return str(value).replace("\0", "").encode("utf-8", "backslashreplace").decode()


def whole(value: Any) -> int | None:
    """A whole number, None for anything else."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def number(value: Any) -> float | None:
    """A finite number, None for anything else."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def blob(value: Any) -> bytes:
    return value if isinstance(value, bytes) else b""


@dataclass(frozen=True)
class PhotoRow:
    COLUMNS: ClassVar[tuple[str, ...]] = (
        "id", "file_path", "size", "created_at", "checksum", "phash", "exif_datetime",
        "latitude", "longitude",
    )  # fmt: skip

    id: int
    file_path: str
    """As it is stored, so that it finds the file: broken UTF-8 is kept in surrogates."""
    size: int | None = None
    created_at: str = ""
    checksum: str = ""
    """SHA-1 in 40 lower-case hex digits, or whatever the row holds."""
    phash: str = ""
    exif_datetime: str = ""
    latitude: float | None = None
    longitude: float | None = None

    @classmethod
    def of(cls, row_id: Any, path: Any, *values: Any) -> "PhotoRow":
        size, created, checksum, phash, exif, latitude, longitude = values
        return cls(
            row_id, path if isinstance(path, str) else text(path), whole(size), text(created),
            text(checksum).strip().lower(), text(phash).strip(), text(exif).strip(),
            number(latitude), number(longitude),
        )  # fmt: skip


@dataclass(frozen=True)
class TagRow:
    COLUMNS: ClassVar[tuple[str, ...]] = ("id", "photo_id", "tag", "score", "source")

    id: int
    photo_id: int
    tag: str
    score: float
    source: str = ""

    @classmethod
    def of(cls, row_id: Any, photo_id: Any, tag: Any, score: Any, source: Any) -> "TagRow":
        return cls(row_id, photo_id, text(tag).strip(), number(score) or 0.0, text(source))


@dataclass(frozen=True)
class EmbeddingRow:
    COLUMNS: ClassVar[tuple[str, ...]] = ("id", "photo_id", "dim", "vector", "model")

    id: int
    photo_id: int
    dim: int | None
    vector: bytes
    model: str = DEFAULT_MODEL

    @classmethod
    def of(cls, row_id: Any, photo_id: Any, dim: Any, vector: Any, model: Any) -> "EmbeddingRow":
        return cls(row_id, photo_id, whole(dim), blob(vector), text(model) or DEFAULT_MODEL)


@dataclass(frozen=True)
class FaceRow:
    COLUMNS: ClassVar[tuple[str, ...]] = (
        "id", "photo_id", "bbox_x", "bbox_y", "bbox_w", "bbox_h", "embedding", "person_id", "assigned_by",
    )  # fmt: skip

    id: int
    photo_id: int
    box: tuple[float, float, float, float] | None
    """Left, top, width, height in pixels of the stored picture, not turned."""
    embedding: bytes = b""
    person_id: int | None = None
    assigned_by: str = ""
    """"manual", "match", "discovery", or "" where the schema does not say."""

    @classmethod
    def of(cls, row_id: Any, photo_id: Any, *values: Any) -> "FaceRow":
        *edges, embedding, person_id, assigned_by = values
        x, y, width, height = (number(edge) for edge in edges)
        missing = x is None or y is None or width is None or height is None
        box = None if missing else (x, y, width, height)
        return cls(row_id, photo_id, box, blob(embedding), whole(person_id), text(assigned_by))  # type: ignore[arg-type]


@dataclass(frozen=True)
class PersonRow:
    COLUMNS: ClassVar[tuple[str, ...]] = ("id", "name")

    id: int
    name: str

    @classmethod
    def of(cls, row_id: Any, name: Any) -> "PersonRow":
        return cls(row_id, text(name))


@dataclass(frozen=True)
class UserRow:
    COLUMNS: ClassVar[tuple[str, ...]] = (
        "id", "username", "email", "password_hash", "role", "is_active", "is_whitelisted", "created_at",
    )  # fmt: skip

    id: int
    username: str
    email: str
    password_hash: str
    is_admin: bool
    is_active: bool
    is_approved: bool
    created_at: str = ""

    @classmethod
    def of(
        cls, row_id: Any, username: Any, email: Any, password_hash: Any, role: Any, *values: Any
    ) -> "UserRow":
        active, approved, created = values
        return cls(
            row_id, text(username).strip(), text(email).strip(), text(password_hash), role == "admin",
            bool(whole(active)), bool(whole(approved)), text(created),
        )  # fmt: skip
