"""Reading from the old FTP server: binary, passive, one connection a thread, never a command that writes."""

import errno
import ftplib
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from chitra.legacy.files import (
    ATTEMPTS,
    CHUNK_BYTES,
    BrokenOff,
    RemoteSource,
    SourceFile,
    SourceUnavailable,
    UnusableName,
)

TIMEOUT_SECONDS = 30
NOT_THERE = ("550", "553", "501")
REFUSED = ("530", "532")
OUR_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class FtpAddress:
    """Where the old server is; `base` is FTP_STORAGE_BASE without slashes around it."""

    host: str
    port: int
    user: str
    password: str
    base: str
    tls: bool

    @classmethod
    def parse(cls, url: str, *, password: str = "") -> "FtpAddress":
        """`ftp://user:password@host:port/base` (or ftps). `password` counts when the URL has none.

        Raises ValueError.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("ftp", "ftps") or not parts.hostname:
            raise ValueError("expected ftp://user:password@host:port/base")
        return cls(
            host=parts.hostname,
            port=parts.port or 21,
            user=unquote(parts.username or "anonymous"),
            password=unquote(parts.password) if parts.password is not None else password,
            base=unquote(parts.path).strip("/"),
            tls=parts.scheme == "ftps",
        )


class FtpSource(RemoteSource):
    """Files below the base of an FTP server. SIZE is asked in binary mode: in ASCII some servers say 550."""

    def __init__(
        self,
        address: FtpAddress,
        *,
        encoding: str = "utf-8",
        timeout_seconds: float = TIMEOUT_SECONDS,
        pause_seconds: float = 0.5,
    ) -> None:
        super().__init__(pause_seconds=pause_seconds)
        self.address = address
        self.encoding = encoding
        self.timeout_seconds = timeout_seconds
        self._local = threading.local()
        self._open: set[ftplib.FTP] = set()
        self._lock = threading.Lock()

    def path_of(self, key: str) -> str:
        """The full path, in the form the old server used itself."""
        path = f"/{self.address.base}/{key}" if self.address.base else f"/{key}"
        if "\n" in path or "\r" in path:
            raise UnusableName(f"{key!r} has a line break, which FTP cannot send.")
        return path

    def read_on(self, key: str, target: BinaryIO) -> None:
        path = self.path_of(key)
        try:
            ftp = self.connection()
            size = size_of(ftp, path)
            start = target.tell()
            ftp.retrbinary(f"RETR {path}", target.write, CHUNK_BYTES, rest=start or None)
        except SourceUnavailable:
            raise
        except UnicodeEncodeError:
            raise UnusableName(f"{key!r} has characters that {self.encoding} cannot send.") from None
        except ftplib.error_perm as error:
            if str(error).startswith(NOT_THERE):
                raise FileNotFoundError(str(error)) from error
            self.drop()
            raise BrokenOff(str(error)) from error
        except (ftplib.Error, EOFError, OSError) as error:
            if getattr(error, "errno", None) in OUR_DISK:
                raise
            self.drop()
            raise BrokenOff(str(error) or type(error).__name__) from error
        if size is not None and target.tell() != size:
            # Cut short without an error, or changed meanwhile: from the start.
            received = target.tell()
            target.seek(0)
            target.truncate()
            raise BrokenOff(f"{received} of {size} bytes came")

    def connection(self) -> ftplib.FTP:
        """This thread's connection, logged in and in binary mode."""
        ftp = getattr(self._local, "ftp", None)
        if ftp is None:
            ftp = self._local.ftp = self.connect()
            with self._lock:
                self._open.add(ftp)
        return ftp

    def connect(self) -> ftplib.FTP:
        kind = ftplib.FTP_TLS if self.address.tls else ftplib.FTP
        ftp = kind(timeout=self.timeout_seconds, encoding=self.encoding)
        try:
            ftp.connect(self.address.host, self.address.port)
            ftp.login(self.address.user, self.address.password)
            if isinstance(ftp, ftplib.FTP_TLS):
                ftp.prot_p()
            ftp.voidcmd("TYPE I")
        except ftplib.error_perm as error:
            ftp.close()
            if str(error).startswith(REFUSED):
                raise SourceUnavailable(f"The FTP server refuses the login: {error}") from error
            raise
        except OSError as error:
            ftp.close()
            raise BrokenOff(f"{self.address.host}:{self.address.port}: {error}") from error
        return ftp

    def drop(self) -> None:
        """Forget this thread's connection; the next use opens another one."""
        ftp = getattr(self._local, "ftp", None)
        if ftp is not None:
            self._local.ftp = None
            with self._lock:
                self._open.discard(ftp)
            ftp.close()

    def close(self) -> None:
        with self._lock:
            connections, self._open = self._open, set()
        for ftp in connections:
            with suppress(ftplib.Error, EOFError, OSError):
                ftp.quit()
            ftp.close()
        self._local = threading.local()

    def files(self) -> Iterator[SourceFile]:
        folders = [""]
        while folders:
            entries = self._list(folders.pop())
            yield from (file for file in entries if isinstance(file, SourceFile))
            folders += sorted((name for name in entries if isinstance(name, str)), reverse=True)

    def _list(self, folder: str) -> list[SourceFile | str]:
        """Files of a folder, and its subfolders as text."""
        failures = 0
        while True:
            try:
                return list_folder(self.connection(), self.path_of(folder).rstrip("/") or "/", folder)
            except SourceUnavailable:
                raise
            except (ftplib.Error, EOFError, OSError, BrokenOff) as error:
                self.drop()
                failures += 1
                if failures >= ATTEMPTS or isinstance(error, ftplib.error_perm):
                    raise SourceUnavailable(f"The folder /{folder} cannot be listed: {error}") from error
            time.sleep(self.pause_seconds * 2**failures)


