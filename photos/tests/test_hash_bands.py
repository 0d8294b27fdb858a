"""Near hashes by bands: the same that comparing all with all finds."""

from itertools import combinations

import numpy as np
import pytest

from photos.hashing import hamming_distance
from photos.look_alikes import hash_bands
from photos.look_alikes.hash_bands import bands_of, groups_of, near_bands, pairs_within


def hashes(count: int) -> "np.ndarray[tuple[int], np.dtype[np.uint64]]":
    """Random ones, each fourth with a neighbour some bits away."""
    chance = np.random.default_rng(3)
    values = chance.integers(0, 2**64, count, dtype=np.uint64)
    for at in range(0, count - 1, 4):
        bits = chance.choice(64, chance.integers(0, 13), replace=False)
        for bit in bits:
            values[at + 1] = values[at] if bit == bits[0] else values[at + 1]
        for bit in bits:
            values[at + 1] ^= np.uint64(1) << np.uint64(bit)
    return values


def test_bands_are_told_apart_by_their_place() -> None:
    assert bands_of(0x0001_0002_0003_0004) == [4, 0x10003, 0x20002, 0x30001]
    assert bands_of(-1) == bands_of(2**64 - 1)


@pytest.mark.parametrize("max_distance", [0, 3, 4, 6, 8, 11])
def test_near_hashes_share_a_near_band(max_distance: int) -> None:
    values = [int(value) for value in hashes(200)]
    for a, b in combinations(values, 2):
        if hamming_distance(a, b) <= max_distance:
            assert set(bands_of(b)) & set(near_bands(a, max_distance=max_distance))


@pytest.mark.parametrize("max_distance", [0, 3, 4, 6, 8, 11])
def test_pairs_are_those_that_comparing_all_with_all_finds(
    max_distance: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hash_bands, "_PAIRS_AT_ONCE", 10)
    values = hashes(400)
    found = {
        (int(a), int(b))
        for left, right in pairs_within(values, max_distance=max_distance)
        for a, b in zip(left, right, strict=True)
    }
    expected = {
        (a, b)
        for a, b in combinations(range(len(values)), 2)
        if hamming_distance(int(values[a]), int(values[b])) <= max_distance
    }
    assert found == expected


def test_pairs_become_groups() -> None:
    assert groups_of([(5, 9), (1, 2), (2, 7), (8, 9)]) == [[5, 8, 9], [1, 2, 7]]
    assert groups_of([]) == []
