"""Fields of parameters and bodies that DRF takes too generously."""

import math
from typing import Any

from rest_framework import serializers

MAX_ID = 2**63 - 1


class FiniteFloatField(serializers.FloatField):
    """A number: neither NaN nor infinite, and not `true`."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool):
            self.fail("invalid")
        try:
            value: float = super().to_internal_value(data)
        except OverflowError:
            self.fail("invalid")
        if not math.isfinite(value):
            self.fail("invalid")
        return value


class IdField(serializers.IntegerField):
    """The id of a row."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=MAX_ID, **options)


class WordsField(serializers.CharField):
    """What to look for: none by default, without blanks around it and what PostgreSQL cannot take."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, default="", allow_blank=True, **options)

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(data).replace("\0", "").strip()


class TextField(serializers.CharField):
    """Text; a number or a boolean is none."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)