def size_of(ftp: ftplib.FTP, path: str) -> int | None:
    """Bytes of a file; None when the server does not say (RETR then tells whether it is there)."""
    try:
        return ftp.size(path)
    except ftplib.error_perm:
        return None


def list_folder(ftp: ftplib.FTP, path: str, folder: str) -> list[SourceFile | str]:
    """By MLSD, or by NLST and SIZE where the server does not know it."""
    prefix = f"{folder}/" if folder else ""
    try:
        rows = list(ftp.mlsd(path, ["type", "size", "modify"]))
    except ftplib.error_perm as error:
        if not str(error).startswith("50"):
            raise
        return list_by_name(ftp, path, prefix)
    finally:
        ftp.voidcmd("TYPE I")  # listings switch to ASCII, in which SIZE is refused
    found: list[SourceFile | str] = []
    for name, facts in rows:
        if facts.get("type") == "dir":
            found.append(prefix + name)
        elif facts.get("type") == "file":
            found.append(
                SourceFile(prefix + name, int(facts.get("size", 0)), modified_at(facts.get("modify", "")))
            )
    return found


def list_by_name(ftp: ftplib.FTP, path: str, prefix: str) -> list[SourceFile | str]:
    """What has a size is a file; what can be entered is a folder."""
    try:
        names = ftp.nlst(path)
    except ftplib.error_perm as error:
        if str(error).startswith("550"):  # an empty folder, to some servers
            return []
        raise
    finally:
        ftp.voidcmd("TYPE I")
    found: list[SourceFile | str] = []
    for name in sorted({full.rstrip("/").rpartition("/")[2] for full in names} - {"", ".", ".."}):
        size = size_of(ftp, f"{path.rstrip('/')}/{name}")
        found.append(prefix + name if size is None else SourceFile(prefix + name, size))
    return found


def modified_at(text: str) -> datetime | None:
    """MLSD's `YYYYMMDDHHMMSS`, in UTC."""
    try:
        return datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
