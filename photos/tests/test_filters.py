"""Which photos a filter finds, and what clients may write as one."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import QueryDict

from photos.api.errors import Unprocessable, validated
from photos.api.filter_fields import FilterFields, filter_from
from photos.filters import MOST_JOINS, Box, PhotoFilter
from photos.models import Album, AlbumPhoto, Library, Photo, PhotoStep, Tag

Rows = Callable[[int], list[int]]


@pytest.fixture
def pair(photo_rows: Rows) -> list[int]:
    """Two photos; tests change the first."""
    return photo_rows(2)


def found(wanted: PhotoFilter) -> list[int]:
    return sorted(wanted.apply(Photo.objects.all()).values_list("pk", flat=True))


def change(pk: int, **values: Any) -> None:
    Photo.objects.filter(pk=pk).update(**values)


def test_an_empty_filter_finds_everything(pair: list[int]) -> None:
    assert found(PhotoFilter()) == pair


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"is_favorite": True}, PhotoFilter(is_favorite=True)),
        ({"is_archived": True}, PhotoFilter(is_archived=True)),
        ({"rating": 4}, PhotoFilter(min_rating=3)),
        ({"city": "Arezzo"}, PhotoFilter(city="arezzo")),
        ({"country": "Italy", "country_code": "IT"}, PhotoFilter(country="ITALY")),
        ({"country": "Italy", "country_code": "IT"}, PhotoFilter(country="it")),
        ({"camera_model": "X100V"}, PhotoFilter(camera="x100v")),
        ({"camera_make": "Fujifilm"}, PhotoFilter(camera="FUJIFILM")),
        ({"mime_type": "video/mp4"}, PhotoFilter(mime_type="video")),
        ({"mime_type": "image/heic"}, PhotoFilter(mime_type="image/heic")),
        ({"latitude": 48.0, "longitude": 11.0}, PhotoFilter(has_place=True)),
        ({"latitude": 48.0, "longitude": 11.0}, PhotoFilter(boxes=(Box(47, 10, 49, 12),))),
        ({"latitude": -17.0, "longitude": 179.5}, PhotoFilter(boxes=(Box(-20, 170, -10, -170),))),
        (
            {"taken_at": datetime(2001, 2, 3, tzinfo=UTC)},
            PhotoFilter(taken_before=datetime(2001, 2, 4, tzinfo=UTC)),
        ),
        (
            {"taken_at": datetime(2999, 2, 3, tzinfo=UTC)},
            PhotoFilter(taken_from=datetime(2999, 2, 3, tzinfo=UTC)),
        ),
    ],
)
def test_a_filter_finds_what_fits(pair: list[int], values: dict[str, Any], wanted: PhotoFilter) -> None:
    assert found(wanted) == []
    change(pair[0], **values)
    assert found(wanted) == [pair[0]]


def test_a_photo_lies_in_all_boxes(pair: list[int]) -> None:
    change(pair[0], latitude=1.0, longitude=1.0)
    change(pair[1], latitude=1.0, longitude=3.0)
    assert found(PhotoFilter(boxes=(Box(0, 0, 2, 4), Box(0, 2, 2, 4)))) == [pair[1]]


def test_the_opposite_of_a_mark_finds_the_rest(pair: list[int]) -> None:
    change(pair[0], is_favorite=True, latitude=1.0, longitude=1.0)
    assert found(PhotoFilter(is_favorite=False)) == [pair[1]]
    assert found(PhotoFilter(has_place=False)) == [pair[1]]


def test_all_tags_must_be_there_in_any_case(pair: list[int]) -> None:
    Tag.objects.create(photo_id=pair[0], name="Sea")
    Tag.objects.create(photo_id=pair[0], name="summer")
    Tag.objects.create(photo_id=pair[1], name="sea")
    assert found(PhotoFilter(tags=("SEA",))) == pair
    assert found(PhotoFilter(tags=("sea", "Summer"))) == [pair[0]]


def test_an_album_or_a_library_may_be_asked_for(pair: list[int], library: Library) -> None:
    album = Album.objects.create(library=library, name="Trip")
    AlbumPhoto.objects.create(album=album, photo_id=pair[1])
    assert found(PhotoFilter(album=album.pk)) == [pair[1]]
    assert found(PhotoFilter(library=library.pk)) == pair
    assert found(PhotoFilter(library=library.pk + 1)) == []


def test_the_state_of_a_step_may_be_asked_for(pair: list[int]) -> None:
    PhotoStep.objects.create(photo_id=pair[0], step="embedding", status="failed")
    PhotoStep.objects.create(photo_id=pair[1], step="embedding", status="done")
    PhotoStep.objects.create(photo_id=pair[1], step="faces", status="failed")
    assert found(PhotoFilter(step="embedding", step_status="failed")) == [pair[0]]
    assert found(PhotoFilter(step_status="failed")) == pair
    assert found(PhotoFilter(step="faces")) == [pair[1]]


def parsed(query: str) -> PhotoFilter:
    return filter_from(validated(FilterFields, QueryDict(query)))


def test_no_parameters_ask_for_nothing() -> None:
    assert parsed("") == PhotoFilter()


def test_parameters_become_a_filter() -> None:
    query = (
        "taken_from=2024-01-31&taken_to=2024-02-29&person=1&person=2&tag=sea&album=3&library=4&camera=X100V"
        "&box=-1.5,2,3,4&bbox=2,-1,4,9&type=image/heic&min_rating=3&favorite=true&archived=0&has_gps=1&step=embedding"
        "&step_status=failed&city=Arezzo&country=IT"
    )
    assert parsed(query) == PhotoFilter(
        taken_from=datetime(2024, 1, 31, tzinfo=UTC),
        taken_before=datetime(2024, 3, 1, tzinfo=UTC),
        people=(1, 2),
        tags=("sea",),
        album=3,
        library=4,
        boxes=(Box(-1.5, 2, 3, 4), Box(-1, 2, 9, 4)),
        city="Arezzo",
        country="IT",
        camera="X100V",
        mime_type="image/heic",
        min_rating=3,
        is_favorite=True,
        is_archived=False,
        has_place=True,
        step="embedding",
        step_status="failed",
    )


def test_the_same_as_an_object() -> None:
    bound = FilterFields(data={"person": [1], "favorite": False, "taken_to": "9999-12-31"})
    assert bound.is_valid()
    wanted = filter_from(bound.validated_data)
    assert wanted.people == (1,)
    assert wanted.is_favorite is False
    assert wanted.taken_before == datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "query",
    [
        *("person=0", "person=-1", "person=x", "person=9223372036854775808", "person=1.5", "person=NaN"),
        *("album=0", "album=99999999999999999999", "library=-1", "min_rating=6", "min_rating=NaN"),
        *("box=1,2,3", "box=3,0,1,0", "box=NaN,0,1,1", "box=0,0,1,1e999", "box=-91,0,0,0", "box=0,181,0,0"),
        *(
            "bbox=1,2,3",
            "bbox=0,3,0,1",
            "bbox=0,0,1,91",
            "bbox=-181,0,0,0",
            "bbox=0,0,1,1,1",
            "bbox= 1,2,3,4",
        ),
        *("taken_from=yesterday", "taken_to=2024-02-30", "taken_from=10000-01-01", "taken_from=2024-01-01Z"),
        *("taken_from=2024-01-01T00:00:00%2B01:00", "taken_to=%00", "tag=%00", "tag=", "camera=%00"),
        *("step=nothing", "step_status=ended", "type=IMAGE/%25", "favorite=perhaps", "has_gps=2"),
        f"tag={'x' * 201}",
        "&".join(["tag=a"] * 21),
    ],
)
def test_what_is_no_filter_is_refused_with_the_field(query: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        validated(FilterFields, QueryDict(query))
    assert list(refused.value.fields) == [query.partition("=")[0]]


def test_many_tags_and_people_are_asked_for_without_as_many_joins(pair: list[int]) -> None:
    """PostgreSQL planned forty joins for seconds, whatever was in the library."""
    names = [f"tag {number}" for number in range(20)]
    Tag.objects.bulk_create(
        Tag(photo_id=pk, name=name) for pk in pair for name in names[: 19 + (pk == pair[0])]
    )
    assert found(PhotoFilter(tags=tuple(names))) == pair[:1]
    assert found(PhotoFilter(tags=(*names[:19], "TAG 1", "tag 1"))) == pair
    assert found(PhotoFilter(tags=(*names, "another"))) == []
    wanted = PhotoFilter(tags=tuple(names), people=tuple(range(1, 21)), album=1)
    [explained] = json.loads(wanted.apply(Photo.objects.all()).explain(format="json"))
    assert joins(explained["Plan"]) <= 2 * MOST_JOINS


def joins(plan: dict[str, Any]) -> int:
    """Of tables that are planned together; what is asked for each row apart is a plan of its own."""
    within = [part for part in plan.get("Plans", []) if part["Parent Relationship"] in ("Outer", "Inner")]
    return ("Join Type" in plan) + sum(map(joins, within))
