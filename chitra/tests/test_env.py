"""Nonsense in the environment stops the start with the name of the variable."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chitra import database, secret_key
from chitra.database import SESSION
from chitra.env import EnvError, env_bool, env_int, env_list, env_paths, env_secret, env_str, env_tiles

SetEnv = Callable[[str], None]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> SetEnv:
    """Set the variable X."""
    monkeypatch.delenv("X", raising=False)
    monkeypatch.delenv("X_FILE", raising=False)
    return lambda value: monkeypatch.setenv("X", value)


@pytest.mark.parametrize("value", ["1", "true", "YES", " on "])
def test_words_for_true(given: SetEnv, value: str) -> None:
    given(value)
    assert env_bool("X") is True


@pytest.mark.parametrize("value", ["0", "False", "no", "off", ""])
def test_words_for_false(given: SetEnv, value: str) -> None:
    given(value)
    assert env_bool("X", True) is False


def test_a_variable_that_is_not_set_has_its_default(given: SetEnv) -> None:
    assert env_bool("X", True) is True
    assert env_int("X", 7) == 7
    assert env_str("X", "y") == "y"
    assert env_list("X", "a, b") == ["a", "b"]
    assert env_paths("X") == []
    assert env_secret("X", "s") == "s"


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("maybe", lambda: env_bool("X")),
        ("7.5", lambda: env_int("X", 1)),
        ("NaN", lambda: env_int("X", 1)),
        ("-1", lambda: env_int("X", 1)),
        ("99", lambda: env_int("X", 1, maximum=9)),
        ("0", lambda: env_int("X", 1, minimum=1)),
        ("blue", lambda: env_str("X", choices=("red", "green"))),
        ("photos:/srv", lambda: env_paths("X")),
        ("yes", lambda: env_tiles("X")),
        ("ftp://tiles.example.org/{z}/{x}/{y}.png", lambda: env_tiles("X")),
        ("https://tiles.example.org/{z}/{x}.png", lambda: env_tiles("X")),
        ("https://{s}.tiles.example.org/{z}/{x}/{y}.png", lambda: env_tiles("X")),
        ("https://tiles.example.org/{z}/{x}/{y}{r}.png", lambda: env_tiles("X")),
        ("https://tiles.example.org; script-src *;/{z}/{x}/{y}.png", lambda: env_tiles("X")),
        ("https://[::1/{z}/{x}/{y}.png", lambda: env_tiles("X")),
    ],
)
def test_nonsense_is_refused_by_name(given: SetEnv, value: str, read: Callable[[], Any]) -> None:
    given(value)
    with pytest.raises(EnvError, match=r"^X="):
        read()


def test_a_blank_number_is_none(given: SetEnv) -> None:
    given("  ")
    assert env_int("X", 3) == 3


def test_paths_are_separated_by_colons(given: SetEnv) -> None:
    given("/a:/b c:")
    assert env_paths("X") == [Path("/a"), Path("/b c")]


@pytest.mark.parametrize(
    "value",
    ["", "https://tiles.example.org/{z}/{x}/{y}.png?key=a1", "http://localhost:8080/osm/{z}/{x}/{y}.png"],
)
def test_tiles_of_a_map(given: SetEnv, value: str) -> None:
    given(value)
    assert env_tiles("X") == value


def test_a_secret_comes_from_a_file(given: SetEnv, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush\n")
    monkeypatch.setenv("X_FILE", str(tmp_path / "secret"))
    assert env_secret("X") == "hush"
    given("louder")
    assert env_secret("X") == "louder"


def test_a_secret_whose_file_is_missing_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("X_FILE", str(tmp_path / "gone"))
    with pytest.raises(EnvError, match=r"^X_FILE=.*No such file"):
        env_secret("X")


def test_a_url_of_a_database() -> None:
    parsed = database.parse(
        "postgresql://al%40ice:p%2Fw@db.example:5433/chi%20tra?sslmode=require", pool_size=5
    )
    assert (parsed["USER"], parsed["PASSWORD"], parsed["NAME"]) == ("al@ice", "p/w", "chi tra")
    assert (parsed["HOST"], parsed["PORT"], parsed["CONN_MAX_AGE"]) == ("db.example", "5433", 0)
    assert parsed["OPTIONS"] == {
        "sslmode": "require",
        "prepare_threshold": 5,
        "options": SESSION,
        "pool": {"min_size": 1, "max_size": 5, "timeout": 10},
    }


def test_a_url_with_a_socket() -> None:
    parsed = database.parse("postgres:///chitra?host=/run/pg&user=alice&port=5433")
    assert (parsed["HOST"], parsed["USER"], parsed["PORT"], parsed["OPTIONS"]) == (
        "/run/pg",
        "alice",
        "5433",
        {"prepare_threshold": 5},
    )


@pytest.mark.parametrize(
    "url", ["", "mysql://a/b", "postgresql://host", "postgresql://host/", "postgresql://host:port/x", "x"]
)
def test_a_url_of_no_database_is_refused(url: str) -> None:
    with pytest.raises(EnvError, match=r"^CHITRA_DATABASE_URL: "):
        database.parse(url)


def test_the_secret_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "state" / "secret_key"
    key = secret_key.load_or_create(path)
    assert len(key) > 50
    assert path.stat().st_mode & 0o777 == 0o600
    assert secret_key.load_or_create(path) == key
    assert [entry.name for entry in path.parent.iterdir()] == ["secret_key"]


def test_two_processes_that_start_at_once_agree_on_the_secret_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secret_key"
    make_key = secrets.token_urlsafe

    def be_second(length: int) -> str:
        path.write_text("the first one's")
        return make_key(length)

    monkeypatch.setattr(secrets, "token_urlsafe", be_second)
    assert secret_key.load_or_create(path) == "the first one's"


def test_a_data_directory_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file is in the way")
    with pytest.raises(SystemExit, match="Chitra cannot write its data directory"):
        secret_key.load_or_create(tmp_path / "data" / "state" / "secret_key")
