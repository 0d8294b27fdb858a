"""Bytes in MinIO or any other S3. Apart from `storages`, so that without S3 nobody pays for loading boto3."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from s3transfer.exceptions import RetriesExceededError
from storages.backends.s3 import S3File, S3Storage
from storages.utils import clean_name

ERRNO_OF_STATUS = {401: errno.EACCES, 403: errno.EACCES, 404: errno.ENOENT, 507: errno.ENOSPC}
ERRNO_OF_CODE = {"XMinioStorageFull": errno.ENOSPC, "QuotaExceeded": errno.ENOSPC}
CONFIG = Config(
    connect_timeout=5,
    read_timeout=60,
    retries={"mode": "standard", "total_max_attempts": 3},
    # Checksums that only AWS knows would keep older MinIO servers out.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)


def errno_of(error: Exception) -> int:
    """The system's word for an error of the object store, EIO when there is none."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        code = error.response.get("Error", {}).get("Code")
        return ERRNO_OF_CODE.get(code) or ERRNO_OF_STATUS.get(status, errno.EIO)
    if isinstance(error, EndpointConnectionError):
        return errno.ECONNREFUSED
    if isinstance(error, (ConnectTimeoutError, ReadTimeoutError)):
        return errno.ETIMEDOUT
    return errno.EIO


@contextmanager
def errors_of_the_system() -> Iterator[None]:
    """Errors of the object store as OSError, as every other storage raises them."""
    try:
        yield
    except (ClientError, BotoCoreError, Boto3Error, RetriesExceededError) as error:
        raise OSError(errno_of(error), str(error)) from error


class ObjectFile(S3File):  # type: ignore[misc]
    """An object opened for reading; its bytes are fetched with the first `read`."""

    def _get_file(self) -> Any:
        with errors_of_the_system():
            return super()._get_file()

    file = property(_get_file, S3File._set_file)


class ObjectStorage(S3Storage):  # type: ignore[misc]
    """S3 through django-storages. Keys are unique by construction, so nothing is renamed.

    Raises OSError, FileNotFoundError among them, and never waits for a silent server for ever.
    """

    client_config: Any
    file_overwrite = True
    default_acl = None
    signature_version = "s3v4"
    max_memory_size = 8 * 1024 * 1024  # what is read beyond it lies in a temporary file

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.client_config = self.client_config.merge(CONFIG)

    def _open(self, name: str, mode: str = "rb") -> ObjectFile:
        with errors_of_the_system():
            return ObjectFile(self._normalize_name(clean_name(name)), mode, self)

    def _save(self, name: str, content: Any) -> str:
        with errors_of_the_system():
            return str(super()._save(name, content))

    def delete(self, name: str) -> None:
        with errors_of_the_system():
            super().delete(name)

    def exists(self, name: str) -> bool:
        with errors_of_the_system():
            return bool(super().exists(name))

    def size(self, name: str) -> int:
        with errors_of_the_system():
            return int(super().size(name))
