"""Answers that are kept until somebody commits something, and never a moment longer.

PostgreSQL says with each statement which transactions it sees: its snapshot. Two statements with the same
snapshot see the same rows, whoever wrote them and how. So a request that looks up its key anyway, and with
it the snapshot of now, knows whether an answer read under the same snapshot is still true. Nothing has to be
told or forgotten: a permission taken away, a photo in the trash, a change by another process or by hand is a
commit. `docs/decisions/kept-answers.md` says more.
"""

from typing import NamedTuple

# The last column of a statement whose row is kept, or for which something is. A standby's is not complete.
SNAPSHOT = "CASE WHEN pg_is_in_recovery() THEN '' ELSE pg_current_snapshot()::text END"
MOST_BYTES = 16 * 1024 * 1024


class Snapshot(NamedTuple):
    """What a statement saw. A server that crashed may number its transactions anew, so the time in which no
    connection was lost (`reads.era`) is part of it.
    """

    era: int
    text: str


class KeptAnswers:
    """Bytes by key, all read under one snapshot: the last that somebody asked for."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._answers: dict[object, bytes] = {}
        self._size = 0

    def __contains__(self, key: object) -> bool:
        """Whether there is one, if perhaps no longer true."""
        return key in self._answers

    def find(self, snapshot: Snapshot | None, key: object) -> bytes | None:
        return self._answers.get(key) if snapshot is not None and snapshot == self._snapshot else None

    def keep(self, snapshot: Snapshot | None, key: object, answer: bytes) -> None:
        if snapshot is None:
            return
        if snapshot != self._snapshot or self._size + len(answer) > MOST_BYTES:
            self._snapshot, self._answers, self._size = snapshot, {}, 0
        self._answers[key] = answer
        self._size += len(answer)
