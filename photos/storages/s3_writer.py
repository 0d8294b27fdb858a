"""Objects into S3: one PUT up to a part's size, else a multipart upload with parts in parallel."""

import base64
import hashlib
import mimetypes
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from photos.storages.errors import StorageUnavailable, s3_errors

if TYPE_CHECKING:
    from photos.storages.s3 import ObjectStorage

PART_BYTES = 8 * 1024 * 1024
PARTS_AT_ONCE = 2  # of one object; with the one being filled that is 24 MiB of memory
_executor = ThreadPoolExecutor(max_workers=12, thread_name_prefix="s3-part")
OTHER_BYTES = "The S3 store kept other bytes than were sent; nothing was kept of the file. Try again."


@dataclass(frozen=True)
class Part:
    """A part as the store has it.

    `sha256` is base64; `is_checked` when the store told the same checksum or ETag.
    """

    number: int
    size: int
    etag: str
    sha256: str
    is_checked: bool

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def base64_sha256(data: bytes | bytearray) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def composite_sha256(parts: list[Part]) -> str:
    """What S3 calls the checksum of a multipart object: that of the parts' checksums, and their number."""
    digests = b"".join(base64.b64decode(part.sha256) for part in parts)
    return f"{base64_sha256(digests)}-{len(parts)}"


