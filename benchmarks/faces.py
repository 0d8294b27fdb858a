"""What a new face costs in a library of many: `python -m benchmarks.faces [10000 100000]`.

Made-up people of 5 to 100 faces each; faces of one person have a cosine of about 0.6, those of two near 0.
Reported for each size: building the vector index, placing new faces (one nearest-neighbour query each, four
photos at a time as the step does), grouping the whole library anew, which needs no index, and the first page
of the people.
"""

import argparse
import struct
import time
from typing import Any

import numpy as np

from benchmarks.stage import insert_like, interleaved, own_chitra, print_table, resident_megabytes

DIMENSIONS = 512
THRESHOLD = 0.40
NOISE = 0.8  # length of what makes two faces of one person differ, against a centre of length 1
NEW_PHOTOS = 200
BLOCK = 10_000


class Crowd:
    """Vectors of made-up people."""

    def __init__(self, faces: int) -> None:
        self.random = np.random.default_rng(faces)
        sizes = self.random.integers(5, 100, size=faces // 5)
        self.people = np.repeat(np.arange(len(sizes)), sizes)[:faces]
        self.centres = unit(self.random.standard_normal((self.people.max() + 1, DIMENSIONS), np.float32))

    def vectors(self, people: Any) -> Any:
        noise = unit(self.random.standard_normal((len(people), DIMENSIONS), np.float32))
        return unit(self.centres[people] + NOISE * noise)


def unit(vectors: Any) -> Any:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def fill(crowd: Crowd) -> tuple[int, Any]:
    """A library with these faces, each on its own photo and put to its person; its id and the version."""
    from faces.models import FaceModelVersion
    from photos.models import Library

    library = Library.objects.create(name=f"{len(crowd.people)} faces")
    version = FaceModelVersion.objects.create(version=f"made-up:{library.pk}", dimensions=DIMENSIONS)
    first_person = insert_people(library.pk, int(crowd.people.max()) + 1)
    for start in range(0, len(crowd.people), BLOCK):
        people = crowd.people[start : start + BLOCK]
        first_face = insert_faces(library.pk, [int(first_person + person) for person in people])
        copy_vectors(first_face, version.pk, crowd.vectors(people))
    return library.pk, version


def insert_people(library_id: int, count: int) -> int:
    from faces.models import Person

    rows = Person.objects.bulk_create([Person(library_id=library_id) for _ in range(count)], batch_size=5000)
    return int(rows[0].pk)


def insert_faces(library_id: int, people: list[int | None]) -> int:
    """Rows with consecutive ids, each on a photo of its own; the first face's."""
    from django.utils import timezone

    from faces.models import Face
    from photos.models import Photo

    key = f"{library_id}/{people[0]}/{time.time_ns()}"
    photo = Photo(library_id=library_id, original_name="a.jpg", mime_type="image/jpeg", size=1)
    photo.taken_at = timezone.now()
    unique = f"md5(concat('{key}', n))"
    first_photo = insert_like(
        photo,
        len(people),
        original_key=f"concat('{key}/', n)",
        checksum=f"concat({unique}, {unique})",
        sha1=f"concat({unique}, '00000000')",
        uuid="gen_random_uuid()",
    )
    face = Face(x1=0.1, y1=0.1, x2=0.3, y2=0.3, detection_score=0.9, quality=0.9)
    face.assigned_by = "machine" if people[0] else ""
    ids = ",".join(str(person or "NULL") for person in people)
    return insert_like(
        face, len(people), photo_id=f"{first_photo} + n", person_id=f"(ARRAY[{ids}]::bigint[])[n + 1]"
    )


def copy_vectors(first_face: int, version_id: int, vectors: Any) -> None:
    """By binary COPY, the rows put together by numpy."""
    from django.db import connection

    row = np.dtype(
        [
            ("columns", ">i2"),
            ("face_bytes", ">i4"),
            ("face", ">i8"),
            ("model_bytes", ">i4"),
            ("model", ">i8"),
            ("vector_bytes", ">i4"),
            ("dimensions", ">i2"),
            ("reserved", ">i2"),
            ("vector", ">f2", DIMENSIONS),
        ]
    )
    rows = np.zeros(len(vectors), dtype=row)
    rows["columns"], rows["face_bytes"], rows["model_bytes"] = 3, 8, 8
    rows["vector_bytes"] = 4 + 2 * DIMENSIONS
    rows["face"], rows["model"] = np.arange(first_face, first_face + len(vectors)), version_id
    rows["dimensions"], rows["vector"] = DIMENSIONS, vectors
    with connection.cursor() as cursor:
        copy_sql = "COPY faces_faceembedding (face_id, model_id, vector) FROM STDIN (FORMAT binary)"
        with cursor.copy(copy_sql) as copy:
            copy.write(
                b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0) + rows.tobytes() + struct.pack(">h", -1)
            )


