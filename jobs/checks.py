"""System checks of the steps: a name that leads nowhere stops the start, with a hint."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error

from jobs.steps import Step, all_steps


def check_steps(**kwargs: Any) -> list[CheckMessage]:
    """Resolve PHOTO_STEPS and LEDGER_MODEL (ids jobs.E001 to jobs.E003)."""
    try:
        steps = all_steps()
        apps.get_model(settings.LEDGER_MODEL)
    except (ImportError, LookupError) as error:
        return [Error(str(error), hint="Correct PHOTO_STEPS or LEDGER_MODEL in settings.", id="jobs.E001")]
    return [*check_kinds(steps), *check_order(steps)]


def check_kinds(steps: tuple[Step, ...]) -> list[CheckMessage]:
    """Every name must lead to a Step."""
    return [
        Error(f"PHOTO_STEPS names {step!r}, which is no jobs.steps.Step.", id="jobs.E002")
        for step in steps
        if not isinstance(step, Step)
    ]


def check_order(steps: tuple[Step, ...]) -> list[CheckMessage]:
    """A step stands behind the one it reads from, so that there is no cycle."""
    seen: set[str] = set()
    errors: list[CheckMessage] = []
    for step in steps:
        if isinstance(step, Step):
            if step.after is not None and step.after not in seen:
                errors.append(
                    Error(
                        f"The step {step.name!r} comes after {step.after!r}, which does not stand before it.",
                        hint="Order PHOTO_STEPS so that each step follows the one it waits for.",
                        id="jobs.E003",
                    )
                )
            seen.add(step.name)
    return errors
