"""Average-linkage clustering of unit vectors on a sparse graph, with constraints. Knows vectors, not faces.

Two groups are as similar as the mean cosine over all pairs between them (Sokal & Michener 1958), so one
bridge cannot join two groups. With vectors of length 1 that mean is the dot product of the two mean
vectors, exact at any size. All pairs of groups that are each other's best merge at once (reciprocal nearest
neighbours: Sumengen et al., "Scaling Hierarchical Agglomerative Clustering to Billion-sized Datasets",
2021, arXiv:2105.11653), so a million vectors take dozens of rounds of array work, and the outcome does not
depend on their order.

A pair below the lowest threshold can be left out without changing anything: a mean never exceeds its
largest part.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

NOBODY = -1
SCRATCH_FLOATS = 1 << 26  # one block of a product takes at most 256 MB


@dataclass(frozen=True)
class Settings:
    """Similarities are cosines. The defaults suit ArcFace packs; others have another `threshold`."""

    threshold: float = 0.40  # two single good faces from here on are one person
    join_slack: float = (
        0.10  # less for a face and a large group: a mean over many pairs is not high by chance
    )
    group_extra: float = 0.05  # more for two large groups: relatives are near on average, never so near
    good_quality: float = 0.5  # only faces from here on start groups or hold them together
    low_quality_extra: float = 0.06  # more for a face of quality 0
    margin: float = 0.03  # a face left over must be this much nearer to its group than to the next
    min_group: int = 2  # faces it takes to start a person
    neighbours: int = 32

    @classmethod
    def for_threshold(cls, threshold: float) -> "Settings":
        """The settings for a pack or a wish of the user with another threshold."""
        return cls(threshold=threshold)

    @property
    def lowest(self) -> float:
        """No two groups are put together below this similarity."""
        return self.threshold - self.join_slack

    def required(self, smaller: int, larger: int) -> float:
        """The mean similarity that makes one person of two groups of good faces, by their sizes.

        With the defaults 0.40 for two faces, towards 0.30 for a face and a large group, towards 0.35 for two
        large groups. Faces of one person have a cosine of about 0.5 to each other, so the mean vector of many
        has a length of about 0.7: to the direction of that mean, 0.30 is a cosine of 0.43.
        """
        return float(
            self.threshold - self.join_slack * (1 - 1 / larger) + self.group_extra * (1 - 1 / smaller)
        )

    def required_of_face(self, quality: float, group_size: int) -> float:
        """The same for a single face of the given quality, 0..1, and a group."""
        shortfall = max(0.0, 1 - quality / self.good_quality) if self.good_quality else 0.0
        return self.required(1, group_size) + self.low_quality_extra * shortfall


class Forest:
    """Groups of good faces while they grow. A group is known by the position of its first face."""

    def __init__(
        self, vectors: Floats, person: Ints, people: Ints, conflicts: Ints, settings: Settings
    ) -> None:
        """`person` (n,) is given by hand, or NOBODY. `people` are all those people, ascending.

        `conflicts` (c, 2) are nodes that must not meet: vectors 0..n-1, and behind them n.. one for each of
        `people`.
        """
        self.settings = settings
        self.root = np.arange(len(vectors))
        self.sums = vectors.astype(np.float32)
        self.counts = np.ones(len(vectors), dtype=np.int64)
        self.person = person.copy()
        self.people = people
        self._conflicts = self._keys(conflicts[:, 0], conflicts[:, 1])

    def members(self) -> list[Ints]:
        """The positions of each group's vectors, groups by their first one."""
        if not len(self.root):
            return []
        order = np.argsort(self.root, kind="stable")
        _, starts = np.unique(self.root[order], return_index=True)
        return list(np.split(order, starts[1:]))

    def start_together(self, label: Ints) -> None:
        """Vectors of nobody's that share a label (n,) are one group from the start, unless two must not meet.

        NOBODY is no label. Called before anything is merged.
        """
        nodes = np.stack(np.divmod(self._conflicts, len(self.root) + len(self.people)))
        inner = nodes[:, (nodes < len(label)).all(axis=0)]
        torn = label[inner[0][label[inner[0]] == label[inner[1]]]]
        rows = np.flatnonzero((label != NOBODY) & ~np.isin(label, torn))
        _, first, group = np.unique(label[rows], return_index=True, return_inverse=True)
        keep = rows[first][group]
        keep, rows = keep[keep != rows], rows[keep != rows]
        np.add.at(self.sums, keep, self.sums[rows])
        np.add.at(self.counts, keep, 1)
        self._point(rows, keep)

    def merge(self, pairs: Ints) -> None:
        """Merge along pairs (e, 2) until nothing changes; then along near groups that no pair showed."""
        pairs = np.unique(np.sort(self.root[pairs], axis=1), axis=0)
        while True:
            left, right = pairs[:, 0], pairs[:, 1]
            merged = self._merge_along(left, right)
            if not merged:
                return
            pairs = self._pairs_of_groups()

    def _merge_along(self, left: Ints, right: Ints) -> bool:
        similarity = self._similarities(left, right)
        merged_any = False
        while True:
            near = (similarity >= self.settings.lowest) & (left != right)
            left, right, similarity = left[near], right[near], similarity[near]
            allowed = self._are_allowed(left, right, similarity)
            keep, drop = self._reciprocal_best(left[allowed], right[allowed], similarity[allowed])
            if not len(keep):
                return merged_any
            merged_any = True
            self._join(keep, drop)
            left, right, similarity = self._contracted(left, right, similarity, np.union1d(keep, drop))

    def _similarities(self, left: Ints, right: Ints) -> Floats:
        """Mean cosine over all face pairs between two groups, for each pair of groups, in blocks."""
        result = np.empty(len(left), dtype=np.float32)
        block = max(1, SCRATCH_FLOATS // 4 // max(self.sums.shape[1], 1))
        for start in range(0, len(left), block):
            a, b = left[start : start + block], right[start : start + block]
            dots = np.einsum("ij,ij->i", self.sums[a], self.sums[b])
            result[start : start + block] = dots / (self.counts[a] * self.counts[b])
        return result

    def _are_allowed(self, left: Ints, right: Ints, similarity: Floats) -> npt.NDArray[np.bool_]:
        settings, person = self.settings, self.person
        smaller = np.minimum(self.counts[left], self.counts[right])
        larger = np.maximum(self.counts[left], self.counts[right])
        required = settings.threshold - settings.join_slack * (1 - 1 / larger)
        allowed = similarity >= required + settings.group_extra * (1 - 1 / smaller)
        a, b = person[left], person[right]
        allowed &= (a == b) | (a == NOBODY) | (b == NOBODY)
        allowed &= ~self._in_conflict(left, right)
        allowed &= (b == NOBODY) | ~self._in_conflict(left, self._person_node(b))
        allowed &= (a == NOBODY) | ~self._in_conflict(right, self._person_node(a))
        return np.asarray(allowed)

    @staticmethod
    def _reciprocal_best(left: Ints, right: Ints, similarity: Floats) -> tuple[Ints, Ints]:
        """Pairs that are the best of both their ends. Ties go to the smaller positions, so one always is."""
        ranking = np.lexsort((right, left, -similarity))
        left, right = left[ranking], right[ranking]
        _, first = np.unique(np.stack([left, right], axis=1).ravel(), return_index=True)
        is_first = np.zeros(2 * len(left), dtype=bool)
        is_first[first] = True
        best = is_first.reshape(-1, 2).all(axis=1)
        return left[best], right[best]

    def _join(self, keep: Ints, drop: Ints) -> None:
        self.sums[keep] += self.sums[drop]
        self.counts[keep] += self.counts[drop]
        self.person[keep] = np.maximum(self.person[keep], self.person[drop])
        self._point(drop, keep)

    def _point(self, drop: Ints, keep: Ints) -> None:
        """Whatever knew the groups `drop` knows those in `keep` instead."""
        target = np.arange(len(self.root) + len(self.people))
        target[drop] = keep
        self.root = target[self.root]
        self._conflicts = self._keys(*target[np.stack(np.divmod(self._conflicts, len(target)))])

    def _contracted(
        self, left: Ints, right: Ints, similarity: Floats, changed: Ints
    ) -> tuple[Ints, Ints, Floats]:
        """Pairs after a join: between the groups of now, with the similarities of changed groups anew."""
        stale = np.zeros(len(self.root), dtype=bool)
        stale[changed] = True
        touched = stale[left] | stale[right]
        keys, first = np.unique(self._raw_keys(self.root[left], self.root[right]), return_index=True)
        touched, similarity = touched[first], similarity[first]
        left, right = np.divmod(keys, len(self.root) + len(self.people))
        similarity[touched] = self._similarities(left[touched], right[touched])
        return left, right, similarity

    def _pairs_of_groups(self) -> Ints:
        """Each group of two or more with its nearest groups.

        The nearest neighbours of a face from a burst are all in the burst, and hide the person's other
        groups.
        """
        roots = np.unique(self.root)
        means = self.sums[roots] / self.counts[roots, None]
        queries = np.flatnonzero(self.counts[roots] >= 2)
        k = min(self.settings.neighbours, len(roots) - 1)
        found = [np.empty((0, 2), dtype=np.int64)]
        block = max(1, SCRATCH_FLOATS // max(len(roots), 1))
        for start in range(0, len(queries) if k > 0 else 0, block):
            rows = queries[start : start + block]
            similarity = means[rows] @ means.T
            similarity[np.arange(len(rows)), rows] = -2.0
            nearest = np.argpartition(similarity, -k, axis=1)[:, -k:]
            row, rank = np.nonzero(np.take_along_axis(similarity, nearest, axis=1) >= self.settings.lowest)
            found.append(np.stack([roots[rows[row]], roots[nearest[row, rank]]], axis=1))
        return np.unique(np.sort(np.concatenate(found), axis=1), axis=0)

    def _person_node(self, person: Ints) -> Ints:
        return len(self.root) + np.searchsorted(self.people, person)

    def _raw_keys(self, a: Ints, b: Ints) -> Ints:
        """One number for each pair of nodes, whichever comes first: lower * number of nodes + higher."""
        return np.minimum(a, b) * (len(self.root) + len(self.people)) + np.maximum(a, b)

    def _keys(self, a: Ints, b: Ints) -> Ints:
        return np.unique(self._raw_keys(a, b))

    def _in_conflict(self, a: Ints, b: Ints) -> npt.NDArray[np.bool_]:
        return np.isin(self._raw_keys(a, b), self._conflicts)


def nearest_pairs(vectors: Floats, k: int, *, at_least: float) -> Ints:
    """Pairs of rows (e, 2), lower row first, of which one is among the other's `k` nearest."""
    count = len(vectors)
    if count < 2:
        return np.empty((0, 2), dtype=np.int64)
    k = min(k, count - 1)
    found = []
    block = max(1, SCRATCH_FLOATS // count)
    for start in range(0, count, block):
        similarity = vectors[start : start + block] @ vectors.T
        rows = np.arange(len(similarity))
        similarity[rows, rows + start] = -2.0
        nearest = np.argpartition(similarity, -k, axis=1)[:, -k:]
        row, rank = np.nonzero(np.take_along_axis(similarity, nearest, axis=1) >= at_least)
        found.append(np.stack([row + start, nearest[row, rank]], axis=1))
    return np.unique(np.sort(np.concatenate(found), axis=1), axis=0)
