"""Which faces are near which, from the vector index."""

from collections.abc import Collection

import numpy as np
from django.db import connection, transaction

from faces.agglomeration import Ints, Settings
from faces.clustering import Faces
from faces.models import FaceModelVersion

EXACT_UP_TO = 20_000  # so many faces are compared with each other in seconds
BATCH = 2000

NEAREST = """
SELECT seed.face_id, near.face_id
FROM faces_faceembedding seed CROSS JOIN LATERAL (
    SELECT face_id, vector::halfvec({dimensions}) <=> seed.vector::halfvec({dimensions}) AS distance
    FROM faces_faceembedding found WHERE model_id = {version} {among}
    ORDER BY vector::halfvec({dimensions}) <=> seed.vector::halfvec({dimensions}) LIMIT {count}
) near
WHERE seed.model_id = {version} AND seed.face_id = ANY(%s)
  AND near.distance <= %s AND near.face_id <> seed.face_id
"""
# As a subquery for one row: a join could be planned so that the order of the index is lost.
IN_LIBRARY = """
AND (SELECT photo.library_id FROM faces_face face JOIN photos_photo photo ON photo.id = face.photo_id
     WHERE face.id = found.face_id) = {library}
"""


def walk_index_until_enough() -> None:
    """Until the transaction ends, the index goes on when other libraries' faces fill its first answer."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL hnsw.iterative_scan = strict_order")


def nearest_faces(
    library_id: int, seeds: Collection[int], version: FaceModelVersion, settings: Settings
) -> set[int]:
    """Ids of the faces of the library that may be the same person as one of the seeds: one query for each.

    Called in a transaction.
    """
    if not seeds:
        return set()
    walk_index_until_enough()
    sql = nearest_sql(version, settings.neighbours, IN_LIBRARY.format(library=int(library_id)))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # a plan for one seed would read them all
        cursor.execute(sql, [list(seeds), 1 - settings.lowest])
        found = {near for _, near in cursor.fetchall()}
        cursor.execute("SET LOCAL enable_seqscan = on")
    return found


def nearest_sql(version: FaceModelVersion, count: int, among: str = "") -> str:
    return NEAREST.format(
        dimensions=int(version.dimensions), version=int(version.pk), count=count + 1, among=among
    )


def candidate_pairs(faces: Faces, version: FaceModelVersion, settings: Settings) -> Ints | None:
    """Pairs of face ids (e, 2) worth comparing, one index query a good face; None for “compare all”."""
    if len(faces) <= EXACT_UP_TO:
        return None
    seeds = faces.ids[faces.quality >= settings.good_quality].tolist()
    sql = nearest_sql(version, settings.neighbours)
    found = [np.empty((0, 2), dtype=np.int64)]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for start in range(0, len(seeds), BATCH):
            cursor.execute(sql, [seeds[start : start + BATCH], 1 - settings.lowest])
            found.append(np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 2))
    return np.concatenate(found)
