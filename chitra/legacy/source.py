"""The legacy SQLite database, read from a copy: three schemas, no trust in any value."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from chitra.legacy.rows import EmbeddingRow, FaceRow, PersonRow, PhotoRow, TagRow, UserRow

TABLES = ("users", "persons", "photos", "tags", "embeddings", "clusters", "faces", "face_thumbs")
CHILD_TABLES = ("tags", "embeddings", "clusters", "faces")
COPY_ATTEMPTS = 5


class BadDatabase(ValueError):
    """Not a database that can be migrated; the message says why."""


class LegacyDatabase:
    """A consistent copy of `path`, which is only read. Used from one thread, within `with`."""

    def __init__(self, path: Path) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="chitra-legacy-")
        try:
            self._connection = open_copy(path, Path(self._folder.name))
        except BaseException:
            self._folder.cleanup()
            raise
        self.columns = {table: self._columns(table) for table in TABLES}
        if "file_path" not in self.columns["photos"]:
            self.close()
            raise BadDatabase(f"{path} is not a database of the legacy photo server: it has no photos.")

    def __enter__(self) -> "LegacyDatabase":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()
        self._folder.cleanup()

    @property
    def schema(self) -> str:
        """Which of the three: "flask" (no users), "fastapi" or "latest" (videos, named vectors)."""
        if "media_type" in self.columns["photos"]:
            return "latest"
        return "fastapi" if self.columns["users"] else "flask"

    def counts(self) -> dict[str, int]:
        """Rows by table; tables that are not there count 0."""
        return {
            table: self._count(f"SELECT COUNT(*) FROM {table}") for table in TABLES if self.columns[table]
        }

    def last_id(self, table: str) -> int:
        """The highest id ever given, deleted rows included."""
        highest = self._count(f"SELECT COALESCE(MAX(id), 0) FROM {table}") if self.columns[table] else 0
        if not self._columns("sqlite_sequence"):
            return highest
        return max(
            highest, self._count("SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = ?", table)
        )

    def photos(self, size: int) -> Iterator[list[PhotoRow]]:
        """All photos by id, `size` at a time."""
        last = None
        while rows := self._photos_after(last, size):
            yield rows
            last = rows[-1].id

    def _photos_after(self, last: int | None, size: int) -> list[PhotoRow]:
        after = -(2**63) if last is None else last
        return self._rows(PhotoRow, "photos", "WHERE id > ? ORDER BY id LIMIT ?", after, size)

    def has_photo_at(self, key: str) -> bool:
        """Whether a row names exactly this storage key."""
        return bool(self._count("SELECT COUNT(*) FROM photos WHERE file_path = ?", key))

    def unusual_paths(self) -> Iterator[str]:
        """The file paths that may name a file by another spelling than a listing does."""
        spellings = " OR ".join(f"file_path LIKE '{pattern}'" for pattern in ("%..%", "%//%", "%./%"))
        query = f"SELECT file_path FROM photos WHERE {spellings}"
        return (path for (path,) in self._connection.execute(query) if isinstance(path, str))

    def tags(self, photo_ids: Sequence[int]) -> list[TagRow]:
        return self._children(TagRow, "tags", photo_ids)

    def embeddings(self, photo_ids: Sequence[int]) -> list[EmbeddingRow]:
        return self._children(EmbeddingRow, "embeddings", photo_ids)

    def faces(self, photo_ids: Sequence[int]) -> list[FaceRow]:
        return self._children(FaceRow, "faces", photo_ids)

    def derived(self, photo_ids: Sequence[int]) -> dict[str, list[tuple[int, int]]]:
        """(row, photo) of clusters and face thumbnails."""
        marks = ",".join("?" * len(photo_ids))
        found: dict[str, list[tuple[int, int]]] = {"clusters": [], "face_thumbs": []}
        if self.columns["clusters"]:
            query = f"SELECT photo_id, photo_id FROM clusters WHERE photo_id IN ({marks})"
            found["clusters"] = self._connection.execute(query, photo_ids).fetchall()
        if self.columns["face_thumbs"]:
            query = (
                "SELECT t.id, f.photo_id FROM face_thumbs t JOIN faces f ON f.id = t.face_id "
                f"WHERE f.photo_id IN ({marks})"
            )
            found["face_thumbs"] = self._connection.execute(query, photo_ids).fetchall()
        return found

    def orphans(self, table: str) -> Iterator[int]:
        """Ids of rows whose photo (for face thumbnails: face or its photo) is gone."""
        if not self.columns[table]:
            return
        if table == "face_thumbs":
            query = (
                "SELECT id FROM face_thumbs WHERE face_id NOT IN "
                "(SELECT f.id FROM faces f JOIN photos p ON p.id = f.photo_id)"
            )
        else:
            key = "photo_id" if table == "clusters" else "id"
            query = f"SELECT {key} FROM {table} WHERE photo_id NOT IN (SELECT id FROM photos)"
        for (row_id,) in self._connection.execute(query):
            yield row_id

    def persons(self) -> list[PersonRow]:
        return self._rows(PersonRow, "persons", "ORDER BY id")

    def users(self) -> list[UserRow]:
        return self._rows(UserRow, "users", "ORDER BY id")

    def _children(self, kind: type[Any], table: str, photo_ids: Sequence[int]) -> list[Any]:
        marks = ",".join("?" * len(photo_ids))
        return self._rows(kind, table, f"WHERE photo_id IN ({marks}) ORDER BY photo_id, id", *photo_ids)

    def _rows(self, kind: type[Any], table: str, rest: str, *values: Any) -> list[Any]:
        """Rows as `kind`; a column this schema has not is None."""
        columns = self.columns[table]
        if not columns:
            return []
        wanted = [name if name in columns else f"NULL AS {name}" for name in kind.COLUMNS]
        query = f"SELECT {', '.join(wanted)} FROM {table} {rest}"
        return [kind.of(*row) for row in self._connection.execute(query, values)]

    def _columns(self, table: str) -> frozenset[str]:
        return frozenset(row[1] for row in self._connection.execute(f"PRAGMA table_info({table})"))

    def _count(self, query: str, *values: Any) -> int:
        return int(self._connection.execute(query, values).fetchone()[0])


def open_copy(path: Path, folder: Path) -> sqlite3.Connection:
    """Copy the database with its write-ahead log, so that the old files are never opened for writing."""
    for _ in range(COPY_ATTEMPTS):
        before = stamps(path)
        for suffix in ("", "-wal"):
            if Path(f"{path}{suffix}").exists():
                shutil.copyfile(f"{path}{suffix}", folder / f"photo.db{suffix}")
        if stamps(path) == before:
            break
    else:
        raise BadDatabase(f"{path} changes all the time. Stop the old server, then run again.")
    connection = sqlite3.connect(folder / "photo.db")
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    try:
        if connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise BadDatabase(f"{path} is damaged. Repair it with sqlite3's .recover, then run again.")
    except sqlite3.DatabaseError as error:
        connection.close()
        raise BadDatabase(f"{path} is not a SQLite database: {error}.") from None
    return connection


def stamps(path: Path) -> list[tuple[int, int]]:
    """Size and time of change of the database and its log."""
    files: Iterable[Path] = (Path(f"{path}{suffix}") for suffix in ("", "-wal"))
    try:
        return [(s.st_size, s.st_mtime_ns) for file in files if file.exists() and (s := file.stat())]
    except OSError as error:
        raise BadDatabase(f"{path} cannot be read: {error.strerror}.") from None
