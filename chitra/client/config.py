"""What the command line remembers: the server, the key, and uploads that are not over."""

import json
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Account:
    url: str
    key: str


def config_folder() -> Path:
    """`chitra` in XDG_CONFIG_HOME or ~/.config."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "chitra"


def load_account() -> Account | None:
    """CHITRA_URL and CHITRA_API_KEY, else what `login` kept; None without either."""
    kept = read_json(config_folder() / "client.json")
    url = os.environ.get("CHITRA_URL") or kept.get("url", "")
    key = os.environ.get("CHITRA_API_KEY") or (kept.get("key", "") if url == kept.get("url") else "")
    return Account(url, key) if url and key else None


def save_account(account: Account) -> Path:
    """For this user's eyes only. Returns where."""
    path = config_folder() / "client.json"
    write_json(path, {"url": account.url, "key": account.key})
    return path


class OpenUploads:
    """Where files that were begun lie on the server, by server and checksum."""

    def __init__(self, url: str) -> None:
        self._path = config_folder() / "uploads.json"
        self._url = url
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, str]] = read_json(self._path)

    def find(self, checksum: str) -> str:
        """Where it lies, "" when it was not begun."""
        return self._known.get(self._url, {}).get(checksum, "")

    def remember(self, checksum: str, location: str) -> None:
        with self._lock:
            self._known.setdefault(self._url, {})[checksum] = location
            write_json(self._path, self._known)

    def forget(self, checksum: str) -> None:
        with self._lock:
            if self._known.get(self._url, {}).pop(checksum, None) is not None:
                write_json(self._path, self._known)


def read_json(path: Path) -> dict[str, Any]:
    """An object from a file; empty when there is none that can be read."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def write_json(path: Path, value: Any) -> None:
    """Whole or not at all, readable by this user only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(value, file)
    new.replace(path)
