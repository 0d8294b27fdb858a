"""Fields of parameters and bodies, as strict as JSON is: DRF's take 0 for false and a number for a text.

The values of a query or a form are text whatever they mean (`SentText`). `lenient` and `json_text` let fields
take text in JSON as well, as clients of the old API may send it.
"""

import math
import re
from typing import Any, ClassVar

from rest_framework import serializers

from jobs.api_errors import SentText

MAX_ID = 2**63 - 1
ID_TEXT = r"^[1-9][0-9]{0,17}$"
SHARE_TEXT = r"^(0(\.[0-9]{1,17})?|1(\.0{1,17})?)$"  # 0 to 1


class Body(serializers.Serializer[Any]):
    # What is asked of fields together, in JSON Schema: for the API's description of itself.
    rules: ClassVar[dict[str, Any]] = {}


class FlagField(serializers.BooleanField):
    """true or false."""

    def __init__(self, *, lenient: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.lenient = lenient

    def to_internal_value(self, data: Any) -> Any:
        if not (isinstance(data, bool | SentText) or (self.lenient and isinstance(data, str | int))):
            self.fail("invalid", input=data)
        return super().to_internal_value(data)


class NumberField(serializers.Field[Any, Any, Any, Any]):
    """What numbers have in common; `true` is none."""

    json_types: ClassVar[tuple[type, ...]]
    text: ClassVar[re.Pattern[str]]

    def __init__(self, *, json_text: str = "", **options: Any) -> None:
        """`json_text` is a pattern of texts that are taken in JSON as well, as old clients may send them."""
        super().__init__(**options)
        self.json_text = json_text

    def to_internal_value(self, data: Any) -> Any:
        if not (self.is_number(data) or self.is_text_of_one(data)):
            self.fail("invalid")
        return super().to_internal_value(data)

    def is_number(self, data: Any) -> bool:
        return isinstance(data, self.json_types) and not isinstance(data, bool)

    def is_text_of_one(self, data: Any) -> bool:
        if isinstance(data, SentText):
            return bool(self.text.fullmatch(data))
        return isinstance(data, str) and self.json_text != "" and bool(re.match(self.json_text, data))


class WholeNumberField(NumberField, serializers.IntegerField):
    """A whole number; 2.0 is one."""

    json_types = (int,)
    text = re.compile(r"-?[0-9]{1,30}(\.0*)?")

    def is_number(self, data: Any) -> bool:
        return super().is_number(data) or (isinstance(data, float) and data.is_integer())

    def to_internal_value(self, data: Any) -> int:
        whole = int(data) if isinstance(data, float) and data.is_integer() else data
        return int(super().to_internal_value(whole))


class FiniteFloatField(NumberField, serializers.FloatField):
    """A number, neither NaN nor infinite."""

    json_types = (int, float)
    text = re.compile(r"-?([0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})([eE][+-]?[0-9]{1,3})?")

    def to_internal_value(self, data: Any) -> float:
        try:
            value: float = super().to_internal_value(data)
        except OverflowError:
            self.fail("invalid")
        if not math.isfinite(value):
            self.fail("invalid")
        return value


class IdField(WholeNumberField):
    """The id of a row."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=MAX_ID, **options)


class TextField(serializers.CharField):
    """Text; a number or a boolean is none. `schema_format` is the API's word for a form it has."""

    def __init__(self, *, schema_format: str = "", **options: Any) -> None:
        super().__init__(**options)
        self.schema_format = schema_format

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class EmailField(TextField, serializers.EmailField):
    pass


class WordsField(TextField):
    """What to look for: none by default."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, default="", allow_blank=True, **options)
