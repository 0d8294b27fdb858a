"""Can a model hub be reached? Asked once, at most ten seconds long, and remembered for all processes.

Many machines that run Chitra reach no hub: air-gapped ones, and ones behind a proxy that swallows packets
instead of refusing them. Each library's own download would then wait on every start, in every process. So the
question is asked here, and "no" is written to `<state_dir>/hub/`, one small file per host. "Yes" is believed
for a few minutes only.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import tempfile
import threading
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

TIMEOUT_SECONDS = 10.0
REMEMBER_HOURS = 24.0
TRUST_SUCCESS_SECONDS = 300.0

# Codes with which the hub itself may answer a bare HEAD; a proxy in between speaks 403, 407, 502 or 511.
CODES_OF_A_LIVING_HUB = {401, 404, 405, 429}


@dataclass(frozen=True)
class Answer:
    """What was found out about a host or a download, and when (seconds since the epoch)."""

    reachable: bool
    reason: str
    at: float


def hugging_face_url() -> str:
    """Where Hugging Face's libraries download from: a mirror named by `HF_ENDPOINT`, or the hub itself."""
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or "https://huggingface.co"


def is_switched_off() -> bool:
    """True when the operator forbids downloads with `HF_HUB_OFFLINE=1`; it counts for every hub."""
    return os.environ.get("HF_HUB_OFFLINE", "").strip().upper() in {"1", "ON", "YES", "TRUE"}


def is_reachable(
    url_or_host: str,
    *,
    state_dir: Path,
    timeout_seconds: float = TIMEOUT_SECONDS,
    remember_hours: float = REMEMBER_HOURS,
) -> bool:
    """Whether the hub answers. Blocks for `timeout_seconds` at most, whatever DNS and sockets do.

    Of several processes that ask at the same time one probes and the others wait for its answer.
    Raises ValueError when the address is not http(s), OSError when `state_dir` cannot be written.
    """
    if is_switched_off():
        return False
    url = _as_url(url_or_host)
    host = urlsplit(url).netloc
    if (answer := _recall(host, state_dir, remember_hours)) is not None:
        return answer.reachable
    try:
        with FileLock(_memory_file(host, state_dir).with_suffix(".lock"), timeout=timeout_seconds):
            if (answer := _recall(host, state_dir, remember_hours)) is None:
                answer = _probe_within(url, timeout_seconds)
                _remember(host, answer, state_dir)
            return answer.reachable
    except Timeout:  # the process that probes has stalled: no answer, and nothing to remember
        return False


def remember_failure(key: str, reason: str, *, state_dir: Path) -> None:
    """Remember that a download failed although the hub answered. `key` names it, such as a model version."""
    _remember(key, Answer(reachable=False, reason=reason, at=time.time()), state_dir)


def recent_failure(key: str, *, state_dir: Path, remember_hours: float = REMEMBER_HOURS) -> str | None:
    """Why `key` (a host or a download) failed within the last `remember_hours`; None when it did not."""
    answer = _recall(key, state_dir, remember_hours)
    return None if answer is None or answer.reachable else answer.reason


def forget(*, state_dir: Path) -> None:
    """Forget all answers, so that the next question probes again (the operator has mended the network)."""
    for path in (state_dir / "hub").glob("*.json"):
        path.unlink(missing_ok=True)


def _as_url(url_or_host: str) -> str:
    url = url_or_host if "://" in url_or_host else f"https://{url_or_host}/"
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"not the address of a hub: {url_or_host!r}")
    return url


def _probe_within(url: str, timeout_seconds: float) -> Answer:
    """Probe in a thread, because a name lookup that hangs ignores every socket timeout."""
    reasons: list[str] = []
    thread = threading.Thread(
        target=lambda: reasons.append(_probe(url, timeout_seconds)), name="hub-probe", daemon=True
    )
    thread.start()
    thread.join(timeout_seconds)
    reason = reasons[0] if reasons else f"no answer within {timeout_seconds:g} seconds"
    return Answer(reachable=not reason, reason=reason, at=time.time())


def _probe(url: str, timeout_seconds: float) -> str:
    """Send one HEAD request. Returns why the hub cannot be used, or "" when it answered."""
    request = urllib.request.Request(url, method="HEAD", headers={"User-Agent": "chitra"})
    try:
        with urllib.request.urlopen(request, timeout=timeout_seconds) as response:
            return _reason_of_redirect(url, response.url)
    except urllib.error.HTTPError as error:
        return "" if error.code in CODES_OF_A_LIVING_HUB else f"answered with HTTP {error.code}"
    except (OSError, http.client.HTTPException) as error:
        return str(getattr(error, "reason", error)) or type(error).__name__


def _reason_of_redirect(asked: str, answered: str) -> str:
    """A captive portal sends requests to its own login page; a hub at most to a name of its own domain."""
    wanted, got = urlsplit(asked).hostname or "", urlsplit(answered).hostname or ""
    if wanted == got or wanted.endswith(f".{got}") or got.endswith(f".{wanted}"):
        return ""
    return f"was sent on to {got}"


def _memory_file(key: str, state_dir: Path) -> Path:
    folder = state_dir / "hub"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / (re.sub(r"[^A-Za-z0-9.-]+", "_", key) + ".json")


def _recall(key: str, state_dir: Path, remember_hours: float) -> Answer | None:
    try:
        stored = json.loads(_memory_file(key, state_dir).read_text())
        answer = Answer(bool(stored["reachable"]), str(stored["reason"]), float(stored["at"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):  # never asked, or a file that says nothing
        return None
    age = time.time() - answer.at
    believed_for = TRUST_SUCCESS_SECONDS if answer.reachable else remember_hours * 3600
    return answer if 0 <= age < believed_for else None


def _remember(key: str, answer: Answer, state_dir: Path) -> None:
    path = _memory_file(key, state_dir)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".part", delete=False) as file:
        json.dump(asdict(answer), file)
    Path(file.name).replace(path)
