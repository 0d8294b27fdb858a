"""Near perceptual hashes without comparing all with all: multi-index hashing (Norouzi et al., 2012).

A hash of 64 bits is cut into four bands of 16. Two hashes that differ in at most 7 bits differ in at most one
bit in one of their bands, so near hashes are found among those that share a band up to one bit. Pure: numbers
in, numbers out.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

BANDS = 4
BAND_BITS = 16
BUCKETS = 1 << BAND_BITS
FARTHEST = 3 * BANDS - 1
"""Beyond it so many buckets are near that comparing all with all is as fast."""
_PAIRS_AT_ONCE = 1 << 21


def bands_of(value: int) -> list[int]:
    """The bands of a hash (64 bits, signed or not), lowest first, each told apart by its place."""
    return [((value >> (BAND_BITS * band)) & (BUCKETS - 1)) + (band << BAND_BITS) for band in range(BANDS)]


def near_bands(value: int, *, max_distance: int) -> list[int]:
    """All bands of which a hash within `max_distance` bits (at most FARTHEST) has one at least."""
    return [
        key ^ mask for band, key in enumerate(bands_of(value)) for mask in masks(radius(band, max_distance))
    ]


def radius(band: int, max_distance: int) -> int:
    """In how many bits this band may differ when all those before it differ in more; -1 for none at all.

    With 6 bits to spend, three bands of which each differs in two leave nothing for the fourth.
    """
    share, rest = divmod(max_distance, BANDS)
    return share if band <= rest else share - 1


@cache
def masks(most_bits: int) -> tuple[int, ...]:
    """All ways to flip at most so many bits of a band."""
    return tuple(
        sum(1 << bit for bit in bits)
        for count in range(most_bits + 1)
        for bits in combinations(range(BAND_BITS), count)
    )


def pairs_within(hashes: "Array", *, max_distance: int) -> Iterator[tuple["Array", "Array"]]:
    """Positions of distinct hashes (uint64) that differ in at most `max_distance` bits (at most FARTHEST).

    In pieces of two arrays of one length, first below second; a pair may come up to four times, once for each
    band by which it was found. Memory: some bytes a hash, and what _PAIRS_AT_ONCE candidates need.
    """
    import numpy as np

    for band in range(BANDS):
        keys = ((hashes >> np.uint64(BAND_BITS * band)) & np.uint64(BUCKETS - 1)).astype(np.int64)
        order = np.argsort(keys, kind="stable")
        counts = np.bincount(keys, minlength=BUCKETS)
        starts = np.concatenate(([0], np.cumsum(counts)))
        for mask in masks(radius(band, max_distance)):
            for left, right in _candidates(counts, starts, mask):
                a, b = order[left], order[right]
                near = np.bitwise_count(hashes[a] ^ hashes[b]) <= max_distance
                a, b = a[near], b[near]
                if a.size:
                    yield np.minimum(a, b), np.maximum(a, b)


def _candidates(counts: "Array", starts: "Array", mask: int) -> Iterator[tuple["Array", "Array"]]:
    """Places in the order of keys of all pairs from buckets whose keys differ by `mask`, each pair once."""
    import numpy as np

    buckets = np.nonzero(counts)[0]
    partners = buckets ^ mask
    chosen = (counts[partners] > 0) & (buckets <= partners)
    buckets, partners = buckets[chosen], partners[chosen]
    # Each member of a bucket stands against a stretch of its partner; in its own, against those behind it.
    members = np.repeat(starts[buckets], counts[buckets]) + _within(counts[buckets])
    ends = np.repeat(starts[partners] + counts[partners], counts[buckets])
    begins = members + 1 if mask == 0 else np.repeat(starts[partners], counts[buckets])
    lengths = ends - begins
    for piece in _pieces(lengths):
        sizes = lengths[piece]
        yield np.repeat(members[piece], sizes), np.repeat(begins[piece], sizes) + _within(sizes)


def _within(sizes: "Array") -> "Array":
    """0, 1, … for each of these sizes, one behind the other."""
    import numpy as np

    starts: Array = np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.arange(len(starts)) - starts


def _pieces(lengths: "Array") -> Iterator[slice]:
    """Stretches of members that have about _PAIRS_AT_ONCE pairs together."""
    import numpy as np

    sums = np.cumsum(lengths)
    start = 0
    while start < lengths.size:
        before = int(sums[start - 1]) if start else 0
        end = max(start + 1, int(np.searchsorted(sums, before + _PAIRS_AT_ONCE, side="right")))
        yield slice(start, end)
        start = end


def groups_of(pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Ids linked by pairs, each group rising, in the order in which their first pairs come."""
    parents: dict[int, int] = {}

    def root(of: int) -> int:
        while (above := parents.setdefault(of, of)) != of:
            parents[of] = parents[above]
            of = above
        return of

    for a, b in pairs:
        parents[root(b)] = root(a)
    groups: dict[int, list[int]] = {}
    for a, b in pairs:
        groups.setdefault(root(a), []).extend((a, b))
    return [sorted(set(members)) for members in groups.values()]
