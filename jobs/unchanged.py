"""Answers that are kept until somebody commits something, and never a moment longer.

PostgreSQL says with each statement which transactions it sees: its snapshot. Two statements with the same
snapshot see the same rows, whoever wrote them and how. So a request that looks up its key anyway, and with
it the snapshot of now, knows whether an answer read under the same snapshot is still true. Nothing has to be
told or forgotten: a permission taken away, a photo in the trash, a change by another process or by hand is a
commit. `docs/decisions/kept-answers.md` says more.
"""

from collections.abc import Sized
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from django.http import HttpResponse

# The last column of a statement whose row is kept, or for which something is. A standby's is not complete.
SNAPSHOT = "CASE WHEN pg_is_in_recovery() THEN '' ELSE pg_current_snapshot()::text END"
MOST_BYTES = 16 * 1024 * 1024

T = TypeVar("T", bound=Sized)


class Snapshot(NamedTuple):
    """What a statement saw. A server that crashed may number its transactions anew, so the time in which no
    connection was lost (`reads.era`) is part of it.
    """

    era: int
    text: str


@dataclass(frozen=True)
class WholeAnswer:
    """An answer that can be given again. `len()` is about what it takes in memory."""

    headers: dict[str, str]
    body: bytes

    def __len__(self) -> int:
        return len(self.body) + 1000

    def again(self) -> HttpResponse:
        return HttpResponse(self.body, headers=self.headers)


def unchanged_since(snapshot: Snapshot | None, response: HttpResponse) -> HttpResponse:
    """Say that nothing but rows is in an answer, read under this snapshot: `jobs.loop_views` keeps it."""
    response.read_under = snapshot  # type: ignore[attr-defined]
    return response


class KeptAnswers(Generic[T]):
    """Answers by key, all read under one snapshot: the last that somebody asked for."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._answers: dict[object, T] = {}
        self._size = 0

    def __contains__(self, key: object) -> bool:
        """Whether there is one, if perhaps no longer true."""
        return key in self._answers

    def find(self, snapshot: Snapshot | None, key: object) -> T | None:
        return self._answers.get(key) if snapshot is not None and snapshot == self._snapshot else None

    def keep(self, snapshot: Snapshot | None, key: object, answer: T) -> None:
        if snapshot is None:
            return
        if snapshot != self._snapshot or self._size + len(answer) > MOST_BYTES:
            self._snapshot, self._answers, self._size = snapshot, {}, 0
        self._answers[key] = answer
        self._size += len(answer)
