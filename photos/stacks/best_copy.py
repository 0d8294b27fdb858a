"""Which of several copies of a picture to keep, and why. Pure: facts in, words out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

ALMOST = 1.02
"""Of pixels or bytes, less than two per cent more is no reason."""


@dataclass(frozen=True)
class Copy:
    """`taken_at` is None when no camera said it."""

    pk: int
    pixels: int
    size: int
    is_raw: bool = False
    has_camera: bool = False
    has_place: bool = False
    taken_at: datetime | None = None


@dataclass(frozen=True)
class Best:
    pk: int
    reason: str


def best_of(copies: Sequence[Copy]) -> Best:
    """The copy with the most in it, and what put it before the others."""
    left = list(copies)
    reasons = []
    for reason, measure in CRITERIA:
        top = max(measure(copy) for copy in left)
        staying = [copy for copy in left if measure(copy) * ALMOST >= top]
        if len(staying) < len(left):
            reasons.append(reason)
        left = staying
        if len(left) == 1:
            break
    first = min(left, key=lambda copy: copy.pk)
    if len(left) > 1:
        reasons.append("came first")
    return Best(first.pk, ", ".join(reasons))


CRITERIA: tuple[tuple[str, Callable[[Copy], float]], ...] = (
    ("most pixels", lambda copy: copy.pixels),
    ("raw file", lambda copy: copy.is_raw),
    ("has camera data", lambda copy: copy.has_camera),
    ("has its time of exposure", lambda copy: copy.taken_at is not None),
    ("has its place", lambda copy: copy.has_place),
    ("largest file", lambda copy: copy.size),
)
