"""Photos that look alike, by perceptual hash. Pure: numbers in, numbers out."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from photos.look_alikes.hash_bands import FARTHEST, pairs_within

Hashes = NDArray[np.uint64]
Labels = NDArray[np.int64]
FEW = 5000
"""As many are compared with each other faster than they are sorted into bands."""
LINKED_AT_ONCE = 1_000_000


def group_alike(hashes: Sequence[int], *, max_distance: int) -> list[list[int]]:
    """Positions of hashes (signed 64 bits) linked by steps of at most `max_distance` bits, 0 to 64.

    Transitive: two ends of a chain may differ more. Groups of two and more, largest first, each in order.
    Distant ones are found by comparing all with all, nearer ones by their bands.
    """
    values, inverse = np.unique(np.array(hashes, dtype=np.int64), return_inverse=True)
    is_near = len(values) > FEW and max_distance <= FARTHEST
    labels = (by_bands if is_near else by_comparing)(values.view(np.uint64), max_distance)
    members: dict[int, list[int]] = {}
    for position, group in enumerate(labels[inverse].tolist()):
        members.setdefault(group, []).append(position)
    groups = [group for group in members.values() if len(group) > 1]
    return sorted(groups, key=lambda group: (-len(group), group))


def by_bands(values: Hashes, max_distance: int) -> Labels:
    """For each of these distinct hashes the position of the first one of its group."""
    parents = np.arange(len(values))
    waiting: list[tuple[Labels, Labels]] = []
    for pair in pairs_within(values, max_distance=max_distance):
        waiting.append(pair)
        if sum(len(left) for left, _ in waiting) > LINKED_AT_ONCE:
            link(parents, waiting)
            waiting = []
    link(parents, waiting)
    return parents


def link(parents: Labels, pairs: Sequence[tuple[Labels, Labels]]) -> None:
    """Join the groups that these pairs connect; each position points to the first one of its group."""
    if not pairs:
        return
    left, right = (np.concatenate(side) for side in zip(*pairs, strict=True))
    while True:
        a, b = parents[left], parents[right]
        if (a == b).all():
            return
        np.minimum.at(parents, np.maximum(a, b), np.minimum(a, b))
        while not np.array_equal(above := parents[parents], parents):
            parents[:] = above


def by_comparing(values: Hashes, max_distance: int) -> Labels:
    """A number for the group of each of these distinct hashes.

    Each is compared once with all that are in no group yet: n² / 2 comparisons at most, 64 bits each.
    """
    labels = np.zeros(len(values), dtype=np.int64)
    left = np.arange(len(values))
    label = 0
    while left.size:
        label += 1
        waiting, left = [int(left[0])], left[1:]
        while waiting and left.size:
            seed = waiting.pop()
            labels[seed] = label
            near = np.bitwise_count(values[left] ^ values[seed]) <= max_distance
            waiting.extend(left[near].tolist())
            left = left[~near]
        labels[waiting] = label
    return labels
