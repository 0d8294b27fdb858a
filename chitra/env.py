"""Strict readers of environment variables: nonsense stops the start with the name of the variable."""

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"0", "false", "no", "off", ""}


class EnvError(ValueError):
    """A variable holds something that cannot be used; the message names the variable and what it takes."""


def env_str(name: str, default: str = "", *, choices: tuple[str, ...] = ()) -> str:
    """Text of a variable; with `choices`, one of them or EnvError."""
    value = os.environ.get(name, default).strip()
    if choices and value not in choices:
        raise EnvError(f"{name}={value!r}: expected one of {', '.join(choices)}")
    return value


def env_bool(name: str, default: bool = False) -> bool:
    """True for 1, true, yes, on; False for 0, false, no, off and nothing; anything else is an EnvError."""
    value = os.environ.get(name)
    if value is None:
        return default
    if value.strip().lower() in TRUE_WORDS:
        return True
    if value.strip().lower() in FALSE_WORDS:
        return False
    raise EnvError(f"{name}={value!r}: expected true or false")


def env_int(name: str, default: int, *, minimum: int = 0, maximum: int | None = None) -> int:
    """A whole number within bounds (both inclusive), else EnvError."""
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        raise EnvError(f"{name}={text!r}: expected a whole number") from None
    if value < minimum or (maximum is not None and value > maximum):
        bounds = f"at least {minimum}" if maximum is None else f"between {minimum} and {maximum}"
        raise EnvError(f"{name}={value}: expected {bounds}")
    return value


def env_list(name: str, default: str = "") -> list[str]:
    """A comma-separated list; blanks around items are dropped."""
    return [item.strip() for item in os.environ.get(name, default).split(",") if item.strip()]


def env_paths(name: str) -> list[Path]:
    """A list of absolute directories separated by the system's path separator (":")."""
    paths = [Path(item) for item in os.environ.get(name, "").split(os.pathsep) if item]
    for path in paths:
        if not path.is_absolute():
            raise EnvError(f"{name}={str(path)!r}: expected absolute paths separated by {os.pathsep!r}")
    return paths


def env_secret(name: str, default: str = "") -> str:
    """A secret from `NAME`, or from the file that `NAME_FILE` names (as container secrets are mounted)."""
    if value := os.environ.get(name):
        return value
    file_name = os.environ.get(f"{name}_FILE")
    if not file_name:
        return default
    try:
        return Path(file_name).read_text().strip()
    except OSError as error:
        raise EnvError(f"{name}_FILE={file_name!r}: {error.strerror}") from None


def env_url(name: str, default: str = "", *, scheme: str) -> str:
    """A server as a URL without a path, "" for none. `host:port` gets `scheme` ("http://")."""
    value = env_str(name, default)
    if not value:
        return ""
    value = value.rstrip("/")
    url = value if "://" in value else f"{scheme}{value}"
    parts = urlsplit(url)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.path
        or parts.query
        or " " in value
    ):
        raise EnvError(f"{name}={value!r}: expected host:port, or http:// or https:// and host:port")
    return url


def env_tiles(name: str) -> str:
    """The tiles of a map: a URL with {z}, {x} and {y} behind its host, "" for none."""
    value = env_str(name)
    is_url = re.fullmatch(r"https?://[a-zA-Z0-9.-]+(:[0-9]+)?/[!-~]+", value)
    if value and not (is_url and sorted(re.findall("{.*?}", value)) == ["{x}", "{y}", "{z}"]):
        raise EnvError(
            f"{name}={value!r}: expected a URL like https://tiles.example.org/{{z}}/{{x}}/{{y}}.png"
        )
    return value
