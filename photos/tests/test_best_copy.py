"""Which copy to keep."""

from datetime import datetime
from typing import Any

import pytest

from photos.stacks.best_copy import Best, Copy, best_of


def copy(pk: int, **facts: Any) -> Copy:
    return Copy(pk=pk, **({"pixels": 12_000_000, "size": 4_000_000} | facts))


@pytest.mark.parametrize(
    ("better", "reason"),
    [
        ({"pixels": 24_000_000}, "most pixels"),
        ({"is_raw": True}, "raw file"),
        ({"has_camera": True}, "has camera data"),
        ({"taken_at": datetime(2024, 5, 1)}, "has its time of exposure"),
        ({"has_place": True}, "has its place"),
        ({"size": 5_000_000}, "largest file"),
    ],
)
def test_what_has_more_in_it_is_better(better: dict[str, Any], reason: str) -> None:
    assert best_of([copy(1), copy(2, **better)]) == Best(2, reason)


def test_pixels_go_before_camera_data() -> None:
    assert best_of([copy(1, has_camera=True), copy(2, pixels=20_000_000)]) == Best(2, "most pixels")


def test_what_hardly_differs_is_no_reason() -> None:
    assert best_of([copy(1), copy(2, pixels=12_010_000, size=4_010_000)]) == Best(1, "came first")


def test_several_reasons_are_told() -> None:
    copies = [copy(1, pixels=1_000), copy(2), copy(3, has_camera=True)]
    assert best_of(copies) == Best(3, "most pixels, has camera data")
