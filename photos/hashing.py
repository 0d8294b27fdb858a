"""Checksums of whole files and the perceptual hash of a picture."""

import hashlib
import io
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np

_CHUNK_BYTES = 1024 * 1024
_ALONE_BYTES = 128 * 1024  # shorter pieces are hashed faster than handed to a thread
_WAITING_BYTES = 2 * 1024 * 1024
_WAITING_PIECES = 64
_hashers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="hash")


class TooLarge(ValueError):
    """More bytes came than allowed; `limit` is how many were."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the file is larger than the limit of {limit:,} bytes")
        self.limit = limit


@dataclass(frozen=True)
class Digest:
    sha256: str
    """64 hex digits."""
    sha1: str
    """40 hex digits; the legacy system's checksum."""
    size: int
    """Bytes."""


class RunningDigest:
    """Both checksums and the size of bytes that come in pieces.

    `TooLarge` is raised by the piece that passes the limit. Large pieces are hashed later: many on another
    thread, the last ones by who asks for `digest`, when a file of one photo's size is on its way to the disk
    already. So pieces must not change. Not for several threads at once.
    """

    def __init__(self, *, max_bytes: int | None = None) -> None:
        self._max_bytes = max_bytes
        self._sha256 = hashlib.sha256()
        self._sha1 = hashlib.sha1(usedforsecurity=False)
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._under_way: Future[None] | None = None
        self.size = 0

    def update(self, data: bytes) -> None:
        self.size += len(data)
        if self._max_bytes is not None and self.size > self._max_bytes:
            raise TooLarge(self._max_bytes)
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        if len(data) < _ALONE_BYTES and len(self._waiting) == 1:
            self._finish_waiting()
        elif self._waiting_bytes >= _WAITING_BYTES or len(self._waiting) == _WAITING_PIECES:
            self._finish_one_under_way()
            self._under_way = _hashers.submit(self._feed, self._take_waiting())

    def _take_waiting(self) -> list[bytes]:
        pieces, self._waiting, self._waiting_bytes = self._waiting, [], 0
        return pieces

    def _feed(self, pieces: list[bytes]) -> None:
        for data in pieces:
            self._sha256.update(data)
            self._sha1.update(data)

    def _finish_one_under_way(self) -> None:
        if self._under_way is not None:
            self._under_way.result()
            self._under_way = None

    def _finish_waiting(self) -> None:
        self._finish_one_under_way()
        self._feed(self._take_waiting())

    @property
    def digest(self) -> Digest:
        self._finish_waiting()
        return Digest(sha256=self._sha256.hexdigest(), sha1=self._sha1.hexdigest(), size=self.size)


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class HashingReader(io.RawIOBase):
    """A binary stream that hashes and counts what is read through it, to store and hash in one pass.

    `head` is what was already read from `source` (to sniff its type) and comes out first. `TooLarge` is
    raised by the very read that passes `max_bytes`. `sha256`, `sha1` and `size` are of the bytes read so far.
    """

    def __init__(self, source: Readable, *, head: bytes = b"", max_bytes: int | None = None) -> None:
        self._source = source
        self._head = head
        self._max_bytes = max_bytes
        self._sha256 = hashlib.sha256()
        self._sha1 = hashlib.sha1(usedforsecurity=False)
        self.size = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            return self.readall()
        if self._head:
            data, self._head = self._head[:size], self._head[size:]
        else:
            data = self._source.read(size)
        self.size += len(data)
        if self._max_bytes is not None and self.size > self._max_bytes:
            raise TooLarge(self._max_bytes)
        self._sha256.update(data)
        self._sha1.update(data)
        return data

    def readall(self) -> bytes:
        # In chunks, so that an endless stream meets the limit before it fills the memory.
        return b"".join(iter(lambda: self.read(_CHUNK_BYTES), b""))

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    @property
    def sha1(self) -> str:
        return self._sha1.hexdigest()

    @property
    def digest(self) -> Digest:
        return Digest(sha256=self.sha256, sha1=self.sha1, size=self.size)


def hash_file(path: Path) -> Digest:
    """Both checksums and the size of a file, read once in large pieces; hashlib lets other threads run."""
    sha256, sha1 = hashlib.sha256(), hashlib.sha1(usedforsecurity=False)
    size = 0
    buffer = bytearray(_CHUNK_BYTES)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            sha256.update(view[:count])
            sha1.update(view[:count])
            size += count
    return Digest(sha256=sha256.hexdigest(), sha1=sha1.hexdigest(), size=size)


@cache
def _dct_basis() -> "np.ndarray[Any, Any]":
    """The lowest 8 of 32 DCT-II basis vectors, shape (8, 32)."""
    import numpy as np

    positions = np.arange(32)
    return np.asarray(2 * np.cos(np.pi * (2 * positions[None, :] + 1) * np.arange(8)[:, None] / 64))


def perceptual_hash(gray: "np.ndarray[Any, Any]") -> int:
    """64-bit hash of a picture's look, equal to ImageHash's `phash`; `gray` is 32x32 luminance, 0 to 255.

    Unsigned: write it as `f"{value:016x}"`. A bit is 1 where a low frequency is above the median of all 64.
    """
    import numpy as np

    if gray.shape != (32, 32):
        raise ValueError(f"a perceptual hash is made of 32x32 pixels, not {gray.shape}")
    low = _dct_basis() @ gray.astype(np.float64) @ _dct_basis().T
    # Rounded, or an even area hashes to the noise of the last bits.
    low = np.round(low, 6)
    return int.from_bytes(np.packbits(low > np.median(low)).tobytes(), "big")


def hamming_distance(a: int, b: int) -> int:
    """Number of differing bits of two 64-bit perceptual hashes: 0 (same look) to 64."""
    return (a ^ b).bit_count()
