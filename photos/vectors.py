"""One partial HNSW index per model version: vectors of different models never meet."""

from django.db import connection, models


def ensure_hnsw_index(model: type[models.Model], *, column: str, version_id: int, dimensions: int) -> None:
    """Create the cosine index over `model.vector` where `column` is `version_id`, unless it exists.

    Built on the empty version, so it grows with it. m and ef_construction are pgvector's defaults (16, 64).
    """
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f'CREATE INDEX IF NOT EXISTS "{table}_hnsw_{int(version_id)}" ON "{table}" '
            f"USING hnsw ((vector::halfvec({int(dimensions)})) halfvec_cosine_ops) "
            f'WHERE "{column}" = {int(version_id)}'
        )
