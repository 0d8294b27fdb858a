"""The map: which photos are one cluster, who sees them, and the edges of the world."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from photos.filters import Box
from photos.map_clusters import MOST_CELLS, Grid, column, northern_edge, row, shares
from photos.models import Library, Photo

ClientOf = Callable[[Any], Client]
Rows = Callable[[int], list[int]]
WORLD = "-180,-90,180,90"


@pytest.fixture
def client(client_of: ClientOf, alice: Any, library: Library) -> Client:
    """Alice's program."""
    return client_of(alice)


@pytest.fixture
def at(photo_rows: Rows) -> Callable[..., list[int]]:
    """Photos at these places (latitude, longitude); their ids."""

    def put(*places: tuple[float, float], **values: Any) -> list[int]:
        ids = photo_rows(len(places))
        for pk, (latitude, longitude) in zip(ids, places, strict=True):
            Photo.objects.filter(pk=pk).update(latitude=latitude, longitude=longitude, **values)
        return ids

    return put


def clusters(client: Client, bbox: str = WORLD, zoom: int = 0, query: str = "") -> list[dict[str, Any]]:
    answer = client.get(f"/api/photos/map?bbox={bbox}&zoom={zoom}{query}")
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["clusters"]
    return found


def counts(client: Client, bbox: str = WORLD, zoom: int = 0, query: str = "") -> list[int]:
    return [cluster["count"] for cluster in clusters(client, bbox, zoom, query)]


# Arithmetic


def test_the_grid_of_the_whole_world() -> None:
    grid = Grid.of(Box(-90, -180, 90, 180), 0)
    assert grid.longitudes() == [-180, -90, 0, 90]
    assert grid.latitudes() == pytest.approx([-66.51326, 0, 66.51326])


