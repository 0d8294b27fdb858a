"""Where a crowd is looked at once more."""

from itertools import pairwise

import numpy as np
import pytest

from faces.candidates import Candidate, Look, search
from faces.geometry import Rgb, overlap
from faces.tiling import MOST_TILES, OVERLAP, is_crowd, tiles_of


def test_few_or_large_faces_are_no_crowd() -> None:
    assert not is_crowd([])
    assert not is_crowd([30.0, 30.0, 30.0])
    assert not is_crowd([200.0] * 30)
    assert is_crowd([30.0, 200.0, 30.0, 30.0, 30.0])


@pytest.mark.parametrize(("height", "width"), [(1066, 1600), (1600, 900), (3000, 4000), (1281, 1280)])
def test_tiles_cover_the_picture_and_overlap(height: int, width: int) -> None:
    covered = np.zeros((height, width), dtype=np.uint8)
    tiles = tiles_of(height, width, 1280)
    for tile in tiles:
        assert tile.right - tile.left <= 1280
        assert tile.bottom - tile.top <= 1280
        covered[tile.top : tile.bottom, tile.left : tile.right] += 1
    assert covered.min() == 1
    columns = sorted({(tile.left, tile.right) for tile in tiles})
    for (_, right), (left, _) in pairwise(columns):
        assert right - left >= int(1280 * OVERLAP) - 1


def test_a_picture_that_is_one_tile_needs_none_and_a_huge_one_is_too_dear() -> None:
    assert tiles_of(1280, 900, 1280) == []
    assert tiles_of(1280 * MOST_TILES, 1280 * MOST_TILES, 1280) == []


def test_a_crowd_across_the_seams_is_found_once_each() -> None:
    """A detector that knows squares of one grey each, and sees at full size only: 300 on a 1:1 picture."""
    crowd = np.zeros((1500, 2000, 3), dtype=np.uint8)
    places = [(x, y) for x in range(5, 1980, 100) for y in range(5, 1480, 100)]
    for number, (x, y) in enumerate(places):
        crowd[y : y + 24, x : x + 24] = 1 + number % 250

    def find(picture: Rgb, min_score: float, look: Look = Look.CLOSE) -> list[Candidate]:
        grey = picture[:, :, 0]
        step = 100 if look is Look.CLOSE else 1  # the whole picture shows every hundredth row only
        found: list[Candidate] = []
        for y, x in np.argwhere((grey > 0) & (np.roll(grey, 1, 0) != grey) & (np.roll(grey, 1, 1) != grey)):
            high, wide = (grey[y : y + 24, x] > 0).sum(), (grey[y, x : x + 24] > 0).sum()
            if x % step < 10 and y % step < 10 and (look is not Look.CLOSE or len(found) < 8):
                box = np.array([x, y, x + wide, y + high], dtype=np.float64)
                found.append(Candidate(box, np.tile(box[:2], (5, 1)), 0.9))
        return found

    found = search(find, crowd, 0.5, 0.8, 640)
    assert len(found) == len(places) == 300
    assert max(overlap(a.box, b.box)[0] for n, a in enumerate(found) for b in found[:n]) == 0
    assert {(int(c.box[0]), int(c.box[1])) for c in found} == set(places)
    assert all(c.box[2] - c.box[0] == 24 == c.box[3] - c.box[1] for c in found)
