"""Reports for people and programs."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from chitra.legacy.cases import DECIDED_FAILURES
from chitra.legacy.models import LegacySystem, Outcome, Status
from chitra.legacy.outcomes import tally
from chitra.legacy.verify import Findings

COLUMNS = ("imported", "duplicate", "left out", "failed")


def migration_report(
    system: LegacySystem, *, schema: str, rows: Mapping[str, int], files: Mapping[str, int]
) -> dict[str, Any]:
    """Counts, and every outcome that is not plain."""
    return {
        "system": system.name,
        "library": system.library_id,
        "schema": schema,
        "source_rows": dict(rows),
        "source_files": dict(files),
        "outcomes": tally(system),
        "listed": [
            {"kind": kind, "key": key, "status": status, "case": code, "reason": reason, "id": target}
            for kind, key, status, code, reason, target in listed(system)
        ],
    }


def listed(system: LegacySystem) -> Iterator[Any]:
    """Every outcome with a case, derived data apart."""
    rows = Outcome.objects.filter(system=system).exclude(code__in=["", "derived", "same_tag", "newer_vector"])
    values = rows.order_by("kind", "pk").values_list(
        "kind", "source_key", "status", "code", "reason", "target_id"
    )
    return values.iterator(chunk_size=2000)


def undecided_failures(system: LegacySystem) -> int:
    """Rows and files that another run may still bring over."""
    failures = Outcome.objects.filter(system=system, status=Status.FAILED)
    return int(failures.exclude(code__in=DECIDED_FAILURES).count())


def migration_table(outcomes: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Lines of text: kinds by status, then the documented cases."""
    lines = [f"{'':<14}{'imported':>10}{'duplicate':>11}{'left out':>10}{'failed':>8}"]
    for kind, counts in outcomes.items():
        numbers = [counts.get(column, 0) for column in COLUMNS]
        lines.append(f"{kind:<14}{numbers[0]:>10}{numbers[1]:>11}{numbers[2]:>10}{numbers[3]:>8}")
    for kind, counts in outcomes.items():
        lines += [f"  {kind}, {case}: {count}" for case, count in counts.items() if ": " in case]
    return lines


def verification_table(findings: Findings) -> list[str]:
    """The reconciliation: every row and file of the source in one of the columns."""
    heads = f"{'imported':>10}{'duplicate':>11}{'left out':>10}{'failed':>8}{'different':>11}"
    lines = [f"{'':<28}{'source':>8}{heads}"]
    for line in findings.lines.values():
        numbers = "".join(
            f"{line.endings.get(column, 0):>{width}}"
            for column, width in zip(COLUMNS, (10, 11, 10, 8), strict=True)
        )
        lines.append(f"{line.name:<28}{line.source:>8}{numbers}{line.differences:>11}")
    lines += [f"  {case}: {count}" for case, count in sorted(findings.decided.items())]
    return lines


def verification_report(system: LegacySystem, findings: Findings) -> dict[str, Any]:
    return {
        "system": system.name,
        "lines": [
            {"name": line.name, "source": line.source, **line.endings, "different": line.differences}
            for line in findings.lines.values()
        ],
        "cases": dict(findings.decided),
        "equal_digests": findings.equal_digests,
        "bytes_read": findings.bytes_read,
        "differences": findings.differences,
    }


def write_report(path: str, report: Mapping[str, Any]) -> None:
    Path(path).write_text(json.dumps(report, indent=1, ensure_ascii=False), encoding="utf-8")