def build_index(version: Any) -> float:
    """Seconds, with memory enough for all of it. The index of the product grows face by face."""
    from django.db import connection

    from faces.models import FaceEmbedding
    from photos.vectors import ensure_hnsw_index

    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '3GB'")
    started = time.perf_counter()
    ensure_hnsw_index(FaceEmbedding, column="model_id", version_id=version.pk, dimensions=DIMENSIONS)
    seconds = time.perf_counter() - started
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return seconds


def place(library_id: int, version: Any, crowd: Crowd) -> tuple[float, float]:
    """Faces a second, and the share put to their own person's faces."""
    from faces.grouping import place_new_faces
    from faces.models import Face

    people = crowd.random.choice(crowd.people, NEW_PHOTOS)
    first = insert_faces(library_id, [None] * NEW_PHOTOS)
    copy_vectors(first, version.pk, crowd.vectors(people))
    photos = list(Face.objects.filter(pk__gte=first).order_by("pk").values_list("photo_id", flat=True))
    started = time.perf_counter()
    for start in range(0, NEW_PHOTOS, 4):
        place_new_faces(library_id, photos[start : start + 4], version, threshold=THRESHOLD)
    seconds = time.perf_counter() - started
    placed = Face.objects.filter(pk__gte=first, person__isnull=False).count()
    return NEW_PHOTOS / seconds, placed / NEW_PHOTOS


def first_page(library_id: int) -> float:
    """Milliseconds for the people of the first page: who is on most photos, with their covers."""
    from chitra.accounts.models import User
    from faces.views.people import page_of, shown_people
    from photos.models import Membership

    user = User.objects.create_user(email=f"{library_id}@example.org")
    Membership.objects.create(library_id=library_id, user=user, role="viewer")
    people = shown_people(user, "").on_photos().by_photos()
    return 1000 * interleaved({"page": lambda _: page_of(people, 1)}, 3)["page"]


def measure(faces: int) -> list[str]:
    from faces.reclustering import plan_recluster

    crowd = Crowd(faces)
    library_id, version = fill(crowd)
    index_seconds = build_index(version)
    speed, placed = place(library_id, version, crowd)
    placing_megabytes = resident_megabytes()
    started = time.perf_counter()
    plan = plan_recluster(library_id, version, THRESHOLD)
    seconds = time.perf_counter() - started
    return [
        f"{faces:,}",
        f"{index_seconds:.0f} s",
        f"{speed:.0f}",
        f"{placed:.0%}",
        f"{placing_megabytes:.0f} MB",
        f"{seconds:.0f} s",
        f"{resident_megabytes():.0f} MB",
        f"{plan['summary']['moved']:,}",
        f"{first_page(library_id):.0f} ms",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sizes", nargs="*", type=int, default=[10_000, 100_000])
    sizes = parser.parse_args().sizes
    with own_chitra():
        rows = [measure(size) for size in sizes]
    print_table(
        "Faces in the library",
        ["faces", "index", "placed/s", "placed", "memory", "plan", "memory", "moves", "people page"],
        rows,
    )


if __name__ == "__main__":
    main()
