"""While an old library moves here: originals that are not in the store yet come from the old FTP server.

Which ones, `LegacyFile` says: `migrate_legacy --originals-later` makes these rows with the photos; the bytes
follow on first use, or with its next run. The old server is only read.
"""

import ftplib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from django.core.files import File
from django.core.files.storage import Storage
from django.utils.module_loading import import_string

from photos.hashing import Digest, RunningDigest
from photos.models import LegacyFile
from photos.storages.errors import StorageUnavailable
from photos.storages.objects import CHUNK_BYTES, ObjectReader, ObjectStat

TIMEOUT_SECONDS = 30
ATTEMPTS = 3
AWAY = "The old FTP server does not answer. Check CHITRA_LEGACY_FTP_HOST and the server, then try again."


class ReadThroughStorage(Storage):
    """The storage `primary` ({BACKEND, OPTIONS}), which fetches what it lacks.

    The rest is that storage's own.
    """

    def __init__(self, *, primary: dict[str, Any], **server: Any) -> None:
        self.primary = import_string(primary["BACKEND"])(**primary["OPTIONS"])
        self._server = server

    def __getattr__(self, name: str) -> Any:
        if name == "primary":  # while unpickled
            raise AttributeError(name)
        return getattr(self.primary, name)

    @property
    def place(self) -> tuple[str, int, str]:
        """Host, port and base folder of the old server."""
        return self._server["host"], self._server["port"], self._server["base"].strip("/")

    def ensure(self, key: str) -> None:
        """Have the object here. Asks the database, so call it where the ORM may be used.

        Raises FileNotFoundError when the old server has it neither, StorageUnavailable when it does not
        answer.
        """
        file = LegacyFile.objects.select_related("photo").filter(photo__original_key=key).first()
        if file is None:
            return
        if not self.primary.exists(key):
            self._fetch(file)
        file.delete()

    def _fetch(self, file: LegacyFile) -> None:
        """Copy one original, whole and with the right bytes or not at all."""
        photo = file.photo
        for attempt in range(1, ATTEMPTS + 1):
            writer = self.primary.open_writer(photo.original_key)
            running = RunningDigest()
            try:
                for data in self._read(file.path):
                    running.update(data)
                    writer.write(data)
                check_digest(file, running.digest)
                writer.commit(running.digest.sha256)
            except ftplib.error_perm as error:
                writer.abort()
                raise FileNotFoundError(2, "The old server does not have the file.", file.path) from error
            except (ftplib.Error, EOFError, ConnectionError, TimeoutError) as error:
                writer.abort()
                if attempt == ATTEMPTS:
                    raise StorageUnavailable(5, AWAY) from error
            except BaseException:
                writer.abort()
                raise
            else:
                return

    def _read(self, path: str) -> Iterator[bytes]:
        with self._connected() as ftp:
            base = self._server["base"].rstrip("/")
            with closing(ftp.transfercmd(f"RETR {base}/{path}" if base else f"RETR {path}")) as connection:
                while data := connection.recv(CHUNK_BYTES):
                    yield data
            ftp.voidresp()

    @contextmanager
    def _connected(self) -> Iterator[ftplib.FTP]:
        ftp = (ftplib.FTP_TLS if self._server["use_tls"] else ftplib.FTP)(timeout=TIMEOUT_SECONDS)
        with closing(ftp):
            try:
                ftp.connect(self._server["host"], self._server["port"])
                ftp.login(self._server["user"], self._server["password"])
            except ftplib.error_perm as error:
                reason = "The old FTP server refuses CHITRA_LEGACY_FTP_USER."
                raise StorageUnavailable(13, reason) from error
            except OSError as error:
                raise StorageUnavailable(5, AWAY) from error
            if isinstance(ftp, ftplib.FTP_TLS):
                ftp.prot_p()
            ftp.voidcmd("TYPE I")
            yield ftp

    # Reads that find nothing here look there.

    def open_reader(self, key: str, start: int = 0, end: int | None = None) -> ObjectReader:
        try:
            reader: ObjectReader = self.primary.open_reader(key, start, end)
        except FileNotFoundError:
            self.ensure(key)
            reader = self.primary.open_reader(key, start, end)
        return reader

    def stat(self, key: str) -> ObjectStat:
        try:
            found: ObjectStat = self.primary.stat(key)
        except FileNotFoundError:
            self.ensure(key)
            found = self.primary.stat(key)
        return found

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        self.stat(name)
        opened: File[bytes] = self.primary.open(name, mode)
        return opened

    def _save(self, name: str, content: "File[Any]") -> str:
        return str(self.primary.save(name, content))

    def delete(self, name: str) -> None:
        self.primary.delete(name)

    def exists(self, name: str) -> bool:
        return bool(self.primary.exists(name))

    def size(self, name: str) -> int:
        return self.stat(name).size

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return str(self.primary.get_available_name(name, max_length))


def check_digest(file: LegacyFile, digest: Digest) -> None:
    """StorageUnavailable when the old server gave other bytes than the photo's row has a checksum of."""
    photo = file.photo
    known = {photo.sha1: digest.sha1, photo.checksum: digest.sha256}
    if any(expected and expected != found for expected, found in known.items()):
        reason = (
            "The old FTP server gave other bytes than the photo had when it was recorded; nothing was kept."
        )
        raise StorageUnavailable(5, reason)


def remaining() -> int:
    """How many originals still lie on the old server only."""
    return LegacyFile.objects.count()
