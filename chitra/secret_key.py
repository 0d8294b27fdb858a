"""The key that signs sessions: given by setting, else made once and kept in the data directory."""

import os
import secrets
from pathlib import Path


def load_or_create(path: Path) -> str:
    """Read the key at `path`, or write a new one there (mode 0600). Two starts at once agree on one."""
    try:
        if path.exists():
            return path.read_text()
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
        try:
            os.link(temporary, path)  # fails when another process was first: then its key is the key
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
        return path.read_text()
    except OSError as error:
        raise SystemExit(
            f"Chitra cannot write its data directory {path.parent.parent}: {error.strerror}. "
            "Give it a directory it may write with CHITRA_DATA_DIR=/path."
        ) from None
