"""What becomes of a row, decided from values alone: no database, no file."""

import mimetypes
import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chitra.legacy import cases
from chitra.legacy.boxes import Box, Shape, turn_box
from chitra.legacy.cases import Ending
from chitra.legacy.rows import EmbeddingRow, FaceRow, PhotoRow, TagRow
from faces.services import SAME_FACE_OVERLAP, intersection_over_union
from photos.file_check import QUARANTINE
from photos.storages.folders import is_folder_key

FACE_DIMENSIONS = 512
FACE_VERSION = "legacy:buffalo_l"
MAX_TAG_CHARACTERS = 200
FIRST_YEAR, LAST_YEAR = 1826, 9998
MAX_KEY_CHARACTERS = 500
MAX_NAME_BYTES = 200  # file systems take 255, some of which the storage's temporary names need
MACHINE_NAME = re.compile(r"Person \d+$")
PHASH = re.compile(r"[0-9a-f]{16}$")
SHA1 = re.compile(r"[0-9a-f]{40}$")
PICTURE_SUFFIXES = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".png",
        ".bmp",
        ".webp",
        ".tif",
        ".tiff",
        ".gif",
        ".heic",
        ".heif",
        ".arw",
        ".cr2",
        ".cr3",
        ".nef",
        ".rw2",
        ".orf",
        ".raf",
        ".dng",
        ".srw",
        ".pef",
        ".mp4",
        ".mov",
        ".m4v",
        ".webm",
        ".mkv",
        ".avi",
    ]
)

FileClass = Literal["original", "thumbnail", "face thumbnail", "playback copy"]


# ---------------------------------------------------------------- files and keys


def class_of(key: str) -> FileClass:
    """What a file of the old storage is, by its place; everything unknown may be an original."""
    if key.startswith(("thumbnails/faces/", ".faces/", "faces/")):
        return "face thumbnail"
    if key.startswith(("thumbnails/", ".thumbs/")):
        return "thumbnail"
    return "playback copy" if key.startswith("videos/playback/") else "original"


def is_local_path(path: str) -> bool:
    """Whether a row names a file of the old server's disk instead of a storage key."""
    return path.startswith("/") or re.match(r"[A-Za-z]:[\\/]", path) is not None


def is_safe_key(key: str) -> bool:
    """Whether a legacy key can be a key here as it is, in any storage."""
    parts = key.split("/")
    return (
        0 < len(key) <= MAX_KEY_CHARACTERS
        and key.isprintable()
        and "\\" not in key
        and all(0 < len(part.encode("utf-8", "replace")) <= MAX_NAME_BYTES for part in parts)
        and not any(part in (".", "..") for part in parts)
        and not is_folder_key(key)
        and not key.startswith(QUARANTINE)
        and posixpath.normpath(key) == key
    )


def has_known_suffix(key: str) -> bool:
    return posixpath.splitext(key)[1].lower() in PICTURE_SUFFIXES


def mime_of_name(name: str) -> str:
    """The type a name claims, for bytes that say nothing themselves."""
    return (mimetypes.guess_type(name)[0] or "application/octet-stream")[:50]


def checksum_agrees(row_checksum: str, sha1: str) -> bool:
    """False when the row tells of other bytes; a row without a usable checksum agrees with any."""
    return not SHA1.match(row_checksum) or row_checksum == sha1


# ---------------------------------------------------------------- photo


def perceptual_hash(text: str) -> int | None:
    """The 16 hex digits as a signed 64-bit number; None for an empty or broken one."""
    if not PHASH.match(text):
        return None
    value = int(text, 16)
    return value - (1 << 64) if value >= 1 << 63 else value


def wall_clock(text: str) -> datetime | None:
    """`YYYY-MM-DDTHH:MM:SS` or EXIF's `YYYY:MM:DD HH:MM:SS`, written as if UTC; None for anything else."""
    match = re.match(r"(\d{4})[-:](\d\d)[-:](\d\d)[T ](\d\d):(\d\d):(\d\d)", text)
    if match is None:
        return None
    try:
        moment = datetime(*(int(part) for part in match.groups()), tzinfo=UTC)  # type: ignore[misc,arg-type]
    except ValueError:
        return None
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None


def place(row: PhotoRow) -> tuple[float | None, float | None]:
    """Degrees north and east, or none of them when one is missing or impossible."""
    latitude, longitude = row.latitude, row.longitude
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None, None
    return latitude, longitude


# ---------------------------------------------------------------- tags


@dataclass
class TagDraft:
    score: float
    by_machine: bool
    is_new: bool = True
    is_changed: bool = False


def plan_tags(rows: Sequence[TagRow], known: dict[str, TagDraft]) -> list[tuple[TagRow, str, Ending]]:
    """Merge rows into the photo's tags (`known` is changed): each row with its tag's name and ending."""
    return [(row, *_plan_tag(row, known)) for row in rows]


