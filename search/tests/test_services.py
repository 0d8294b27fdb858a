"""Ranking in the database: exact and by index, only what the user may see, in one stable order."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.apps import apps

from photos.models import Library, Photo
from photos.vectors import ensure_hnsw_index
from search import services
from search.models import EncoderVersion, PhotoEmbedding, TextEmbedding

pytestmark = pytest.mark.django_db
DIMENSIONS = 8


@pytest.fixture
def encoder() -> EncoderVersion:
    version: EncoderVersion = EncoderVersion.objects.create(version="test:1", dimensions=DIMENSIONS)
    ensure_hnsw_index(PhotoEmbedding, column="encoder_id", version_id=version.pk, dimensions=DIMENSIONS)
    return version


def towards(angle: float) -> Any:
    """A unit vector at this angle (radians) to the first axis."""
    vector = np.zeros(DIMENSIONS, dtype=np.float32)
    vector[:2] = np.cos(angle), np.sin(angle)
    return vector


def embed(encoder: EncoderVersion, ids: list[int], angles: list[float]) -> None:
    PhotoEmbedding.objects.bulk_create(
        PhotoEmbedding(photo_id=pk, encoder=encoder, vector=towards(angle))
        for pk, angle in zip(ids, angles, strict=True)
    )


def find(user: Any, encoder: EncoderVersion, photos: Any = None) -> list[int]:
    return list(
        services.nearest_photos(user=user, vector=towards(0), encoder=encoder, limit=10, photos=photos)
    )


@pytest.mark.parametrize("exact_limit", [20_000, 0])
def test_the_nearest_come_first_by_scan_and_by_index(
    alice: Any,
    encoder: EncoderVersion,
    photo_rows: Callable[[int], list[int]],
    monkeypatch: Any,
    exact_limit: int,
) -> None:
    monkeypatch.setattr(services, "EXACT_SCAN_LIMIT", exact_limit)
    ids = photo_rows(4)
    embed(encoder, ids, [0.9, 0.1, 0.5, 1.4])
    assert find(alice, encoder) == [ids[1], ids[2], ids[0], ids[3]]


def test_equal_scores_keep_the_order_of_ids(
    alice: Any, encoder: EncoderVersion, photo_rows: Callable[[int], list[int]]
) -> None:
    ids = photo_rows(5)
    embed(encoder, ids, [0.3] * 5)
    assert find(alice, encoder) == sorted(ids)


def test_charlie_finds_nothing_in_alices_library(
    charlie: Any, encoder: EncoderVersion, photo_rows: Callable[[int], list[int]]
) -> None:
    embed(encoder, photo_rows(2), [0.1, 0.2])
    assert find(charlie, encoder) == []


def test_what_lies_in_the_trash_is_not_found(
    alice: Any, encoder: EncoderVersion, photo_rows: Callable[[int], list[int]]
) -> None:
    ids = photo_rows(2)
    embed(encoder, ids, [0.1, 0.2])
    Photo.objects.filter(pk=ids[0]).move_to_trash()
    assert find(alice, encoder) == ids[1:]


def test_vectors_of_another_version_never_meet(
    alice: Any, encoder: EncoderVersion, photo_rows: Callable[[int], list[int]]
) -> None:
    ids = photo_rows(2)
    other = EncoderVersion.objects.create(version="test:2", dimensions=DIMENSIONS)
    embed(encoder, ids[:1], [0.1])
    embed(other, ids[1:], [0.0])
    assert find(alice, encoder) == ids[:1]


def test_a_selective_filter_still_gives_all_that_fit(
    alice: Any,
    encoder: EncoderVersion,
    library: Library,
    photo_rows: Callable[[int], list[int]],
    monkeypatch: Any,
) -> None:
    monkeypatch.setattr(services, "EXACT_SCAN_LIMIT", 5)
    ids = photo_rows(60)
    embed(encoder, ids, [0.01 * place for place in range(60)])
    rare = ids[50:]
    assert find(alice, encoder, photos=Photo.objects.filter(pk__in=rare)) == rare


def test_a_query_asked_again_costs_no_model(monkeypatch: Any) -> None:
    choice = services.encoder_choice()
    version = services.encoder_version(choice)
    vector = np.zeros(version.dimensions, dtype=np.float32)
    services.keep_query(services.Query("a dog", vector, cutoff=0.4))
    kept = services.find_query(services.normalize_query("  A  Dog "))
    assert kept is not None
    assert (kept.cutoff, kept.encoder) == (0.4, version)
    services.keep_query(services.Query("a dog", vector, cutoff=0.4))
    assert TextEmbedding.objects.count() == 1


def test_only_the_newest_queries_are_kept(encoder: EncoderVersion, monkeypatch: Any) -> None:
    monkeypatch.setattr(services, "KEPT_QUERIES", 2)
    for text in ("a dog", "boats", "a red car", "snow"):
        TextEmbedding.objects.create(encoder=encoder, text=text, vector=towards(0), cutoff=0.4)
    assert services.forget_old_queries() == 2
    assert set(TextEmbedding.objects.values_list("text", flat=True)) == {"a red car", "snow"}
    assert services.forget_old_queries() == 0


def test_old_queries_are_forgotten_each_day() -> None:
    Schedule = apps.get_model("django_q", "Schedule")
    assert Schedule.objects.filter(func="search.services.forget_old_queries", schedule_type="D").exists()


def test_each_version_has_a_partial_index_that_the_planner_uses(
    alice: Any, encoder: EncoderVersion, photo_rows: Callable[[int], list[int]]
) -> None:
    from django.db import connection
    from django.db.models.functions import Cast
    from pgvector.django import CosineDistance, HalfVectorField

    embed(encoder, photo_rows(3), [0.1, 0.2, 0.3])
    distance = CosineDistance(Cast("vector", HalfVectorField(dimensions=DIMENSIONS)), towards(0))
    rows = PhotoEmbedding.objects.filter(encoder=encoder).annotate(distance=distance).order_by("distance")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
    assert f"search_photoembedding_hnsw_{encoder.pk}" in rows[:2].explain()


def test_similar_photos_come_nearest_first_without_the_photo_itself(
    alice: Any, photo_rows: Callable[[int], list[int]]
) -> None:
    choice = services.encoder_choice()
    version = services.encoder_version(choice)
    ids = photo_rows(3)
    for pk, angle in zip(ids, (0.0, 0.5, 0.2), strict=True):
        vector = np.zeros(version.dimensions, dtype=np.float32)
        vector[:2] = np.cos(angle), np.sin(angle)
        PhotoEmbedding.objects.create(photo_id=pk, encoder=version, vector=vector)
    hits = services.similar_photos(user=alice, photo=Photo.objects.get(pk=ids[0]), limit=5)
    assert hits is not None
    assert [hit.photo_id for hit in hits] == [ids[2], ids[1]]
