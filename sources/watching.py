"""Watch folders: a scan starts some seconds after something changed. One process for all of them."""

import errno
import logging
from pathlib import Path
from threading import Event, Timer

from django.db import close_old_connections

from sources.models import Folder
from sources.tasks import start_scan

logger = logging.getLogger(__name__)

QUIET_MS = 2_000  # changes that follow each other so fast are one
LOOK_AGAIN_SECONDS = 60.0
TOO_MANY = (
    "The system watches no more folders. Raise fs.inotify.max_user_watches (sysctl), or set a schedule."
)
NOT_THERE = "The folder cannot be watched now: {reason}. A schedule still scans it."


def watch(stop: Event) -> None:
    """Watch until `stop` is set. Each minute the folders are looked up anew, so new ones are watched too."""
    while not stop.is_set():
        close_old_connections()
        folders = {str(folder.root): folder for folder in Folder.objects.filter(is_watched=True)}
        watched = {path: folder for path, folder in folders.items() if can_be_watched(folder)}
        if not watched:
            stop.wait(LOOK_AGAIN_SECONDS)
            continue
        for folder in touched(watched, stop):
            folder.refresh_from_db()
            start_scan(folder)


def can_be_watched(folder: Folder) -> bool:
    """Whether the folder is there; else its page says why it is not watched."""
    try:
        is_there = folder.root.is_dir()
        tell(folder, "" if is_there else NOT_THERE.format(reason="it is not there"))
    except OSError as error:
        tell(folder, NOT_THERE.format(reason=error.strerror))
        return False
    return is_there


def touched(watched: dict[str, Folder], stop: Event) -> list[Folder]:
    """Wait for the first changes, at most a minute; the folders that have them."""
    from watchfiles import watch as changes_in

    enough = Event()
    timer = Timer(LOOK_AGAIN_SECONDS, enough.set)
    timer.daemon = True
    timer.start()
    both = Either(stop, enough)
    try:
        for changes in changes_in(
            *watched, stop_event=both, step=200, debounce=QUIET_MS, raise_interrupt=False, watch_filter=None
        ):
            paths = [Path(path) for _, path in changes]
            return [
                folder for root, folder in watched.items() if any(path.is_relative_to(root) for path in paths)
            ]
    except OSError as error:
        reason = TOO_MANY if error.errno in (errno.ENOSPC, errno.EMFILE) else str(error)
        logger.warning("Folders cannot be watched: %s", reason)
        for folder in watched.values():
            tell(folder, reason)
        stop.wait(LOOK_AGAIN_SECONDS)
    finally:
        timer.cancel()
    return []


class Either:
    """Set when one of two events is."""

    def __init__(self, *events: Event) -> None:
        self._events = events

    def is_set(self) -> bool:
        return any(event.is_set() for event in self._events)


def tell(folder: Folder, problem: str) -> None:
    """What the page says about watching; written only when it is news."""
    if folder.watch_problem != problem:
        Folder.objects.filter(pk=folder.pk).update(watch_problem=problem)
        folder.watch_problem = problem
