"""One Chitra at a time in a data directory: a lock that the kernel drops with the process."""

import fcntl
import os
from pathlib import Path


class DataDirInUse(Exception):
    """Another process runs Chitra there; the message says which."""


def hold(directory: Path) -> int:
    """Lock the data directory for as long as this process lives, or until the descriptor is closed.

    Raises DataDirInUse. Children do not inherit the lock.
    """
    descriptor = os.open(directory / "run.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 20).decode(errors="replace").strip()
        os.close(descriptor)
        raise DataDirInUse(
            f"Chitra runs on the data directory {directory} already (process {holder or 'unknown'}). "
            "Stop it, or choose another directory with CHITRA_DATA_DIR=/path/to/folder."
        ) from None
    os.truncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor
