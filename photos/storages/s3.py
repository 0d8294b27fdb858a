"""Objects in MinIO or any other S3, through django-storages and boto3."""

import io
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any

from django.core.files import File
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

from photos.storages.errors import StorageUnavailable, s3_errors
from photos.storages.objects import Leftover, ObjectStat, copy_stream
from photos.storages.s3_writer import S3Writer

READ_ATTEMPTS = 4
COPY_LIMIT_BYTES = 5 * 1000**3  # what one CopyObject takes
_creating = threading.Lock()


def client_of(process_id: int, **options: Any) -> Any:
    """A boto3 client for each process and set of options, which its threads share.

    Making one takes 0.1 s and more, and boto3's default session is not made for threads: so the first thread
    makes it, and the others wait.
    """
    with _creating:
        return make_client(process_id, **options)


@cache
def make_client(process_id: int, **options: Any) -> Any:
    import boto3
    from botocore.config import Config

    from photos.storages.s3_signing import sign_known_bodies

    client = boto3.session.Session().client(
        "s3",
        endpoint_url=options["endpoint_url"] or None,
        region_name=options["region_name"] or None,
        aws_access_key_id=options["access_key"] or None,
        aws_secret_access_key=options["secret_key"] or None,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": options["addressing_style"]},
            connect_timeout=options["connect_timeout"],
            read_timeout=options["read_timeout"],
            retries={"mode": "standard", "total_max_attempts": options["attempts"]},
            max_pool_connections=32,
            # Chitra sends and compares SHA-256 itself; older servers trip over boto3's own choice.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
    sign_known_bodies(client)
    return client


class ObjectStorage(S3Storage):
    """A prefix (`location`) of one private bucket, which is made when it is missing.

    Options beside those of S3Storage: `public_endpoint_url` for presigned URLs, `connect_timeout` and
    `read_timeout` in seconds, `attempts` of one request, `verify_read_back`.
    """

    client_config: Any
    file_overwrite = True
    default_acl = None
    public_endpoint_url = ""
    connect_timeout = 5
    read_timeout = 30
    attempts = 4
    verify_read_back = False

    def get_default_settings(self) -> dict[str, Any]:
        names = ("public_endpoint_url", "connect_timeout", "read_timeout", "attempts", "verify_read_back")
        own = {name: getattr(type(self), name) for name in names}
        return {**super().get_default_settings(), **own, "file_overwrite": True}

    @property
    def client(self) -> Any:
        """For this process; safe in threads."""
        return self._client(self.endpoint_url)

    def _client(self, endpoint_url: str) -> Any:
        return client_of(
            os.getpid(),
            endpoint_url=endpoint_url,
            region_name=self.region_name,
            access_key=self.access_key,
            secret_key=self.secret_key,
            addressing_style=self.addressing_style,
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
            attempts=self.attempts,
        )

    def full_key(self, key: str) -> str:
        """The key in the bucket. Raises SuspiciousOperation for one that leaves the prefix."""
        return str(self._normalize_name(clean_name(key)))

    def short_key(self, full_key: str) -> str:
        """The key without the prefix of this storage."""
        return full_key.removeprefix(f"{self.location}/") if self.location else full_key

    def open_writer(self, key: str) -> S3Writer:
        return S3Writer(self, key)

    def open_reader(self, key: str, start: int = 0, end: int | None = None) -> "S3Reader":
        return S3Reader(self, key, start, end)

    def stat(self, key: str) -> ObjectStat:
        with s3_errors(key):
            head = self.client.head_object(Bucket=self.bucket_name, Key=self.full_key(key))
        return ObjectStat(key, head["ContentLength"], head["LastModified"])

    def iterate(self, *, prefix: str = "", after: str = "") -> Iterator[ObjectStat]:
        root = f"{self.location}/" if self.location else ""
        options = {"StartAfter": root + after} if after else {}
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket_name, Prefix=root + prefix, **options
        )
        with s3_errors():
            for page in pages:
                for entry in page.get("Contents", ()):
                    key = self.short_key(entry["Key"])
                    # Not every server honours StartAfter; hidden ones are tails of uploads.
                    if key > after and not key.startswith("."):
                        yield ObjectStat(key, entry["Size"], entry["LastModified"])

    def move(self, key: str, new_key: str) -> None:
        """Copy, compare the size, then remove."""
        size = self.stat(key).size
        with s3_errors(key):
            source = {"Bucket": self.bucket_name, "Key": self.full_key(key)}
            target = {"Bucket": self.bucket_name, "Key": self.full_key(new_key)}
            if size <= COPY_LIMIT_BYTES:
                self.client.copy_object(CopySource=source, **target)
            else:
                self.client.copy(source, self.bucket_name, target["Key"])
        if self.stat(new_key).size != size:
            raise StorageUnavailable(5, "The S3 store copied an object incompletely; the old one was kept.")
        self.delete(key)

    def ensure_bucket(self) -> None:
        """Make the bucket, private as S3 servers make them, unless it is there."""
        with s3_errors():
            try:
                location = (
                    {"CreateBucketConfiguration": {"LocationConstraint": self.region_name}}
                    if self.region_name and self.region_name != "us-east-1"
                    else {}
                )
                self.client.create_bucket(Bucket=self.bucket_name, **location)
            except (
                self.client.exceptions.BucketAlreadyOwnedByYou,
                self.client.exceptions.BucketAlreadyExists,
            ):
                return

    def is_public(self, key: str) -> bool:
        """Whether anybody can read this object without keys."""
        import requests

        parameters = {"Bucket": self.bucket_name, "Key": self.full_key(key)}
        url = self.client.generate_presigned_url("get_object", Params=parameters).partition("?")[0]
        try:
            return requests.get(url, timeout=self.connect_timeout, stream=True).status_code == 200
        except requests.RequestException:
            return False

    def presigned_url(self, key: str, *, seconds: int, headers: dict[str, str]) -> str:
        """A URL to GET the object for some seconds, at the public endpoint when there is one.

        `headers` are those that the store answers with: ContentType, ContentDisposition, CacheControl.
        """
        parameters = {f"Response{name}": value for name, value in headers.items() if value}
        return str(
            self._client(self.public_endpoint_url or self.endpoint_url).generate_presigned_url(
                "get_object",
                Params={"Bucket": self.bucket_name, "Key": self.full_key(key), **parameters},
                ExpiresIn=seconds,
            )
        )

    def leftovers(self) -> Iterator[Leftover]:
        root = f"{self.location}/" if self.location else ""
        with s3_errors():
            pages = self.client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self.bucket_name, Prefix=root
            )
            for page in pages:
                for entry in page.get("Uploads", ()):
                    yield Leftover(self.short_key(entry["Key"]), entry["UploadId"], entry["Initiated"])
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket_name, Prefix=f"{root}.uploads/"
            )
            for page in pages:
                for entry in page.get("Contents", ()):
                    yield Leftover(self.short_key(entry["Key"]), "", entry["LastModified"])

    def discard(self, leftover: Leftover) -> None:
        if not leftover.token:
            self.delete(leftover.key)
            return
        with suppress(FileNotFoundError), s3_errors(leftover.key):
            self.client.abort_multipart_upload(
                Bucket=self.bucket_name, Key=self.full_key(leftover.key), UploadId=leftover.token
            )

    # Django's interface, over the same client.

    def _save(self, name: str, content: "File[Any]") -> str:
        if content.seekable():
            content.seek(0)
        writer = self.open_writer(name)
        try:
            copy_stream(content, writer)
            writer.commit()
        except BaseException:
            writer.abort()
            raise
        return str(clean_name(name))

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        if mode != "rb":
            raise ValueError("Objects are opened for reading; open_writer writes them.")
        reader = self.open_reader(name)
        file: File[bytes] = File(io.BufferedReader(reader, buffer_size=64 * 1024), name=name)
        file.size = reader.stat.size
        return file

    def delete(self, name: str) -> None:
        try:
            with s3_errors(name):
                self.client.delete_object(Bucket=self.bucket_name, Key=self.full_key(name))
        except FileNotFoundError:
            return

    def exists(self, name: str) -> bool:
        try:
            self.stat(name)
        except FileNotFoundError:
            return False
        return True

    def size(self, name: str) -> int:
        return self.stat(name).size

    def get_modified_time(self, name: str) -> Any:
        return self.stat(name).modified_at


