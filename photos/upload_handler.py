"""Files of a form go into the library while they are parsed, instead of into temporary files first.

Their rows are made in groups, so that a form of many files costs few commits; all before the answer.
"""

import io
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from photos.services import IncomingFile, Outcome, RejectedFile, finish_all
from photos.storages.errors import StorageUnavailable
from photos.taking import GROUP_BYTES, GROUP_FILES

FIELDS = ("file", "files")


class TakenFile(UploadedFile):
    """A file of the form; `outcome` says how it ended, once the form is parsed."""

    def __init__(self, name: str, size: int, outcome: Outcome | None) -> None:
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
        self._whole: list[tuple[IncomingFile, TakenFile]] = []

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
        incoming = self._incoming
        if incoming is None:
            return None
        if self._refused is None:
            try:
                incoming.close()
            except (RejectedFile, StorageUnavailable) as error:
                self._refuse(error)
        self._incoming = None
        taken = TakenFile(self.file_name or "", file_size, self._refused)
        if taken.outcome is None:
            self._whole.append((incoming, taken))
            is_enough = sum(file.size for file, _ in self._whole) >= GROUP_BYTES
            if is_enough or len(self._whole) == GROUP_FILES:
                self._finish()
        return taken

    def upload_complete(self) -> None:
        """The form is parsed."""
        self._finish()

    def upload_interrupted(self) -> None:
        """The client went away or the form is malformed: files that came whole are kept all the same."""
        if self._incoming is not None:
            self._incoming.abort()
            self._incoming = None
        self._finish()

    def _finish(self) -> None:
        whole, self._whole = self._whole, []
        if not whole:
            return
        outcomes = finish_all([incoming for incoming, _ in whole])
        for (_, taken), outcome in zip(whole, outcomes, strict=True):
            taken.outcome = outcome

    def _refuse(self, error: RejectedFile | StorageUnavailable) -> None:
        assert self._incoming is not None
        self._incoming.abort()
        self._refused = error
