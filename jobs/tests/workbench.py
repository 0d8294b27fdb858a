"""Two steps for the tests of the ledger. What they answer is the test's to say."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from jobs import ledger
from jobs.models import StepStatus
from jobs.steps import Step, StepResult

Answer = Callable[[Sequence[int]], Mapping[int, StepResult]]


class Bench:
    """What the steps do, and what they were called with."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.answer: Answer = lambda ids: dict.fromkeys(ids, StepResult.done())
        self.version = "1"

    def run(self, ids: Sequence[int]) -> Mapping[int, StepResult]:
        self.calls.append(list(ids))
        return self.answer(ids)


bench = Bench()

FIRST = Step(
    name="first", title="First", run=lambda ids: bench.run(ids), version=lambda: bench.version, batch_size=4
)
SECOND = Step(
    name="second",
    title="Second",
    run=lambda ids: bench.run(ids),
    version=lambda: bench.version,
    after="first",
    cluster="ml",
)
PATIENT = Step(
    name="patient",
    title="Patient",
    run=lambda ids: bench.run(ids),
    version=lambda: bench.version,
    batch_size=4,
    gives_way=True,
)


def row(photo_id: int, step: str = "first") -> Any:
    """A row of the ledger as it is now."""
    return ledger.ledger().get(photo_id=photo_id, step=step)


def status(photo_id: int, step: str = "first") -> str:
    return str(row(photo_id, step).status)


def let_leases_expire() -> None:
    ledger.ledger().filter(status=StepStatus.RUNNING).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )


def let_backoff_pass() -> None:
    ledger.ledger().filter(ready_at__gt=timezone.now()).update(ready_at=timezone.now())


def claim_all(step: Any = FIRST) -> list[ledger.Claim]:
    return ledger.claim(step, limit=100)


def finish(result: StepResult, step: Any = FIRST) -> None:
    claims = claim_all(step)
    ledger.record(step.name, claims, dict.fromkeys([claim.subject_id for claim in claims], result))
