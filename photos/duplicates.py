"""Photos that look alike, by perceptual hash. Pure: numbers in, numbers out."""

from collections.abc import Sequence

import numpy as np


def group_alike(hashes: Sequence[int], *, max_distance: int) -> list[list[int]]:
    """Positions of hashes (signed 64 bits) linked by steps of at most `max_distance` bits, 0 to 64.

    Transitive: two ends of a chain may differ more. Groups of two and more, largest first, each in order.
    Each hash is compared once with all that are in no group yet: n² / 2 comparisons at most, 64 bits each.
    """
    values, inverse = np.unique(np.array(hashes, dtype=np.int64), return_inverse=True)
    values = values.view(np.uint64)
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
    members: dict[int, list[int]] = {}
    for position, group in enumerate(labels[inverse].tolist()):
        members.setdefault(group, []).append(position)
    groups = [group for group in members.values() if len(group) > 1]
    return sorted(groups, key=lambda group: (-len(group), group))