class S3Writer:
    """Collects pieces into parts and sends up to two at a time. Not for several threads at once.

    `upload_id` and `parts` take up an upload begun before, perhaps by another process.
    """

    def __init__(
        self,
        storage: "ObjectStorage",
        key: str,
        *,
        upload_id: str = "",
        parts: list[Part] | None = None,
        on_part: Callable[[list[Part]], None] | None = None,
    ) -> None:
        self._storage = storage
        self._place = {"Bucket": storage.bucket_name, "Key": storage.full_key(key)}
        self._key = key
        self._buffer = bytearray()
        self._under_way: dict[int, Future[Part]] = {}
        self._on_part = on_part
        self._number = len(parts or ())
        self.upload_id = upload_id
        self.parts = list(parts or ())

    def write(self, data: bytes, /) -> int:
        rest = memoryview(data)
        while rest:
            if len(self._buffer) == PART_BYTES:
                self._send_part()
            room = PART_BYTES - len(self._buffer)
            self._buffer += rest[:room]
            rest = rest[room:]
        return len(data)

    def flush(self) -> None:
        """Parts are under way by themselves; the rest waits for `commit`, which a duplicate never sees."""

    @property
    def pending(self) -> bytes:
        """What was written and is in no part yet."""
        return bytes(self._buffer)

    def drain(self) -> None:
        """Wait until all parts sent are in the store."""
        while self._under_way:
            self._collect()

    def commit(self, sha256: str = "") -> None:
        """Make the object appear, and compare what the store has with what was sent."""
        if not self.upload_id and not self.parts:
            self._put_whole(sha256)
            return
        if self._buffer or not self._number:
            self._send_part()
        self.drain()
        with s3_errors(self._key):
            answer = self._storage.client.complete_multipart_upload(
                **self._place,
                UploadId=self.upload_id,
                MultipartUpload={
                    "Parts": [
                        {"PartNumber": part.number, "ETag": part.etag, "ChecksumSHA256": part.sha256}
                        if part.is_checked
                        else {"PartNumber": part.number, "ETag": part.etag}
                        for part in self.parts
                    ]
                },
            )
        self.upload_id = ""
        self._check_whole(answer.get("ChecksumSHA256"))

    def abort(self) -> None:
        """Leave nothing behind, as far as the store can be reached. `check_files` finds what remains."""
        for future in self._under_way.values():
            future.cancel()
        for future in self._under_way.values():
            if not future.cancelled():
                future.exception()
        self._under_way.clear()
        self._buffer = bytearray()
        if self.upload_id:
            try:
                with s3_errors(self._key):
                    self._storage.client.abort_multipart_upload(**self._place, UploadId=self.upload_id)
            except OSError:
                return
            self.upload_id = ""

    def _put_whole(self, sha256: str) -> None:
        body = self._buffer
        sent = base64.b64encode(bytes.fromhex(sha256)).decode() if sha256 else base64_sha256(body)

        def put() -> Any:
            return self._storage.client.put_object(
                **self._place, Body=body, ChecksumSHA256=sent, ContentType=content_type(self._key)
            )

        answer = self._in_bucket(put)
        kept = answer.get("ChecksumSHA256")
        if kept is None and not etag_matches(answer["ETag"], body):
            self._check_size(len(body))
        if kept not in (None, sent):
            self._refuse()

    def _in_bucket(self, request: Callable[[], Any]) -> Any:
        """Do the request; when the bucket is missing, make it first."""
        with s3_errors(self._key):
            try:
                return request()
            except self._storage.client.exceptions.NoSuchBucket:
                pass
            except self._storage.client.exceptions.ClientError as error:
                if error.response.get("Error", {}).get("Code") not in {"NoSuchBucket", "404"}:
                    raise
        self._storage.ensure_bucket()
        with s3_errors(self._key):
            return request()

    def begin(self) -> str:
        """Start the multipart upload unless it is under way; its id."""
        if not self.upload_id:
            answer = self._in_bucket(
                lambda: self._storage.client.create_multipart_upload(
                    **self._place, ContentType=content_type(self._key), ChecksumAlgorithm="SHA256"
                )
            )
            self.upload_id = answer["UploadId"]
        return self.upload_id

    def _send_part(self) -> None:
        self.begin()
        while self._under_way and (len(self._under_way) >= PARTS_AT_ONCE or self._is_oldest_done()):
            self._collect()
        body, self._buffer = self._buffer, bytearray()
        self._number += 1
        self._under_way[self._number] = _executor.submit(self._put_part, self._number, body)

    def _put_part(self, number: int, body: bytearray) -> Part:
        sent = base64_sha256(body)
        with s3_errors(self._key):
            answer = self._storage.client.upload_part(
                **self._place, UploadId=self.upload_id, PartNumber=number, Body=body, ChecksumSHA256=sent
            )
        kept = answer.get("ChecksumSHA256")
        if kept not in (None, sent) or (kept is None and not etag_matches(answer["ETag"], body)):
            raise StorageUnavailable(5, OTHER_BYTES)
        return Part(number, len(body), answer["ETag"], sent, kept is not None)

    def _is_oldest_done(self) -> bool:
        return self._under_way[min(self._under_way)].done()

    def _collect(self) -> None:
        """Wait for the oldest part under way."""
        number = min(self._under_way)
        self.parts.append(self._under_way[number].result())
        del self._under_way[number]
        if self._on_part is not None:
            self._on_part(self.parts)

    def _check_whole(self, checksum: str | None) -> None:
        """A composite checksum must be ours, and the size, which a server without checksums knows too."""
        if checksum and "-" in checksum and checksum != composite_sha256(self.parts):
            self._refuse()
        self._check_size(sum(part.size for part in self.parts))

    def _check_size(self, size: int) -> None:
        if self._storage.stat(self._key).size != size:
            self._refuse()

    def _refuse(self) -> None:
        self._storage.delete(self._key)
        raise StorageUnavailable(5, OTHER_BYTES)


def content_type(key: str) -> str:
    return mimetypes.guess_type(key)[0] or "application/octet-stream"


def etag_matches(etag: str, body: bytes | bytearray) -> bool:
    """Whether an ETag is the MD5 of the body, as S3 servers without server-side encryption answer.

    An ETag of another form says nothing and counts as a match; sizes are compared besides.
    """
    text = etag.strip('"')
    is_md5 = len(text) == 32 and all(character in "0123456789abcdef" for character in text)
    return not is_md5 or text == hashlib.md5(body, usedforsecurity=False).hexdigest()
