"""Perceptual hashes in SQL: how far two are apart, and the index by which near ones are found."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import Func, IntegerField

from photos.look_alikes.hash_bands import BAND_BITS, BANDS, BUCKETS


class HashBands(Func):
    """The bands of a hash as numbers, each told apart by its place; as `hash_bands.bands_of` makes them."""

    arity = 1
    output_field = ArrayField(IntegerField())
    template = (
        "ARRAY["
        + ", ".join(
            f"(((%(expressions)s >> {BAND_BITS * band}) & {BUCKETS - 1}) + {band << BAND_BITS})::integer"
            for band in range(BANDS)
        )
        + "]"
    )


class HashDistance(Func):
    """Number of bits in which a hash differs from this one, 0 to 64."""

    output_field = IntegerField()
    template = "bit_count((%(expressions)s)::bit(64))::integer"
    arg_joiner = " # "
    arity = 2

    def __init__(self, column: str, value: Any) -> None:
        super().__init__(column, value)
