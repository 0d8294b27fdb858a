"""What a photo goes through: steps, named in PHOTO_STEPS, and how one ends."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from django.conf import settings
from django.utils.module_loading import import_string

from jobs.models import StepStatus


@dataclass(frozen=True)
class StepResult:
    """How one step of one photo ended. `failed` is final; an exception may pass: it is retried."""

    status: StepStatus
    reason: str = ""

    @classmethod
    def done(cls) -> "StepResult":
        return cls(StepStatus.DONE)

    @classmethod
    def skipped(cls, reason: str) -> "StepResult":
        return cls(StepStatus.SKIPPED, reason)

    @classmethod
    def failed(cls, reason: str) -> "StepResult":
        return cls(StepStatus.FAILED, reason)


@dataclass(frozen=True)
class Step:
    """A step: `run` takes photo ids and answers for each of them.

    `version` names the code and model that `run` uses now; rows done by another version are stale.
    `after` is the step whose result this one reads; `cluster` the worker cluster that runs it. A step that is
    `on_demand` gets a row only when another step asks for it with `ledger.request`. One that `gives_way`
    pauses after each batch while other steps of its cluster have something to do.
    """

    name: str
    title: str
    run: Callable[[Sequence[int]], Mapping[int, StepResult]]
    version: Callable[[], str]
    after: str | None = None
    cluster: Literal["default", "ml", "video"] = "default"
    batch_size: int = 8
    on_demand: bool = False
    gives_way: bool = False


@cache
def all_steps() -> tuple[Step, ...]:
    """The steps of PHOTO_STEPS in order. Raises ImportError for a name that cannot be resolved."""
    return tuple(import_string(name) for name in settings.PHOTO_STEPS)


def get_step(name: str) -> Step:
    """The step called `name`; KeyError when there is none."""
    for step in all_steps():
        if step.name == name:
            return step
    raise KeyError(
        f"There is no step {name!r}; PHOTO_STEPS has {', '.join(step.name for step in all_steps())}."
    )


def steps_after(name: str) -> list[Step]:
    """The steps that wait for `name`."""
    return [step for step in all_steps() if step.after == name]
