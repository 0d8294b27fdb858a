"""Writing and counting outcomes."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Count

from chitra.legacy.cases import Ending
from chitra.legacy.models import Kind, LegacySystem, Outcome


def outcome(
    system: LegacySystem, kind: Kind, key: Any, ending: Ending, target_id: int | None = None, path: str = ""
) -> Outcome:
    """The row to save for one source row or file."""
    return Outcome(
        system=system,
        kind=kind,
        source_key=str(key),
        status=ending.status,
        code=ending.code,
        reason=ending.reason,
        target_id=target_id,
        path=path,
    )


def save_outcomes(outcomes: Iterable[Outcome]) -> None:
    """Insert, or write over the failed ones of an earlier run."""
    Outcome.objects.bulk_create(
        list(outcomes),
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["system", "kind", "source_key"],
        update_fields=["status", "code", "reason", "target_id", "path", "updated_at"],
    )


def ended_keys(system: LegacySystem, kind: Kind, keys: Iterable[Any]) -> set[str]:
    """Which of these rows need nothing more."""
    rows = Outcome.objects.filter(system=system).of(kind, keys).ended()
    return set(rows.values_list("source_key", flat=True))


def tally(system: LegacySystem) -> dict[str, dict[str, int]]:
    """Rows by kind, then by status and by `status: case`."""
    counts: dict[str, dict[str, int]] = {}
    rows = Outcome.objects.filter(system=system).values_list("kind", "status", "code").annotate(n=Count("pk"))
    for kind, status, code, count in rows.order_by("kind", "status", "code"):
        of_kind = counts.setdefault(kind, {})
        of_kind[status] = of_kind.get(status, 0) + count
        if code:
            of_kind[f"{status}: {code}"] = count
    return counts
