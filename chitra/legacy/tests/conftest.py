from collections.abc import Callable
from pathlib import Path

import pytest

from chitra.legacy.tests.commands import run_command
from chitra.legacy.tests.old_server import OldServer


@pytest.fixture
def old_server(tmp_path: Path) -> OldServer:
    return OldServer(tmp_path / "old")


@pytest.fixture
def migrate(db: None, media: Path) -> Callable[..., str]:
    """Run migrate_legacy in this process; what it prints."""
    return lambda *arguments: run_command("migrate_legacy", *arguments)


@pytest.fixture
def verify(db: None, media: Path) -> Callable[..., str]:
    """Run verify_migration in this process; what it prints. Raises CommandError for a difference."""
    return lambda *arguments: run_command("verify_migration", *arguments)


@pytest.fixture
def arrive(
    migrate: Callable[..., str], verify: Callable[..., str], old_server: OldServer
) -> Callable[[], None]:
    """Migrate, verify, and migrate once more, which must find nothing to do."""

    def run() -> None:
        migrate(*old_server.arguments)
        verify(*old_server.arguments)
        before = counts()
        migrate(*old_server.arguments)
        assert before == counts()

    return run


def counts() -> tuple[int, ...]:
    """How much there is. (This module is read before Django is set up.)"""
    from chitra.legacy.models import Outcome
    from faces.models import Face
    from photos.models import Photo, Tag

    return tuple(model.objects.count() for model in (Photo, Tag, Face, Outcome))


def ending(kind: str, key: object) -> tuple[str, str]:
    """Status and case of a row."""
    from chitra.legacy.models import Outcome

    outcome = Outcome.objects.get(kind=kind, source_key=str(key))
    return outcome.status, outcome.code
