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
