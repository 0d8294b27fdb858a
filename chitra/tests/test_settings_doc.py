"""docs/settings.md names every environment variable that is read, and none that is not."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from chitra import settings

PAGE = settings.BASE_DIR / "docs" / "settings.md"
APPS = ("chitra", "search", "faces", "photos", "jobs")
OPERATORS_DO_NOT_SET = {"CHITRA_DATABASE_URL_FILE"}  # the page explains _FILE once, for all secrets


def python_files() -> Iterator[Path]:
    """The source of all apps, without tests and migrations."""
    for app in APPS:
        for path in (settings.BASE_DIR / app).rglob("*.py"):
            if not {"tests", "migrations"} & set(path.parts):
                yield path


def variables_read_in(source: str) -> set[str]:
    """Names given to env_… readers, to os.environ.get, in os.environ[…] and in "…" in os.environ."""
    return {
        name.value
        for node in ast.walk(ast.parse(source))
        for name in names_asked_for(node)
        if isinstance(name, ast.Constant) and isinstance(name.value, str)
    }


def names_asked_for(node: ast.AST) -> list[ast.expr]:
    """The expressions that name a variable which this node reads."""
    if isinstance(node, ast.Call):
        reader = ast.unparse(node.func)
        return node.args[:1] if reader.startswith("env_") or reader in ("os.environ.get", "os.getenv") else []
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        return [node.slice] if ast.unparse(node.value) == "os.environ" else []
    if isinstance(node, ast.Compare):
        return [node.left] if ast.unparse(node.comparators[0]) == "os.environ" else []
    return []


def variables_read() -> set[str]:
    names = set().union(*(variables_read_in(path.read_text("utf-8")) for path in python_files()))
    return names - OPERATORS_DO_NOT_SET


def variables_described() -> set[str]:
    """The first cells of the page's tables."""
    return set(re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \|", PAGE.read_text("utf-8"), re.MULTILINE))


def test_every_variable_that_is_read_is_described() -> None:
    assert variables_read() - variables_described() == set()


def test_nothing_is_described_that_nobody_reads() -> None:
    assert variables_described() - variables_read() == set()


def test_secrets_are_marked_as_such() -> None:
    source = "\n".join(path.read_text("utf-8") for path in python_files())
    secrets = set(re.findall(r'env_secret\(\s*"([A-Z0-9_]+)"', source))
    lines = PAGE.read_text("utf-8").splitlines()
    marked = {line.split("`")[1] for line in lines if line.startswith("| `") and "**secret**" in line}
    assert marked == secrets


def test_all_ways_of_reading_a_variable_are_seen() -> None:
    source = 'env_int("A", 1); os.environ.get("B"); os.environ["C"]; "D" in os.environ; os.environ["X"] = "1"'
    assert variables_read_in(source) == {"A", "B", "C", "D"}