def _plan_tag(row: TagRow, known: dict[str, TagDraft]) -> tuple[str, Ending]:
    name = row.tag[:MAX_TAG_CHARACTERS]
    if not name:
        return "", cases.left_out("empty_tag")
    if name in known:
        draft = known[name]
        if row.score > draft.score:
            draft.score, draft.is_changed = row.score, True
        return name, cases.duplicate("same_tag")
    known[name] = TagDraft(row.score, by_machine=bool(row.source) or row.score < 1)
    return name, cases.imported("tag_shortened", row.tag) if name != row.tag else cases.IMPORTED


# ---------------------------------------------------------------- vectors


def read_vector(data: bytes, dimensions: int | None) -> NDArray[np.float32] | None:
    """Little-endian float32 made to length 1; None when size, values or length are wrong."""
    if not dimensions or len(data) != 4 * dimensions:
        return None
    vector = np.frombuffer(data, dtype="<f4").astype(np.float32)
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length < 1e-6:
        return None
    return vector if abs(length - 1) < 1e-3 else vector / np.float32(length)


def encoder_version(row: EmbeddingRow) -> str:
    """Vectors of the old system are comparable with each other only."""
    return f"legacy:{row.model}"[:200]


def plan_embeddings(
    rows: Sequence[EmbeddingRow], known: set[str], dimensions: dict[str, int]
) -> list[tuple[EmbeddingRow, NDArray[np.float32] | None, Ending]]:
    """Each row of one photo with its vector when it is the one to keep: the newest readable of its model.

    `known` are versions the photo has already; `dimensions` those of every version, completed on the way.
    """
    planned: list[tuple[EmbeddingRow, NDArray[np.float32] | None, Ending]] = []
    taken = set(known)
    for row in sorted(rows, key=lambda row: -row.id):
        version = encoder_version(row)
        vector = read_vector(row.vector, row.dim)
        if vector is None or dimensions.setdefault(version, len(vector)) != len(vector):
            planned.append((row, None, cases.failed("bad_vector")))
        elif version in taken:
            planned.append((row, None, cases.duplicate("newer_vector")))
        else:
            taken.add(version)
            planned.append((row, vector, cases.IMPORTED))
    return planned


# ---------------------------------------------------------------- faces


@dataclass
class FaceDraft:
    """A face of a photo, there already or to be made. `source` is the row it comes from."""

    box: Box
    person_id: int | None = None
    by_person: bool = False
    pk: int | None = None
    source: FaceRow | None = None
    vector: Any = None
    is_changed: bool = False


@dataclass
class People:
    """The persons of the old system: their ids here, and which of them people named themselves."""

    ids: dict[int, int] = field(default_factory=dict)
    named: set[int] = field(default_factory=set)


def is_name_by_people(name: str) -> bool:
    """Clusters were called `Person <n>` by the machine; every other name was typed."""
    return not MACHINE_NAME.match(name)


def plan_faces(
    rows: Sequence[FaceRow], shape: Shape | None, people: People, known: list[FaceDraft]
) -> list[tuple[FaceRow, FaceDraft | None, Ending]]:
    """Faces of one photo, added to `known`. A row that repeats a face of before lends it its person."""
    before = list(known)
    planned: list[tuple[FaceRow, FaceDraft | None, Ending]] = []
    for row in rows:
        draft, ending = _plan_face(row, shape, people, before)
        if draft is not None and draft not in before:
            known.append(draft)
        planned.append((row, draft, ending))
    return planned


def _plan_face(
    row: FaceRow, shape: Shape | None, people: People, before: list[FaceDraft]
) -> tuple[FaceDraft | None, Ending]:
    if row.box is None:
        return None, cases.failed("no_box")
    if shape is None:
        return None, cases.failed("picture_unreadable")
    turned = turn_box(row.box, shape)
    if turned is None:
        return None, cases.failed("no_box")
    person_id = people.ids.get(row.person_id) if row.person_id is not None else None
    by_person = person_id is not None and is_by_person(row, people)
    same = next((face for face in before if is_same_face(face, turned.box)), None)
    if same is not None:
        lend_person(same, person_id, by_person)
        return same, cases.duplicate("same_face")
    vector = read_vector(row.embedding, FACE_DIMENSIONS)
    draft = FaceDraft(turned.box, person_id, by_person, source=row, vector=vector)
    if row.person_id is not None and person_id is None:
        return draft, cases.imported("person_gone")
    if vector is None:
        return draft, cases.imported("no_vector")
    return draft, cases.imported("box_clipped") if turned.was_clipped else cases.IMPORTED


def is_by_person(row: FaceRow, people: People) -> bool:
    """Whether people put the face to its person: newer schemas say it, else a typed name tells it."""
    return row.assigned_by == "manual" if row.assigned_by else row.person_id in people.named


def is_same_face(face: FaceDraft, box: Box) -> bool:
    return intersection_over_union(face.box, box) >= SAME_FACE_OVERLAP


def lend_person(face: FaceDraft, person_id: int | None, by_person: bool) -> None:
    """What people said wins over a machine and over nobody; never over what people said before."""
    if person_id is None or face.by_person or (face.person_id is not None and not by_person):
        return
    face.person_id, face.by_person, face.is_changed = person_id, by_person, True
