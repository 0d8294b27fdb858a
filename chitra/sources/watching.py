"""Watch folders: a scan starts some seconds after something changed. One process for all of them.

A folder is scanned when its watching begins, so what changed while nobody watched is not missed either.
"""

import errno
import logging
from pathlib import Path
from threading import Event

from django.db import close_old_connections

from chitra.sources.models import Folder
from chitra.sources.tasks import start_scan

logger = logging.getLogger(__name__)

QUIET_MS = 2_000  # changes that follow each other so fast are one
LOOK_AGAIN_MS = 10_000
TOO_MANY = (
    "The system watches no more folders. Raise fs.inotify.max_user_watches (sysctl), or set a schedule."
)
NOT_THERE = "The folder cannot be watched now: {reason}. A schedule still scans it."


def watch(stop: Event) -> None:
    """Watch until `stop` is set, also folders that come meanwhile."""
    before: set[str] = set()
    waiting: set[str] = set()
    while not stop.is_set():
        watched = folders_to_watch()
        if watched:
            waiting = follow(watched, stop, begin=watched.keys() - (before - waiting))
        else:
            stop.wait(LOOK_AGAIN_MS / 1000)
        before = set(watched)


def folders_to_watch() -> dict[str, Folder]:
    """Watched folders that are there, by where they are."""
    close_old_connections()
    folders = Folder.objects.filter(is_watched=True).order_by("pk")
    return {str(folder.root): folder for folder in folders if can_be_watched(folder)}


def can_be_watched(folder: Folder) -> bool:
    """Whether the folder is there; else its page says why it is not watched."""
    try:
        is_there = folder.root.is_dir()
    except OSError as error:
        tell(folder, NOT_THERE.format(reason=error.strerror))
        return False
    if not is_there:
        tell(folder, NOT_THERE.format(reason="it is not there"))
    elif folder.watch_problem != TOO_MANY:
        tell(folder, "")
    return is_there


def follow(watched: dict[str, Folder], stop: Event, *, begin: set[str]) -> set[str]:
    """Start scans as things change, and of `begin` at once, until the folders to watch are others.

    Returns those that still wait for a scan.
    """
    from watchfiles import watch as changes_in
    from watchfiles._rust_notify import WatchfilesRustInternalError

    waiting = set(begin)
    all_changes = changes_in(
        *watched,
        stop_event=stop,
        debounce=QUIET_MS,
        rust_timeout=LOOK_AGAIN_MS,
        yield_on_timeout=True,
        raise_interrupt=False,
        watch_filter=None,
    )
    try:
        for changes in all_changes:
            waiting |= {root for root in watched if any(lies_in(path, root) for _, path in changes)}
            waiting -= {root for root in waiting if begin_scan(watched[root])}
            for folder in watched.values():
                tell(folder, "")
            if folders_to_watch().keys() != watched.keys():
                break
    except WatchfilesRustInternalError as error:
        logger.warning("Something changed that cannot be named, so all folders are scanned: %s", error)
        return set(watched)
    except OSError as error:
        reason = TOO_MANY if error.errno in (errno.ENOSPC, errno.EMFILE) else str(error)
        logger.warning("Folders cannot be watched: %s", reason)
        for folder in watched.values():
            tell(folder, reason)
        stop.wait(LOOK_AGAIN_MS / 1000)
    return waiting


def lies_in(path: str, root: str) -> bool:
    return Path(path).is_relative_to(root)


def begin_scan(folder: Folder) -> bool:
    """Start a scan; False while another one is under way, which may have passed what changed."""
    current = Folder.objects.select_related("last_job").filter(pk=folder.pk).first()
    if current is None:
        return True
    if current.last_job is not None and not current.last_job.has_ended:
        return False
    start_scan(current)
    return True


def tell(folder: Folder, problem: str) -> None:
    """What the page says about watching; written only when it is news."""
    if folder.watch_problem != problem:
        Folder.objects.filter(pk=folder.pk).update(watch_problem=problem)
        folder.watch_problem = problem
