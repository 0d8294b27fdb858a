"""A small library of the legacy server, with everything that goes wrong in real ones, made in a moment."""

import hashlib
import io
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

SCHEMA = """
CREATE TABLE photos (id INTEGER PRIMARY KEY AUTOINCREMENT, file_path TEXT UNIQUE, size INTEGER,
  created_at TEXT, checksum TEXT, phash TEXT, exif_datetime TEXT, latitude REAL, longitude REAL,
  thumb_path TEXT {photos});
CREATE TABLE embeddings (id INTEGER PRIMARY KEY AUTOINCREMENT, photo_id INTEGER NOT NULL,
  dim INTEGER NOT NULL, vector BLOB NOT NULL {embeddings});
CREATE TABLE tags (id INTEGER PRIMARY KEY AUTOINCREMENT, photo_id INTEGER NOT NULL, tag TEXT NOT NULL,
  score REAL NOT NULL {tags});
CREATE TABLE clusters (photo_id INTEGER PRIMARY KEY, cluster_id INTEGER NOT NULL, score REAL NOT NULL);
CREATE TABLE persons (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE NOT NULL);
CREATE TABLE faces (id INTEGER PRIMARY KEY AUTOINCREMENT, photo_id INTEGER NOT NULL,
  face_index INTEGER NOT NULL, bbox_x REAL, bbox_y REAL, bbox_w REAL, bbox_h REAL,
  embedding BLOB NOT NULL, person_id INTEGER {faces},
  UNIQUE (photo_id, face_index));
CREATE TABLE face_thumbs (id INTEGER PRIMARY KEY AUTOINCREMENT, face_id INTEGER NOT NULL UNIQUE,
  thumb_path TEXT NOT NULL);
"""
USERS = """
CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT UNIQUE NOT NULL, email TEXT UNIQUE,
  password_hash TEXT NOT NULL, role TEXT NOT NULL, is_active BOOLEAN DEFAULT 1,
  is_whitelisted BOOLEAN DEFAULT 0, whitelisted_at TEXT, whitelisted_by INTEGER, created_at TEXT,
  last_login TEXT);
"""
LATEST = {
    "photos": ", media_type TEXT, width INTEGER, height INTEGER",
    "embeddings": ", model TEXT",
    "tags": ", source TEXT",
    "faces": ", assigned_by TEXT",
}


def unit_vector(seed: int, dimensions: int = 512) -> bytes:
    """float32 of length 1, as the old server stored them."""
    vector = np.random.default_rng(seed).normal(size=dimensions).astype("<f4")
    return bytes((vector / np.linalg.norm(vector)).astype("<f4").tobytes())


@dataclass
class OldServer:
    """The database and the files of a legacy server, filled by the test."""

    root: Path
    schema: str = "fastapi"
    ids: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.files.mkdir(parents=True)
        extra = LATEST if self.schema == "latest" else dict.fromkeys(LATEST, "")
        self.connection = sqlite3.connect(self.database)
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.executescript(SCHEMA.format(**extra))
        if self.schema != "flask":
            self.connection.executescript(USERS)

    @property
    def database(self) -> Path:
        return self.root / "photo.db"

    @property
    def files(self) -> Path:
        return self.root / "storage"

    @property
    def arguments(self) -> list[str]:
        """Of the commands, to read the files from the folder."""
        return ["--sqlite", str(self.database), "--path", str(self.files)]

    def insert(self, table: str, **values: Any) -> int:
        """A row; its id."""
        marks = ", ".join("?" * len(values))
        query = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"
        row_id = self.connection.execute(query, list(values.values())).lastrowid
        self.connection.commit()
        assert row_id is not None
        return row_id

    def put(self, key: str, data: bytes) -> None:
        path = self.files / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def photo(self, key: str, data: bytes | None = None, *, stored: bool = True, **values: Any) -> int:
        """A photo's row and (when `stored`) its file; a picture of its own unless `data` says otherwise."""
        data = picture(key) if data is None else data
        if stored:
            self.put(key, data)
        row = {
            "size": len(data),
            "created_at": "2023-03-04T05:06:07",
            "checksum": hashlib.sha1(data, usedforsecurity=False).hexdigest(),
            "phash": "8000000000000001",
            "exif_datetime": "2023-03-01T10:00:00",
            **values,
        }
        self.ids[key] = self.insert("photos", file_path=key, **row)
        return self.ids[key]

    def face(self, photo_id: int, index: int = 0, *, box: Any = (8, 6, 16, 12), **values: Any) -> int:
        x, y, width, height = box or (None,) * 4
        values = {"embedding": unit_vector(1000 * photo_id + index), "person_id": None, **values}
        return self.insert(
            "faces",
            photo_id=photo_id,
            face_index=index,
            bbox_x=x,
            bbox_y=y,
            bbox_w=width,
            bbox_h=height,
            **values,
        )

    def embedding(self, photo_id: int, *, dim: int = 512, seed: int | None = None, **values: Any) -> int:
        values.setdefault("vector", unit_vector(photo_id if seed is None else seed))
        return self.insert("embeddings", photo_id=photo_id, dim=dim, **values)

    def tag(self, photo_id: int, tag: str, score: float = 0.25, **values: Any) -> int:
        return self.insert("tags", photo_id=photo_id, tag=tag, score=score, **values)

    def fill(self, photos: int, *, bytes_each: int = 0, year: int = 2023) -> None:
        """Ordinary photos, each with a face, a tag and a vector; noise after the picture makes them large."""
        anna = self.insert("persons", name="anna")
        for number in range(photos):
            key = f"photos/{year}/{1 + number % 12:02d}/IMG_{number:05d}.jpg"
            padding = np.random.default_rng(number).bytes(max(0, bytes_each - 1000)) if bytes_each else b""
            photo_id = self.photo(key, picture(key) + padding)
            self.face(photo_id, person_id=anna)
            self.tag(photo_id, "sunset")
            self.embedding(photo_id)


def picture(name: str, *, orientation: int | None = None, width: int = 64, height: int = 48) -> bytes:
    """A small JPEG, another one for each name."""
    from PIL import Image

    shade = hashlib.sha256(name.encode()).digest()
    image = Image.new("RGB", (width, height), tuple(shade[:3]))
    image.paste(tuple(shade[3:6]), (4, 4, 24, 20))
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    exif[0x010E] = name
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif.tobytes())
    return buffer.getvalue()
