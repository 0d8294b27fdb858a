"""Photos on a map: what lies in one cell of a grid of 64 pixels is one cluster. One query counts them all.

The map is that of the web: Mercator, a square, 256 · 2^zoom pixels wide. So the grid has 4 · 2^zoom columns
from west to east and as many rows from north to south. What lies nearer to a pole than the map reaches is in
the row at its edge. No cell crosses the date line, and a zoom has the same cells whatever part is asked for.
"""

from dataclasses import dataclass, replace
from math import asinh, atan, degrees, inf, nextafter, pi, radians, sinh, tan
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from photos.filters import Box

MOST_ZOOM = 22
MOST_CELLS = 4096  # asked for at once; a screen of 3840 × 2160 pixels has 2040
COLUMNS_OF_PHOTOS = ("id", "latitude", "longitude", "has_renditions")

# The city is that of the photo that is shown.
CLUSTERS = """
SELECT coalesce(json_agg(json_build_object(
    'latitude', latitude, 'longitude', longitude, 'count', count, 'photo_id', photo_id,
    'city', coalesce((SELECT city FROM photos_photo WHERE id = photo_id), ''),
    'bbox', json_build_array(west, south, east, north)
) ORDER BY count DESC, longitude, latitude), '[]')::text
FROM (
    SELECT
        sum(latitude) / count(*) AS latitude, sum(longitude) / count(*) AS longitude,
        count(*) AS count, max(id) FILTER (WHERE has_renditions) AS photo_id,
        min(longitude) AS west, min(latitude) AS south, max(longitude) AS east, max(latitude) AS north
    FROM ({photos}) AS photo
    GROUP BY width_bucket(longitude, %s::float8[]), width_bucket(latitude, %s::float8[])
) AS cluster
"""


@dataclass(frozen=True)
class Grid:
    """The cells that a box touches: their columns on each side of the date line, and their rows."""

    zoom: int
    columns: tuple[range, ...]
    rows: range

    @classmethod
    def of(cls, box: Box, zoom: int) -> "Grid":
        """At this zoom, else at the next lower one at which there are at most MOST_CELLS."""
        size = 4 << zoom
        columns = tuple(range(column(part.west, size), column(part.east, size) + 1) for part in box.parts())
        rows = range(row(box.north, size), row(box.south, size) + 1)
        if zoom > 0 and sum(map(len, columns)) * len(rows) > MOST_CELLS:
            return cls.of(box, zoom - 1)
        return cls(zoom, columns, rows)

    def longitudes(self) -> list[float]:
        """Where each column begins, ascending."""
        return sorted(360 * at / (4 << self.zoom) - 180 for side in self.columns for at in side)

    def latitudes(self) -> list[float]:
        """Where a row ends and the next one begins, ascending."""
        return [northern_edge(at, 4 << self.zoom) for at in reversed(self.rows[1:])]


def column(longitude: float, size: int) -> int:
    """In which of `size` columns a longitude is; 180° is at the end of the last."""
    return min(int((longitude + 180) / 360 * size), size - 1)


def row(latitude: float, size: int) -> int:
    """In which of `size` rows a latitude is."""
    from_north = (1 - asinh(tan(radians(latitude))) / pi) / 2
    return min(max(int(from_north * size), 0), size - 1)


def northern_edge(row: int, size: int) -> float:
    """The latitude at which a row begins."""
    return degrees(atan(sinh(pi * (1 - 2 * row / size))))


def shares(box: Box) -> list[Box]:
    """The box in two: at the date line, else in the middle. Several processes of PostgreSQL count a union; of
    one table alone it expects as many clusters as photos, where they would not help.
    """
    middle = (box.west + box.east) / 2
    if not box.west < middle < box.east:
        return box.parts()
    return [replace(box, east=nextafter(middle, -inf)), replace(box, west=middle)]


def clusters_json(photos: QuerySet[Any], box: Box, grid: Grid) -> str:
    """Those of `photos` in `box`, the largest first: `[{latitude, longitude, count, photo_id, city, bbox}]`.

    Latitude and longitude are in the middle of the photos, `bbox` (west, south, east, north) is just around
    them; `photo_id` is the last that has a picture to show, else null.
    """
    parts = [
        photos.filter(part.condition()).order_by().values_list(*COLUMNS_OF_PHOTOS).query.sql_with_params()
        for part in shares(box)
    ]
    sql = CLUSTERS.format(photos=" UNION ALL ".join(statement for statement, _ in parts))
    parameters = [value for _, values in parts for value in values]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*parameters, grid.longitudes(), grid.latitudes()])
        text: str = cursor.fetchone()[0]
    return text
