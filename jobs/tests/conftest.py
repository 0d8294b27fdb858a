"""Fixtures of the ledger's tests. Loaded before Django is set up, so Django is imported where it is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_django import Settings

    from jobs.tests.workbench import Bench


@pytest.fixture
def bench(settings: Settings, db: None) -> Iterator[Bench]:
    """The steps FIRST and SECOND of the workbench, the second after the first, in place of the real ones."""
    from jobs.steps import all_steps
    from jobs.tests import workbench

    settings.PHOTO_STEPS = ["jobs.tests.workbench.FIRST", "jobs.tests.workbench.SECOND"]
    all_steps.cache_clear()
    workbench.bench = workbench.Bench()
    yield workbench.bench
    all_steps.cache_clear()


@pytest.fixture
def photos(bench: Bench, photo_rows: Callable[[int], list[int]]) -> list[int]:
    """Three photos in the ledger, nothing begun."""
    from jobs import ledger

    ids = photo_rows(3)
    ledger.plan(ids)
    return ids
