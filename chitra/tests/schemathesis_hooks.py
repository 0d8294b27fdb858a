"""Values of the formats that the API's schema names and JSON Schema does not know, for schemathesis."""

import base64
import os
from datetime import date, datetime

import schemathesis
from hypothesis import strategies

MOMENTS = strategies.datetimes(datetime(1900, 1, 1), datetime(2020, 1, 1)).map(
    lambda moment: moment.isoformat(timespec="seconds")
)
DAYS = strategies.dates().map(lambda day: day.isoformat())
BIRTHS = (date(1900, 1, 1), date(2020, 1, 1))
CURSOR = base64.urlsafe_b64encode(b"2024-01-01T00:00:00_7").decode().rstrip("=")
LETTERS = strategies.characters(categories=["L", "N"])


@strategies.composite
def boxes(draw: strategies.DrawFn, form: str) -> str:
    south, north = sorted(draw(strategies.tuples(*[strategies.integers(-90, 90)] * 2)))
    west, east = draw(strategies.tuples(*[strategies.integers(-180, 180)] * 2))
    return form.format(south=south, west=west, north=north, east=east)


schemathesis.openapi.format("geo-box", boxes("{south},{west},{north},{east}"))
schemathesis.openapi.format("geo-bbox", boxes("{west},{south},{east},{north}"))
schemathesis.openapi.format("day-or-wall-clock", strategies.one_of(DAYS, MOMENTS))
schemathesis.openapi.format("past-wall-clock", MOMENTS)
schemathesis.openapi.format("person-name", strategies.text(LETTERS, min_size=1, max_size=20))
schemathesis.openapi.format("password", strategies.uuids().map(str))
schemathesis.openapi.format("birth-date", strategies.dates(*BIRTHS).map(lambda day: day.isoformat()))
schemathesis.openapi.format("cursor", strategies.sampled_from(["", CURSOR]))
schemathesis.openapi.format("server-folder", strategies.just(os.environ["FUZZ_FOLDER"]))
