"""The files of an import: folders and zip archives, read as one tree. Nothing is written. No Django."""

import errno
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, BinaryIO

from chitra.sources.picasa import is_ini
from photos.clutter import is_clutter

BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
PACKED = (".tgz", ".tar.gz", ".tar", ".7z", ".rar")
UNPACK = "An archive of this kind is not read. Unpack it into a folder, or ask for zip archives."
MAX_SIDECAR_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class SourceFile:
    """A file: its path in the tree, what people are shown, its size in bytes and its time of change.

    It lies at `local`, or is `member` of the zip archive at `archive`.
    """

    path: str
    shown: str
    size: int
    modified_at: datetime | None = None
    local: Path | None = None
    archive: Path | None = None
    member: zipfile.ZipInfo | None = None

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]


class Sources:
    """Folders and zip archives of one import; a context, because archives stay open.

    With several, equal paths in different parts lie in the same folder of the tree: exports are split so.
    """

    def __init__(self, paths: list[Path]) -> None:
        self._paths = paths
        self._stack = ExitStack()
        self._archives: dict[Path, zipfile.ZipFile] = {}
        self.problems: list[tuple[str, str]] = []

    def __enter__(self) -> "Sources":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def files(self, *, with_archives: bool = True) -> list[SourceFile]:
        """All regular files but links and clutter, by path. What cannot be read is in `problems`."""
        found: list[SourceFile] = []
        for path in self._paths:
            if path.is_file():
                found += self._members(path)
                continue
            for file in self._walk(path):
                if file.name.lower().endswith(PACKED):
                    self.problems.append((file.shown, UNPACK))
                    continue
                is_archive = with_archives and not file.folder and file.name.lower().endswith(".zip")
                found += self._members(file.local) if is_archive and file.local else [file]
        return sorted(found, key=lambda file: (file.path, file.shown))

    def _walk(self, root: Path) -> Iterator[SourceFile]:
        def note(error: OSError) -> None:
            self.problems.append((printable(error.filename), f"It cannot be read: {error.strerror}."))

        for folder, subfolders, names in os.walk(root, onerror=note):
            subfolders[:] = [name for name in subfolders if not is_clutter(name)]
            for name in names:
                path = Path(folder, name)
                if is_unwanted(name) or path.is_symlink() or not path.is_file():
                    continue
                status = path.stat()
                yield SourceFile(
                    path=printable(path.relative_to(root).as_posix()),
                    shown=printable(path),
                    size=status.st_size,
                    modified_at=datetime.fromtimestamp(status.st_mtime, UTC),
                    local=path,
                )

    def _members(self, archive: Path) -> list[SourceFile]:
        try:
            opened = self._stack.enter_context(zipfile.ZipFile(archive))
        except (*BROKEN_ZIP, OSError) as error:
            self.problems.append((printable(archive), f"The archive cannot be read: {error}."))
            return []
        self._archives[archive] = opened
        return [
            SourceFile(
                path=printable(member.filename),
                shown=f"{printable(archive)}/{printable(member.filename)}",
                size=member.file_size,
                modified_at=zip_time(member),
                archive=archive,
                member=member,
            )
            for member in opened.infolist()
            if not member.is_dir() and is_wanted(member.filename)
        ]

    def open(self, file: SourceFile) -> Any:
        """A binary stream. Raises OSError, also while it is read."""
        if file.local is not None:
            return file.local.open("rb")
        assert file.archive is not None
        assert file.member is not None
        try:
            return ZipStream(self._archives[file.archive].open(file.member))  # type: ignore[arg-type]
        except BROKEN_ZIP as error:
            raise OSError(errno.EIO, f"the archive is damaged or locked ({error})") from error

    def read(self, file: SourceFile) -> bytes:
        """A small file whole; b"" for one that is too large to be a sidecar. Raises OSError."""
        if file.size > MAX_SIDECAR_BYTES:
            return b""
        with self.open(file) as stream:
            return bytes(stream.read(MAX_SIDECAR_BYTES))


class ZipStream:
    """A member of an archive whose damage is an OSError, as that of other files is."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def read(self, size: int = -1, /) -> bytes:
        try:
            return self._stream.read(size)
        except BROKEN_ZIP as error:
            raise OSError(errno.EIO, f"the archive is damaged ({error})") from error

    def __enter__(self) -> "ZipStream":
        return self

    def __exit__(self, *exception: object) -> None:
        self._stream.close()


def is_wanted(name: str) -> bool:
    """Not hidden, not what systems add, and inside the tree."""
    return not any(part in ("/", "__MACOSX") or is_unwanted(part) for part in PurePosixPath(name).parts)


def is_unwanted(name: str) -> bool:
    """Whether a file of this name is passed over: it lies beside photos and says nothing of them."""
    return is_clutter(name) and not is_ini(name)


def zip_time(member: zipfile.ZipInfo) -> datetime | None:
    """The time in an archive, taken as UTC because it has no zone."""
    try:
        return datetime(*member.date_time, tzinfo=UTC)
    except ValueError:
        return None


def printable(path: Any) -> str:
    """A path as text that can be stored and printed, whatever bytes the file system has for it."""
    return os.fsencode(path).decode(errors="replace")
