"""Crowds: where to look again, in overlapping tiles of a picture at its full size. Knows rectangles only.

Detectors take pictures of limited size, so a large one is scaled down, and faces of 20 pixels fall below what
detectors were trained on. A tile costs a pass of its own: they are for pictures with many small faces.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from faces.geometry import Floats

OVERLAP = 0.2  # of two tiles; larger faces are found in the whole picture
MOST_TILES = 24
SMALL_FACE = 56  # pixels of the shorter side
CROWD = 4  # so many small faces
EDGE = 2  # pixels from the edge of its tile at which a face is cut


def is_crowd(sides: Sequence[float]) -> bool:
    """Whether faces with these shorter sides, in pixels, have others beside them that are easily missed."""
    return sum(side < SMALL_FACE for side in sides) >= CROWD


@dataclass(frozen=True)
class Tile:
    """A part of a picture, in pixels; which of its edges are the picture's own."""

    left: int
    top: int
    right: int
    bottom: int
    width: int  # of the picture
    height: int

    def cuts(self, box: Floats) -> bool:
        """Whether an inner edge goes through a face found here, in pixels of the tile: a neighbour has it."""
        x1, y1, x2, y2 = box
        return bool(
            (x1 < EDGE and self.left > 0)
            or (y1 < EDGE and self.top > 0)
            or (x2 > self.right - self.left - EDGE and self.right < self.width)
            or (y2 > self.bottom - self.top - EDGE and self.bottom < self.height)
        )


def tiles_of(height: int, width: int, side: int) -> list[Tile]:
    """Tiles that cover the picture; none when it is one tile itself, or needs more than is affordable."""
    tiles = [
        Tile(left, top, min(left + side, width), min(top + side, height), width, height)
        for top in starts(height, side)
        for left in starts(width, side)
    ]
    return tiles if 1 < len(tiles) <= MOST_TILES else []


def starts(length: int, side: int) -> list[int]:
    """Where tiles begin that cover a length, evenly spread, with at least the wanted overlap."""
    if length <= side:
        return [0]
    steps = -(-(length - side) // round(side * (1 - OVERLAP)))
    return [step * (length - side) // steps for step in range(steps + 1)]
