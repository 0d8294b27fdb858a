"""What lies in a folder, in the order of its paths, without anything held in memory but one level. No Django.

Paths are text below the root (`2024/a.jpg`), escaped where a name is no text, and come in the order of their
bytes, so that a list of them can be merged with sorted rows.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import translate
from pathlib import Path
from typing import NamedTuple

from chitra.sources.picasa import is_ini

UNREADABLE = -1
MAX_PATH_BYTES = 1500  # longer ones do not fit into an index


class Entry(NamedTuple):
    """A regular file; or, with a `problem`, what cannot be taken. A folder's path ends with “/”."""

    path: str
    size: int = UNREADABLE
    mtime_ns: int = UNREADABLE
    problem: str = ""


def never(text: str) -> bool:
    return False


@dataclass(frozen=True)
class Rules:
    """What is left out: hidden files (unless `with_hidden`; not Picasa's) and what a pattern matches.

    A pattern matches in any case: without “/” any file or folder of this name (`*.tmp`, `@eaDir`), with it a
    path from the root (`old/*`); `*` matches also “/”. What lies in a matched folder is left out too.
    """

    patterns: tuple[str, ...] = ()
    with_hidden: bool = False

    def matcher(self) -> Callable[[str, str], bool]:
        """Whether a file or folder of this name at this path is left out."""
        names = matches([pattern for pattern in self.patterns if "/" not in pattern.strip("/")])
        paths = matches([pattern for pattern in self.patterns if "/" in pattern.strip("/")])
        with_hidden = self.with_hidden

        def leaves_out(name: str, path: str) -> bool:
            is_hidden = not with_hidden and name.startswith(".") and not is_ini(name)
            return is_hidden or names(name) or paths(path)

        return leaves_out

    def excludes(self, path: str) -> bool:
        """Whether the file or one of the folders it lies in is left out."""
        leaves_out = self.matcher()
        parts = path.split("/")
        return any(leaves_out(part, "/".join(parts[: number + 1])) for number, part in enumerate(parts))


def matches(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Whether a text matches one of these globs."""
    expressions = [translate(pattern.strip("/")) for pattern in patterns if pattern.strip("/")]
    if not expressions:
        return never
    expression = re.compile("|".join(expressions), re.IGNORECASE)
    return lambda text: expression.match(text) is not None


def list_tree(root: Path, rules: Rules, escape: Callable[[str], str] = str) -> Iterator[Entry]:
    """Regular files below `root`. Links are named, never followed, so there are no loops.

    Raises OSError when the root itself cannot be read. `escape` makes text of a name.
    """
    leaves_out = rules.matcher()
    stack = [iter(sorted(read_folder(str(root), "", leaves_out, escape)))]
    while stack:
        for path, sort_key_is_folder, found in stack[-1]:
            if not sort_key_is_folder:
                yield found
                continue
            try:
                inner = sorted(read_folder(found.problem, path, leaves_out, escape))
            except OSError as error:
                yield Entry(path, problem=f"The folder cannot be read: {error.strerror}.")
                continue
            stack.append(iter(inner))
            break
        else:
            stack.pop()


def read_folder(
    folder: str, prefix: str, leaves_out: Callable[[str, str], bool], escape: Callable[[str], str]
) -> list[tuple[str, bool, Entry]]:
    """What lies directly in a folder: path, whether it is a folder, entry.

    The entry of a folder carries where it lies, for the next level.
    """
    found: list[tuple[str, bool, Entry]] = []
    with os.scandir(folder) as entries:
        for item in entries:
            name = escape(item.name)
            path = prefix + name
            if leaves_out(name, path):
                continue
            if item.is_dir(follow_symlinks=False):
                found.append((path + "/", True, Entry(path, problem=item.path)))
            elif item.is_file(follow_symlinks=False):
                found.append((path, False, file_entry(item, path)))
            elif item.is_symlink():
                found.append((path, False, Entry(path, problem="Links are not followed.")))
    return found


def file_entry(item: "os.DirEntry[str]", path: str) -> Entry:
    """A regular file with its size and time, or why it has none."""
    if len(path) > MAX_PATH_BYTES // 4 and len(path.encode()) > MAX_PATH_BYTES:
        return Entry(path, problem="The path is too long.")
    try:
        status = item.stat(follow_symlinks=False)
    except OSError as error:
        return Entry(path, problem=f"The file cannot be read: {error.strerror}.")
    return Entry(path, status.st_size, status.st_mtime_ns)
