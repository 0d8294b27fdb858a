"""Folders with pictures, for tests: made, changed and compared."""

import hashlib
import os
from pathlib import Path

from photos.tests.pictures import jpeg


def put_picture(path: Path, seed: int = 0, *, at: int | None = None) -> Path:
    """A small JPEG, different for each seed; `at` is the file's time in seconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(jpeg(64, 48, seed=seed))
    if at is not None:
        os.utime(path, (at, at))
    return path


def fingerprint(root: Path) -> dict[str, tuple[int, int, str]]:
    """Mode, time and digest of everything below a folder: equal when nothing was touched."""
    return {
        str(path.relative_to(root)): (
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in sorted(root.rglob("*"))
    }
