"""Who should be looked at: people of two far groups, and people who are very near each other.

Comparing takes seconds in a large library, so the answer is kept until somebody curates, ten minutes at most.
"""

from dataclasses import dataclass
from typing import Literal

from django.core.cache import cache

from faces.models import FaceModelVersion, JournalEntry
from faces.nearness import mixtures, near_people

Kind = Literal["mixture", "near"]

MOST_SUSPICIONS = 200
KEEP_SECONDS = 600


@dataclass(frozen=True)
class Suspicion:
    """Why a person should be looked at; the least certain person has the smallest `rank`."""

    person_id: int
    rank: float
    reason: str


def suspicions(kind: Kind, library_id: int, version: FaceModelVersion, threshold: float) -> list[Suspicion]:
    """At most MOST_SUSPICIONS, the worst first, each person once."""
    entries = JournalEntry.objects.filter(library=library_id).order_by("-pk")
    newest = entries.values_list("pk", flat=True).first()
    key = f"suspicions:{kind}:{library_id}:{version.pk}:{newest}"
    found: list[Suspicion] | None = cache.get(key)
    if found is None:
        look = find_mixtures if kind == "mixture" else find_near
        found = look(library_id, version, threshold)[:MOST_SUSPICIONS]
        cache.set(key, found, KEEP_SECONDS)
    return found


def find_mixtures(library_id: int, version: FaceModelVersion, threshold: float) -> list[Suspicion]:
    return [
        Suspicion(
            mixture.person.pk,
            mixture.similarity,
            f"two far groups of {len(mixture.groups[0])} and {len(mixture.groups[1])} faces "
            f"({mixture.similarity:.2f})",
        )
        for mixture in mixtures(library_id, version, threshold=threshold)
    ]


def find_near(library_id: int, version: FaceModelVersion, threshold: float) -> list[Suspicion]:
    found: dict[int, Suspicion] = {}
    for pair in near_people(library_id, version, at_least=threshold):
        for person, other in ((pair.first, pair.second), (pair.second, pair.first)):
            reason = f"very near {other.display_name} ({pair.similarity:.2f})"
            found.setdefault(person.pk, Suspicion(person.pk, -pair.similarity, reason))
    return list(found.values())
