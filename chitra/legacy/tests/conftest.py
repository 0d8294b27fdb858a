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
