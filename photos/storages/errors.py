"""One exception for a store that does not do its work, with a sentence that says what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

REFUSED = {
    "AccessDenied",
    "AllAccessDisabled",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "401",
    "403",
}
FULL = {"QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "EntityTooLarge", "507"}
MISSING = {"404", "NoSuchKey", "NotFound", "NoSuchUpload", "NoSuchBucket"}  # writers make a bucket first


class StorageUnavailable(OSError):
    """The store cannot take or give bytes now (full, read-only, away); nothing is kept of an upload."""

    def __str__(self) -> str:
        return str(self.strerror)


def unavailable(error: OSError) -> StorageUnavailable:
    """What the file system says, as StorageUnavailable."""
    if isinstance(error, StorageUnavailable):
        return error
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        reason = "The storage is full. Free some space, then send the file again; nothing was kept of it."
    elif error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        reason = "The storage is read-only for Chitra. Correct its permissions, then send the file again."
    else:
        reason = "The storage did not take the file. Try again; health says more."
    return StorageUnavailable(error.errno or errno.EIO, reason)


@contextmanager
def s3_errors(key: str = "") -> Iterator[None]:
    """Turn what boto3 raises into FileNotFoundError (no such object) or StorageUnavailable."""
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectTimeoutError,
        EndpointConnectionError,
        ReadTimeoutError,
    )

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if code in MISSING or status == 404:
            raise FileNotFoundError(errno.ENOENT, "The object is not in the store.", key) from error
        raise refusal(code, status) from error
    except BotoCoreError as error:
        reason = (
            "The S3 store cannot be reached or broke off. Check MINIO_ENDPOINT and the server; try again."
        )
        number = errno.EIO
        if isinstance(error, EndpointConnectionError):
            number = errno.ECONNREFUSED
        elif isinstance(error, (ConnectTimeoutError, ReadTimeoutError)):
            number = errno.ETIMEDOUT
        raise StorageUnavailable(number, reason) from error


def refusal(code: str, status: int) -> StorageUnavailable:
    """The sentence for an error answer of an S3 server."""
    if code in REFUSED:
        reason = f"The S3 store refuses Chitra ({code}). Check MINIO_ACCESS_KEY and MINIO_SECRET_KEY."
        return StorageUnavailable(errno.EACCES, reason)
    if code in FULL or status == 507:
        return StorageUnavailable(errno.ENOSPC, "The S3 store is full. Free some space, then try again.")
    return StorageUnavailable(
        errno.EIO, f"The S3 store answered with an error ({code or status}). Try again; its log says more."
    )
