"""Files of a form go into the library while they are parsed, instead of into temporary files first."""

import io
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from photos.services import IncomingFile, Ingested, RejectedFile
from photos.storage_errors import StorageUnavailable

FIELDS = ("file", "files")
Outcome = Ingested | RejectedFile | StorageUnavailable


class TakenFile(UploadedFile):
    """A file of the form that has been dealt with: `outcome` says how."""

    def __init__(self, name: str, size: int, outcome: Outcome) -> None:
        super().__init__(io.BytesIO(), name=name, size=size)
        self.outcome = outcome


class IngestingHandler(FileUploadHandler):
    """Hands each file under FIELDS on to the library. A file that is refused does not stop the others."""

    chunk_size = 1024 * 1024

    def __init__(self, origin_of: Any) -> None:
        """`origin_of` a file's name."""
        super().__init__()
        self._origin_of = origin_of
        self._incoming: IncomingFile | None = None
        self._refused: RejectedFile | StorageUnavailable | None = None

    def new_file(self, *args: Any, **options: Any) -> None:
        super().new_file(*args, **options)
        self._refused = None
        self._incoming = (
            IncomingFile(self._origin_of(self.file_name or "")) if self.field_name in FIELDS else None
        )

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self._incoming is None or self._refused is not None:
            return
        try:
            self._incoming.write(raw_data)
        except (RejectedFile, StorageUnavailable) as error:
            self._refuse(error)

    def file_complete(self, file_size: int) -> TakenFile | None:
        if self._incoming is None:
            return None
        outcome: Outcome | None = self._refused
        if outcome is None:
            try:
                outcome = self._incoming.finish()
            except (RejectedFile, StorageUnavailable) as error:
                self._refuse(error)
                outcome = error
            except BaseException:
                self._incoming.abort()
                raise
        self._incoming = None
        return TakenFile(self.file_name or "", file_size, outcome)

    def upload_interrupted(self) -> None:
        """The client went away or the form is malformed in the middle of a file."""
        if self._incoming is not None:
            self._incoming.abort()
            self._incoming = None

    def _refuse(self, error: RejectedFile | StorageUnavailable) -> None:
        assert self._incoming is not None
        self._incoming.abort()
        self._refused = error
