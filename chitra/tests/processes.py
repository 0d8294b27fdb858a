"""Chitra's own processes, started by tests on the test's database and storages."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection


def database_url() -> str:
    """The test database, for another process."""
    values = connection.settings_dict
    query = f"host={quote(str(values['HOST']), safe='')}&user={values['USER']}"
    return f"postgresql:///{values['NAME']}?{query}"


def start(
    *arguments: str | Path,
    environment: dict[str, str] | None = None,
    settings_module: str = "chitra.settings",
) -> subprocess.Popen[str]:
    """Start Python with these arguments in the checkout; its output comes as text over pipes."""
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": settings_module,
            "CHITRA_DATABASE_URL": database_url(),
            **(environment or {}),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*arguments: str | Path, environment: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Exit status, output and error output of a process that ends by itself within minutes."""
    process = start(*arguments, environment=environment)
    out, err = process.communicate(timeout=180)
    return process.returncode, out, err


def files_of(folder: Path) -> list[str]:
    """Every file below the folder, temporary ones too."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())
