"""The names in PHOTO_STEPS and their order."""

from collections.abc import Iterator
from typing import Any

import pytest

from jobs.checks import check_steps
from jobs.steps import all_steps, get_step


@pytest.fixture
def set_steps(settings: Any) -> Iterator[Any]:
    def choose(*names: str) -> list[str | None]:
        settings.PHOTO_STEPS = names
        all_steps.cache_clear()
        return [message.id for message in check_steps()]

    yield choose
    all_steps.cache_clear()


def test_the_steps_of_the_settings_are_right() -> None:
    all_steps.cache_clear()
    assert check_steps() == []


def test_a_name_that_leads_nowhere_stops_the_start(set_steps: Any) -> None:
    assert set_steps("photos.steps.NO_SUCH_STEP") == ["jobs.E001"]
    assert set_steps("no.such.module") == ["jobs.E001"]


def test_a_name_of_something_else_stops_the_start(set_steps: Any) -> None:
    assert set_steps("jobs.steps.get_step") == ["jobs.E002"]


def test_a_step_before_the_one_it_waits_for_stops_the_start(set_steps: Any) -> None:
    assert set_steps("jobs.tests.workbench.SECOND", "jobs.tests.workbench.FIRST") == ["jobs.E003"]


def test_an_unknown_step_is_named_with_those_there_are() -> None:
    with pytest.raises(KeyError, match="There is no step 'dream'; PHOTO_STEPS has metadata, renditions"):
        get_step("dream")
