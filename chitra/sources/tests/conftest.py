from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command


@pytest.fixture
def import_photos(library: Any, media: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*arguments: Any) -> str:
        call_command("import_photos", *map(str, arguments))
        return capsys.readouterr().out

    return run


@pytest.fixture
def root(tmp_path: Path, settings: Any) -> Path:
    root = tmp_path / "nas"
    root.mkdir()
    settings.SCAN_ROOTS = [root]
    return root


@pytest.fixture
def folder(root: Path, library: Any, media: Path) -> Any:
    """Alice's folder, indexed in place."""
    from chitra.sources.models import Folder

    return Folder.objects.create(library=library, path=str(root))
