"""Group faces into people: vectors and constraints in, groups out. Knows no database.

Two passes, in the manner of DBSCAN's core and border points:

1. Good faces are merged bottom-up by average linkage (`agglomeration`).
2. Low-quality faces, and good ones left over, may join a group, by a stricter threshold; they never start
   groups or hold them together.

Constraints: two faces of one photo, pairs told apart, and two confirmed people are never put together.
Faces confirmed as one person always are, even in one photo (a collage), and however different they look:
each look (the baby, the adult) grows a group of its own, and the groups of one person are put together at
the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from faces.agglomeration import NOBODY, SCRATCH_FLOATS, Floats, Forest, Ints, Settings, nearest_pairs

__all__ = ["NOBODY", "Faces", "Group", "Settings", "cluster", "nearest_pairs"]


@dataclass(frozen=True, eq=False)
class Faces:
    """All faces of a library, one row each, in any order."""

    ids: Ints  # (n,), unique
    vectors: Floats  # (n, d), length 1
    photos: Ints  # (n,)
    quality: Floats  # (n,), 0..1
    confirmed: Ints  # (n,) the person a face was given by hand, or NOBODY
    apart: Sequence[tuple[int, int]] = ()  # face ids that are not the same person
    rejected: Sequence[tuple[int, int]] = ()  # (face id, person id): this face is not that person
    together: Ints | None = None  # (n,) good faces of one number start as one group; NOBODY for each alone

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Group:
    person: int | None  # the confirmed person, or None for a group nobody has named
    faces: tuple[int, ...]  # face ids, ascending


def cluster(faces: Faces, settings: Settings | None = None, *, pairs: Ints | None = None) -> list[Group]:
    """Groups ordered by their smallest face id; a face in no group stays unassigned.

    `pairs` (e, 2) are face ids worth comparing, such as the nearest neighbours an index found; without them
    they are computed here, in blocks (up to some 100,000 faces). Takes 12 bytes per face and dimension.
    """
    settings = settings or Settings()
    order = np.argsort(faces.ids, kind="stable")
    faces = _rows(faces, order)
    good = np.flatnonzero(faces.quality >= settings.good_quality)
    people = np.unique(faces.confirmed[faces.confirmed != NOBODY])
    conflicts = _conflicts(faces, good, people)
    forest = Forest(faces.vectors[good], faces.confirmed[good], people, conflicts, settings)
    if faces.together is not None:
        forest.start_together(faces.together[good])
    forest.merge(_good_pairs(faces, good, pairs, settings))
    return _finish(faces, good, forest, settings)


def _rows(faces: Faces, rows: Ints) -> Faces:
    return Faces(
        ids=faces.ids[rows],
        vectors=faces.vectors[rows],
        photos=faces.photos[rows],
        quality=faces.quality[rows],
        confirmed=faces.confirmed[rows],
        apart=faces.apart,
        rejected=faces.rejected,
        together=None if faces.together is None else faces.together[rows],
    )


def _good_pairs(faces: Faces, good: Ints, pairs: Ints | None, settings: Settings) -> Ints:
    """Candidate pairs as positions in `good`."""
    if pairs is None:
        return nearest_pairs(faces.vectors[good], settings.neighbours, at_least=settings.lowest)
    positions = np.full(len(faces), -1, dtype=np.int64)
    positions[good] = np.arange(len(good))
    known = pairs[np.isin(pairs, faces.ids).all(axis=1)]
    placed = positions[np.searchsorted(faces.ids, known)]
    placed = np.sort(placed[(placed >= 0).all(axis=1)], axis=1)
    return np.unique(placed[placed[:, 0] < placed[:, 1]], axis=0)


# --- who must not meet --------------------------------------------------------------------------------------


def _conflicts(faces: Faces, good: Ints, people: Ints) -> Ints:
    """Nodes (c, 2) that must not meet: positions in `good`, and behind them one for each of `people`."""
    position = {int(face): place for place, face in enumerate(faces.ids[good])}
    node = {int(person): len(good) + place for place, person in enumerate(people)}
    told = [(position[a], position[b]) for a, b in faces.apart if a in position and b in position]
    told += [
        (position[face], node[person])
        for face, person in faces.rejected
        if face in position and person in node
    ]
    told += _beside_confirmed(faces, good, node)
    pairs = np.array(told, dtype=np.int64).reshape(-1, 2)
    return np.concatenate([_same_photo_pairs(faces.photos[good], faces.confirmed[good]), pairs])


def _beside_confirmed(faces: Faces, good: Ints, node: dict[int, int]) -> list[tuple[int, int]]:
    """A face whose photo already shows a confirmed person is somebody else."""
    shown: dict[int, set[int]] = {}
    for row in np.flatnonzero(faces.confirmed != NOBODY):
        shown.setdefault(int(faces.photos[row]), set()).add(int(faces.confirmed[row]))
    return [
        (place, node[person])
        for place, row in enumerate(good)
        if faces.confirmed[row] == NOBODY
        for person in sorted(shown.get(int(faces.photos[row]), ()))
    ]


def _same_photo_pairs(photos: Ints, confirmed: Ints) -> Ints:
    """Positions of faces that share a photo, unless both were given to the same person by hand."""
    order = np.argsort(photos, kind="stable")
    _, starts = np.unique(photos[order], return_index=True)
    pairs = []
    for members in np.split(order, starts[1:]):
        if len(members) > 1:
            a, b = np.triu_indices(len(members), 1)
            pairs.append(np.stack([members[a], members[b]], axis=1))
    if not pairs:
        return np.empty((0, 2), dtype=np.int64)
    found = np.concatenate(pairs)
    same = (confirmed[found[:, 0]] == confirmed[found[:, 1]]) & (confirmed[found[:, 0]] != NOBODY)
    return np.asarray(found[~same])


# --- pass 2: the faces left over ----------------------------------------------------------------------------


@dataclass
class _Draft:
    """A group while faces are dealt out to it. The looks of a confirmed person share one draft."""

    person: int
    rows: set[int] = field(default_factory=set)
    photos: set[int] = field(default_factory=set)


class _Table:
    """Who may sit where: the drafts, the looks that stand for them, and what was told about single faces."""

    def __init__(self, faces: Faces) -> None:
        self.faces = faces
        self.drafts: list[_Draft] = []
        self.looks: list[Floats] = []  # mean vectors
        self.look_sizes: list[int] = []
        self.draft_of_look: list[int] = []
        self._draft_of_person: dict[int, int] = {}
        self._rejected = set(faces.rejected)
        row = {int(face): place for place, face in enumerate(faces.ids)} if faces.apart else {}
        self._apart: dict[int, set[int]] = {}
        for a, b in faces.apart:
            if a in row and b in row:
                self._apart.setdefault(row[a], set()).add(row[b])
                self._apart.setdefault(row[b], set()).add(row[a])

    def add_group(self, person: int, rows: Ints) -> None:
        """One more look: the rows that may not sit with the person's other looks are left out."""
        index = self._draft_of_person.get(person, len(self.drafts))
        if index == len(self.drafts):
            self.drafts.append(_Draft(person))
        if person != NOBODY:
            self._draft_of_person[person] = index
        given = self.faces.confirmed[rows] != NOBODY
        for row in rows[np.lexsort((rows, -self.faces.quality[rows], ~given))]:
            self.seat(int(row), index)
        self.looks.append(self.faces.vectors[rows].mean(axis=0))
        self.look_sizes.append(len(rows))
        self.draft_of_look.append(index)

    def may_sit(self, row: int, index: int) -> bool:
        draft = self.drafts[index]
        if draft.person != NOBODY and int(self.faces.confirmed[row]) == draft.person:
            return True
        if (
            int(self.faces.photos[row]) in draft.photos
            or (int(self.faces.ids[row]), draft.person) in self._rejected
        ):
            return False
        return self._apart.get(row, set()).isdisjoint(draft.rows)

    def seat(self, row: int, index: int) -> None:
        if self.may_sit(row, index):
            self.drafts[index].rows.add(row)
            self.drafts[index].photos.add(int(self.faces.photos[row]))


