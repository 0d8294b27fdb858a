"""The timeline as columns, what a collection consists of, and which files are there already."""

import json
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import Count
from django.db.models.functions import TruncMonth

from photos.buckets import bucket_columns, bucket_counts, in_month
from photos.models import Library, Photo
from photos.presence import known_checksums
from photos.statistics import statistics_of


def taken(pk: int, year: int, month: int, day: int = 1) -> None:
    Photo.objects.filter(pk=pk).update(taken_at=datetime(year, month, day, 12, tzinfo=UTC))


def test_months_are_counted_newest_first(photo_rows: Any, django_assert_num_queries: Any) -> None:
    for pk, month in zip(photo_rows(3), (5, 6, 5), strict=True):
        taken(pk, 2024, month)
    with django_assert_num_queries(1):
        assert bucket_counts(Photo.objects.all()) == [
            {"month": "2024-06", "count": 1},
            {"month": "2024-05", "count": 2},
        ]


def test_a_month_ends_before_the_next(photo_rows: Any) -> None:
    one, two, three = photo_rows(3)
    Photo.objects.filter(pk=one).update(taken_at=datetime(2024, 5, 1, tzinfo=UTC))
    Photo.objects.filter(pk=two).update(taken_at=datetime(2024, 5, 31, 23, 59, 59, tzinfo=UTC))
    Photo.objects.filter(pk=three).update(taken_at=datetime(2024, 6, 1, tzinfo=UTC))
    found = in_month(Photo.objects.all(), datetime(2024, 5, 1, tzinfo=UTC))
    assert set(found.values_list("pk", flat=True)) == {one, two}


def test_the_last_month_there_is(photo_rows: Any) -> None:
    (pk,) = photo_rows(1)
    taken(pk, 9999, 12, 31)
    assert in_month(Photo.objects.all(), datetime(9999, 12, 1, tzinfo=UTC)).get().pk == pk


def test_columns_have_one_length_and_one_order(photo_rows: Any, django_assert_num_queries: Any) -> None:
    one, two = photo_rows(2)
    taken(one, 2024, 5, 2)
    taken(two, 2024, 5, 3)
    Photo.objects.filter(pk=one).update(width=300, height=200, thumbhash=b"\x01" * 25)
    with django_assert_num_queries(1):
        columns = json.loads(bucket_columns(Photo.objects.all()))
    assert columns == {
        "count": 2,
        "id": [two, one],
        "ratio": [1, 1.5],
        "thumbhash": ["", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ=="],
        "time": ["2024-05-03T12:00:00", "2024-05-02T12:00:00"],
    }


def test_no_photos_are_empty_columns(db: None) -> None:
    assert json.loads(bucket_columns(Photo.objects.all()))["id"] == []


# Statistics


def test_statistics_count_in_a_constant_number_of_queries(
    photo_rows: Any, django_assert_num_queries: Any
) -> None:
    for pk in photo_rows(5):
        taken(pk, 2020 + pk % 2, 1)
    Photo.objects.update(camera_model="X100V", latitude=1, longitude=1)
    with django_assert_num_queries(6):
        found = statistics_of(Photo.objects.filter(deleted_at=None), Photo.objects.exclude(deleted_at=None))
    assert (found["photos"], found["bytes"], found["with_place"]) == (5, 5, 5)
    assert found["by_camera"] == [{"name": "X100V", "photos": 5, "bytes": 5}]
    assert found["by_type"] == [{"name": "image/jpeg", "photos": 5, "bytes": 5}]
    assert [row["name"] for row in found["by_year"]] == ["2021", "2020"]
    assert found["trash"] == {"photos": 0, "bytes": 0}


def test_statistics_of_nothing(db: None) -> None:
    found = statistics_of(Photo.objects.all(), Photo.objects.all())
    assert (found["photos"], found["first_taken_at"], found["by_year"]) == (0, None, [])


# Presence


def test_checksums_that_are_there_are_told_with_their_photos(
    library: Library, add_photo: Any, django_assert_num_queries: Any
) -> None:
    one, two = add_photo(seed=1), add_photo(seed=2)
    Photo.objects.filter(pk=two.pk).move_to_trash()
    with django_assert_num_queries(1):
        known = known_checksums(library, [one.checksum, two.sha1, "0" * 64, "0" * 40])
    assert known == {
        one.checksum: {"photo_id": one.pk, "trashed": False},
        two.sha1: {"photo_id": two.pk, "trashed": True},
    }


def test_another_library_knows_nothing(library: Library, add_photo: Any) -> None:
    other = Library.objects.create(name="Other")
    assert known_checksums(other, [add_photo().checksum]) == {}


def test_postgresql_knows_that_many_photos_share_a_month(photo_rows: Any) -> None:
    """Else it sorts a million photos by month instead of counting as it reads."""
    for number, pk in enumerate(photo_rows(40)):
        taken(pk, 2024, 1 + number % 2, 1 + number // 2)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE photos_photo")
    months = Photo.objects.annotate(month=TruncMonth("taken_at", tzinfo=UTC)).values("month")
    plan = json.loads(months.annotate(count=Count("pk")).order_by().explain(format="json"))
    assert plan[0]["Plan"]["Plan Rows"] == 2
