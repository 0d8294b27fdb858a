"""Where a detector sees faces: boxes and landmarks before they are described. Knows pixels only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np

from faces.geometry import Floats, Rgb, overlap
from faces.tiling import is_crowd, tiles_of

MIN_TURNED_SCORE = 0.65  # turned textures reach 0.62 on pictures without people
TURNED_ADVANTAGE = 0.05  # by which a turned picture must show a surer face than the upright one
OVERLAP_IS_SAME_FACE = 0.4
CONTAINED_IS_SAME_FACE = 0.7
MIN_SCORE_IN_BOX = 0.3  # somebody said that a face is there
OVERLAP_OF_DRAWN_BOX = 0.25

Box = tuple[float, float, float, float]  # x1, y1, x2, y2 in fractions of the upright picture

# Where the landmarks of an upright face lie in its box, when nothing better is known.
TYPICAL_LANDMARKS = np.array([[0.31, 0.40], [0.69, 0.40], [0.50, 0.60], [0.35, 0.79], [0.65, 0.79]])


@dataclass(frozen=True, eq=False)
class Candidate:
    """A box (x1, y1, x2, y2), landmarks (5, 2) in pixels of the picture, and the detector's score."""

    box: Floats
    landmarks: Floats
    score: float


def without_duplicates(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Best first; a box that overlaps a better one or lies inside it is the same face at another scale."""
    kept: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda c: (-c.score, *c.box.tolist())):
        overlaps = (overlap(candidate.box, better.box) for better in kept)
        if not any(iou > OVERLAP_IS_SAME_FACE or inside > CONTAINED_IS_SAME_FACE for iou, inside in overlaps):
            kept.append(candidate)
    return kept


def _upright(candidate: Candidate, quarter_turns: int, height: int, width: int) -> Candidate:
    """Bring a candidate found in `np.rot90(picture, quarter_turns)` back to the picture of height x width."""
    corners = candidate.box.reshape(2, 2)
    points = np.concatenate([corners, candidate.landmarks])
    for turn in range(quarter_turns):
        # rot90 turned a picture W wide counter-clockwise: (x, y) there came from (W - y, x).
        turned_width = width if (quarter_turns - turn) % 2 else height
        points = np.stack([turned_width - points[:, 1], points[:, 0]], axis=1)
    low, high = points[:2].min(axis=0), points[:2].max(axis=0)
    return Candidate(np.concatenate([low, high]), points[2:], candidate.score)


class Look(Enum):
    """How closely a detector looks at a picture."""

    CLOSE = "at every scale it knows faces of"
    QUICK = "once, at middle scale: enough to tell which way is up"
    FULL_SIZE = "once, without scaling: for a tile"


class Finder(Protocol):
    """A detector."""

    def __call__(self, picture: Rgb, min_score: float, look: Look = Look.CLOSE) -> list[Candidate]: ...


def search(
    find: Finder, picture: Rgb, min_score: float, sure_score: float, tile_side: int
) -> list[Candidate]:
    """Faces of a picture; when none is sure, also of the quarter turns, because scans lose their orientation.

    A face that lies on its side is found as well, but with a lower score and landmarks in the wrong places.
    A crowd is looked at once more in tiles of `tile_side` pixels.
    """
    turns, found = best_turn(find, picture, min_score, sure_score)
    if is_crowd([shorter_side(candidate.box) for candidate in found]):
        found = without_duplicates([*found, *_in_tiles(find, _turned(picture, turns), min_score, tile_side)])
    height, width = picture.shape[:2]
    return [_upright(candidate, turns, height, width) for candidate in found]


def best_turn(find: Finder, picture: Rgb, min_score: float, sure_score: float) -> tuple[int, list[Candidate]]:
    """By how many quarter turns faces stand upright, and those found in the turned picture."""
    found = find(picture, min_score)
    best = _best_score(found)
    if best >= sure_score:
        return 0, found
    strict = max(min_score, MIN_TURNED_SCORE, best + TURNED_ADVANTAGE)
    scores = {turns: _best_score(find(_turned(picture, turns), strict, Look.QUICK)) for turns in (1, 2, 3)}
    turns = max(scores, key=lambda turns: scores[turns])
    return (turns, find(_turned(picture, turns), min_score)) if scores[turns] else (0, found)


def _in_tiles(find: Finder, picture: Rgb, min_score: float, side: int) -> Iterator[Candidate]:
    height, width = picture.shape[:2]
    for tile in tiles_of(height, width, side):
        part = np.ascontiguousarray(picture[tile.top : tile.bottom, tile.left : tile.right])
        corner = np.array([tile.left, tile.top], dtype=np.float64)
        for found in find(part, min_score, Look.FULL_SIZE):
            if not tile.cuts(found.box):
                yield Candidate(found.box + np.tile(corner, 2), found.landmarks + corner, found.score)


def located(
    find: Finder, picture: Rgb, box: Box, landmarks: Sequence[Sequence[float]], score: float
) -> Candidate:
    """A box that somebody drew or another detector found, with landmarks in pixels of the picture."""
    height, width = picture.shape[:2]
    size = np.array([width, height], dtype=np.float64)
    corners = np.array(box, dtype=np.float64).reshape(2, 2) * size
    if len(landmarks) == len(TYPICAL_LANDMARKS):
        return Candidate(corners.ravel(), np.array(landmarks, dtype=np.float64) * size, score)
    margin = (corners[1] - corners[0]) / 2
    low = np.floor(np.maximum(corners[0] - margin, 0)).astype(int)
    high = np.ceil(np.minimum(corners[1] + margin, size)).astype(int)
    part = np.ascontiguousarray(picture[low[1] : high[1], low[0] : high[0]])
    shift = np.concatenate([low, low]).astype(np.float64)
    for found in find(part, MIN_SCORE_IN_BOX):
        if overlap(found.box + shift, corners.ravel())[0] >= OVERLAP_OF_DRAWN_BOX:
            return Candidate(corners.ravel(), found.landmarks + low, found.score)
    return Candidate(corners.ravel(), corners[0] + TYPICAL_LANDMARKS * (corners[1] - corners[0]), score)


def _turned(picture: Rgb, quarter_turns: int) -> Rgb:
    return np.ascontiguousarray(np.rot90(picture, quarter_turns))


def _best_score(candidates: Sequence[Candidate]) -> float:
    return max((candidate.score for candidate in candidates), default=0.0)


def shorter_side(box: Floats) -> float:
    return float(min(box[2] - box[0], box[3] - box[1]))