def _finish(faces: Faces, good: Ints, forest: Forest, settings: Settings) -> list[Group]:
    table = _Table(faces)
    _seat_given(faces, table, settings)
    for members in forest.members():
        person = int(forest.person[members[0]])
        if person != NOBODY or len(members) >= settings.min_group:
            table.add_group(person, good[members])
    _seat_left_over(table, settings)
    groups = [
        Group(
            None if draft.person == NOBODY else draft.person,
            tuple(int(faces.ids[row]) for row in sorted(draft.rows)),
        )
        for draft in table.drafts
    ]
    return sorted(groups, key=lambda group: group.faces)


def _seat_given(faces: Faces, table: _Table, settings: Settings) -> None:
    """Confirmed faces too poor to hold a group together still belong to their person."""
    poor = np.flatnonzero((faces.confirmed != NOBODY) & (faces.quality < settings.good_quality))
    for person in np.unique(faces.confirmed[poor]):
        table.add_group(int(person), poor[faces.confirmed[poor] == person])


def _seat_left_over(table: _Table, settings: Settings) -> None:
    """Deal out single faces, surest first, each to the draft that is clearly nearest."""
    faces = table.faces
    if not table.looks:
        return
    seated = {row for draft in table.drafts for row in draft.rows}
    rest = np.array([row for row in range(len(faces)) if row not in seated], dtype=np.int64)
    wishes = []
    looks = np.stack(table.looks)
    block = max(1, SCRATCH_FLOATS // len(looks))
    for start in range(0, len(rest), block):
        similarity = faces.vectors[rest[start : start + block]] @ looks.T
        for offset in np.flatnonzero(similarity.max(axis=1) >= settings.lowest):
            row = int(rest[start + offset])
            if wish := _wish(row, similarity[offset], table, settings):
                wishes.append((-wish[0], row, wish[1]))
    for _, row, index in sorted(wishes):
        table.seat(row, index)


def _wish(row: int, similarity: Floats, table: _Table, settings: Settings) -> tuple[float, int] | None:
    """How near the best draft is, and which; None when none is near enough, or two are about as near."""
    best: tuple[float, int] | None = None
    for look in np.argsort(-similarity, kind="stable")[:16]:
        index, near = table.draft_of_look[look], float(similarity[look])
        if best is not None and (index == best[1] or not table.may_sit(row, index)):
            continue
        if best is not None:
            return best if best[0] - near >= settings.margin else None
        if not table.may_sit(row, index):
            continue
        if near < settings.required_of_face(float(table.faces.quality[row]), table.look_sizes[look]):
            continue
        best = near, index
    return best