class S3Reader(io.RawIOBase):
    """An object read in order; a connection that breaks off is taken up again where it stood."""

    file = None

    def __init__(self, storage: ObjectStorage, key: str, start: int = 0, end: int | None = None) -> None:
        super().__init__()
        self._storage = storage
        self._key = key
        self._position = start
        self._end = end
        self._etag = ""
        self._failures = 0
        self._body: Any = None
        response = self._request()
        total = response.get("ContentRange", "").rpartition("/")[2]
        size = int(total) if total.isdigit() else response["ContentLength"]
        self.stat = ObjectStat(key, size, response["LastModified"])
        self._end = size if end is None else min(end, size)

    def _request(self) -> Any:
        options: dict[str, str] = {}
        if self._position or self._end is not None:
            options["Range"] = f"bytes={self._position}-{'' if self._end is None else self._end - 1}"
        if self._etag:
            options["IfMatch"] = self._etag
        with s3_errors(self._key):
            response = self._storage.client.get_object(
                Bucket=self._storage.bucket_name, Key=self._storage.full_key(self._key), **options
            )
        self._etag, self._body = response["ETag"], response["Body"]
        return response

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        assert self._end is not None
        left = self._end - self._position
        wanted = left if size is None or size < 0 else min(size, left)
        while wanted > 0:
            try:
                with s3_errors(self._key):
                    data = bytes(self._body.read(wanted))
                if data:
                    self._position += len(data)
                    return data
                raise StorageUnavailable(5, "The S3 store broke off in the middle of an object.")
            except StorageUnavailable:
                self._failures += 1
                if self._failures >= READ_ATTEMPTS:
                    raise
                self._body.close()
                self._request()
        return b""

    def readall(self) -> bytes:
        return b"".join(iter(lambda: self.read(1024 * 1024), b""))

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if self._body is not None and not self.closed:
            self._body.close()
        super().close()