@pytest.mark.parametrize("zoom", [0, 3, 12, 22])
def test_rows_begin_where_they_should(zoom: int) -> None:
    size = 4 << zoom
    for number in (0, 1, size // 3, size // 2, size - 1):
        edge = northern_edge(number, size)
        below = northern_edge(number + 1, size)
        assert row((edge + below) / 2, size) == number


def test_edges_of_the_world_are_in_the_cells_at_its_edge() -> None:
    assert (column(-180, 16), column(180, 16)) == (0, 15)
    assert (row(90, 16), row(85.06, 16), row(-85.06, 16), row(-90, 16)) == (0, 0, 15, 15)


def test_a_large_box_at_a_high_zoom_gets_larger_cells() -> None:
    for box in (Box(-90, -180, 90, 180), Box(0, -180, 0, 180), Box(-90, 0, 90, 0), Box(-5, 170, 5, -170)):
        grid = Grid.of(box, 22)
        assert len(grid.longitudes()) * len(grid.rows) <= MOST_CELLS
        finer = 4 << (grid.zoom + 1)
        columns = sum(column(part.east, finer) - column(part.west, finer) + 1 for part in box.parts())
        assert columns * (row(box.south, finer) - row(box.north, finer) + 1) > MOST_CELLS


def test_a_box_across_the_date_line_has_the_columns_of_both_sides() -> None:
    assert Grid.of(Box(-1, 179, 1, -179), 1).longitudes() == [-180, 135]
    assert Grid.of(Box(-1, 180, 1, -180), 1).longitudes() == [-180, 135]


@pytest.mark.parametrize(
    "box", [Box(-90, -180, 90, 180), Box(1, 5, 2, 5), Box(1, 5, 2, 5.000000000000001), Box(0, 179, 1, -179)]
)
def test_the_shares_of_a_box_are_the_box_and_share_nothing(box: Box) -> None:
    first, *rest = shares(box)
    assert (first.west, (rest or [first])[-1].east) == (box.west, box.east)
    for other in rest:
        assert first.west <= first.east
        assert other.west <= other.east
        assert first.east < other.west or (first.east, other.west) == (180, -180)


# Clusters


def test_photos_in_one_cell_are_one_cluster(client: Client, at: Any) -> None:
    one, two, three = at((48.8, 2.2), (48.9, 2.4), (40.7, -74.0), city="Paris")
    Photo.objects.filter(pk__in=(one, two)).update(has_renditions=True)
    Photo.objects.filter(pk=three).update(city="New York City")
    paris, new_york = clusters(client, zoom=3)
    assert paris == {
        "latitude": pytest.approx(48.85),
        "longitude": pytest.approx(2.3),
        "count": 2,
        "photo_id": two,
        "city": "Paris",
        "bbox": [2.2, 48.8, 2.4, 48.9],
    }
    assert (new_york["count"], new_york["photo_id"], new_york["city"]) == (1, None, "")
    assert new_york["bbox"] == [-74.0, 40.7, -74.0, 40.7]


def test_a_cluster_comes_apart_at_a_higher_zoom(client: Client, at: Any) -> None:
    at((48.8, 2.2), (48.9, 2.4))
    assert counts(client, zoom=3) == [2]
    assert counts(client, zoom=12) == [2]  # of the world, hence no finer than the answer may be
    assert counts(client, "2,48,3,49", zoom=12) == [1, 1]


def test_the_answer_says_at_which_zoom_it_is(client: Client) -> None:
    assert client.get(f"/api/photos/map?bbox={WORLD}&zoom=3").json() == {"zoom": 3, "clusters": []}
    assert client.get(f"/api/photos/map?bbox={WORLD}&zoom=22").json()["zoom"] == 4


def test_the_bbox_of_a_cluster_finds_its_photos_in_the_list(client: Client, at: Any) -> None:
    ids = at((48.123456789012345, 2.1), (48.2, 1 / 3), (48.3, 2e-7))
    at((50, 9))
    (cluster,) = clusters(client, "0,48,3,49", 4)
    bbox = ",".join(map(str, cluster["bbox"]))
    found = client.get(f"/api/photos?bbox={bbox}").json()
    assert sorted(item["id"] for item in found["items"]) == ids
    assert found["total"] == cluster["count"] == 3


def test_the_map_takes_the_filters_of_the_list(client: Client, at: Any) -> None:
    one, two = at((48.8, 2.2), (48.9, 2.4))
    Photo.objects.filter(pk=one).update(is_favorite=True)
    Photo.objects.filter(pk=two).update(is_archived=True)
    assert counts(client) == [2]
    assert counts(client, query="&favorite=true") == [1]
    assert counts(client, query="&archived=false") == [1]
    assert counts(client, query="&box=48.85,2,49,3") == [1]
    assert counts(client, query="&stacked=true&tag=none") == []


def test_photos_where_the_box_is_halved_are_counted_once(client: Client, at: Any) -> None:
    at((1, 0), (1, 0), (1, -1e-300), (1, 1e-300))
    assert counts(client, "-10,0,10,10", 0) == [3, 1]
    assert counts(client, "0,0,0,10", 0) == [2]


def test_photos_without_a_place_are_on_no_map(client: Client, photo_rows: Rows) -> None:
    photo_rows(3)
    assert clusters(client) == []


def test_a_cluster_is_one_query_however_many_there_are(
    client: Client, at: Any, django_assert_num_queries: Any, alice: Any
) -> None:
    at(*((latitude, longitude) for latitude in range(-80, 81, 40) for longitude in range(-170, 171, 40)))
    client.get("/api/auth/me")  # writes when the key was last used
    with django_assert_num_queries(2):  # the key, and the map
        assert len(clusters(client, zoom=4)) == 45


# The edges of the world


def test_the_date_line_is_crossed(client: Client, at: Any) -> None:
    at((-17, 179.5), (-17, -179.5), (-17, 0))
    found = clusters(client, "179,-18,-179,-16", 6)
    assert sorted(cluster["longitude"] for cluster in found) == [-179.5, 179.5]
    assert counts(client, "-179,-18,179,-16", 6) == [1]


def test_each_side_of_the_date_line_is_a_cluster_of_its_own(client: Client, at: Any) -> None:
    at((0, 180), (0, 179.99), (0, -180), (0, -179.99))
    found = clusters(client, "170,-10,-170,10", 5)
    assert [cluster["bbox"] for cluster in found] == [[-180, 0, -179.99, 0], [179.99, 0, 180, 0]]


@pytest.mark.parametrize("pole", [90, -90])
def test_the_poles_are_in_the_cells_at_the_edge(client: Client, at: Any, pole: int) -> None:
    at((pole, 10), (pole * 0.99, 11), (pole * 0.95, 11))
    (cluster,) = clusters(client, zoom=2)
    assert cluster["count"] == 3
    assert abs(cluster["latitude"]) <= 90


# Whose


def test_nobody_else_sees_them(
    client_of: ClientOf, at: Any, alice: Any, bob: Any, charlie: Any, share_with: Any
) -> None:
    at((48.8, 2.2))
    share_with(bob, "viewer")
    assert counts(client_of(alice)) == counts(client_of(bob)) == [1]
    assert counts(client_of(charlie)) == []
    assert Client().get(f"/api/photos/map?bbox={WORLD}&zoom=0").status_code == 401


def test_the_trash_is_on_no_map(client: Client, at: Any) -> None:
    one, _ = at((48.8, 2.2), (48.8, 2.2))
    Photo.objects.filter(pk=one).move_to_trash()
    assert counts(client) == [1]


# Nonsense


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("zoom=0", "bbox"),
        (f"bbox={WORLD}", "zoom"),
        ("bbox=1,2,3&zoom=0", "bbox"),
        ("bbox=-180,90,180,-90&zoom=0", "bbox"),
        ("bbox=-180,-90,180,NaN&zoom=0", "bbox"),
        (f"bbox={WORLD}&zoom=23", "zoom"),
        (f"bbox={WORLD}&zoom=-1", "zoom"),
        (f"bbox={WORLD}&zoom=1.5", "zoom"),
        (f"bbox={WORLD}&zoom=0&favorite=perhaps", "favorite"),
    ],
)
def test_nonsense_is_refused_with_the_field(client: Client, query: str, field: str) -> None:
    answer = client.get(f"/api/photos/map?{query}")
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid")
    assert list(answer.json()["fields"]) == [field]
