"""Originals that stay in a folder of their owner: read there, never written, beside Chitra's own storage.

Their keys tell where they lie (`folders/<folder id>/<absolute path>`), so no query is needed to read them.
What is read must lie below CHITRA_SCAN_ROOTS now, links resolved, whatever the row says.
"""

import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.files import File
from django.core.files.storage import Storage
from django.utils.module_loading import import_string

from photos.storages.errors import StorageUnavailable
from photos.storages.files import DurableFileSystemStorage, FileWriter
from photos.storages.objects import ObjectReader, ObjectStat

PREFIX = "folders/"
MAX_KEY = 2000  # characters; an index holds keys
KEY = re.compile(r"folders/[0-9]+(/.+)", re.DOTALL)
READ_ONLY = "This original lies in a folder that Chitra only reads."
OUTSIDE = (
    "This original lies in a folder that CHITRA_SCAN_ROOTS no longer allows. Add the folder there again."
)


def folder_key(folder_id: int, path: str) -> str:
    """The key of a file of a folder; `path` is absolute and escaped (`escaped`)."""
    return f"{PREFIX}{folder_id}{path}"


def escaped(name: str) -> str:
    """A file name as text that a database takes and `unescaped` turns back, whatever bytes it has."""
    if "%" not in name and name.isprintable():
        return name
    return "".join(
        f"%{ord(character) & 0xFF:02X}"
        if character == "%" or "\udc80" <= character <= "\udcff"
        else character
        for character in name
    )


def unescaped(text: str) -> str:
    """The file name that `escaped` made this of."""
    return os.fsdecode(unquote_to_bytes(text)) if "%" in text else text


def is_folder_key(key: str) -> bool:
    """Whether the original stays in a folder."""
    return key.startswith(PREFIX)


def lost_key(uuid_hex: str) -> str:
    """The key of a photo whose file is gone while another one has its place."""
    return f"{PREFIX}lost/{uuid_hex}"


class FolderFiles(DurableFileSystemStorage):
    """Reads files by the path in their key. Nothing is ever written, moved or deleted."""

    def __init__(self) -> None:
        super().__init__(location="/")

    def path(self, name: str) -> str:
        """Where the file lies. Raises FileNotFoundError, and StorageUnavailable outside the scan roots."""
        match = KEY.fullmatch(name)
        if match is None:
            raise FileNotFoundError(errno.ENOENT, "The file is no longer in its folder.", name)
        resolved = Path(unescaped(match[1])).resolve()
        if not any(resolved.is_relative_to(root.resolve()) for root in settings.SCAN_ROOTS):
            raise StorageUnavailable(errno.EACCES, OUTSIDE)
        return str(resolved)

    def exists(self, name: str) -> bool:
        try:
            return Path(self.path(name)).exists()
        except OSError:
            return False

    def delete(self, name: str) -> None:
        """Forgetting a photo leaves the file of its owner alone."""

    def open_writer(self, key: str) -> FileWriter:
        raise StorageUnavailable(errno.EROFS, READ_ONLY)

    def move(self, key: str, new_key: str) -> None:
        raise StorageUnavailable(errno.EROFS, READ_ONLY)

    def iterate(self, *, prefix: str = "", after: str = "") -> Iterator[ObjectStat]:
        return iter(())


class OriginalsStorage(Storage):
    """The storage `primary` ({BACKEND, OPTIONS}) for what is Chitra's own, FolderFiles for the rest.

    What has no key is that storage's own.
    """

    def __init__(self, *, primary: dict[str, Any]) -> None:
        self.primary = import_string(primary["BACKEND"])(**primary["OPTIONS"])
        self.folders = FolderFiles()

    def __getattr__(self, name: str) -> Any:
        if name == "primary":  # while unpickled
            raise AttributeError(name)
        return getattr(self.primary, name)

    def of_key(self, key: str) -> Any:
        """The storage that has this object."""
        return self.folders if is_folder_key(key) else self.primary

    def open_reader(self, key: str, start: int = 0, end: int | None = None) -> ObjectReader:
        reader: ObjectReader = self.of_key(key).open_reader(key, start, end)
        return reader

    def stat(self, key: str) -> ObjectStat:
        found: ObjectStat = self.of_key(key).stat(key)
        return found

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        opened: File[bytes] = self.of_key(name).open(name, mode)
        return opened

    def _save(self, name: str, content: "File[Any]") -> str:
        return str(self.of_key(name).save(name, content))

    def delete(self, name: str) -> None:
        self.of_key(name).delete(name)

    def exists(self, name: str) -> bool:
        return bool(self.of_key(name).exists(name))

    def size(self, name: str) -> int:
        return int(self.of_key(name).size(name))

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return str(self.primary.get_available_name(name, max_length))
