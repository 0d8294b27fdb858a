"""Upload and download through Chitra beside raw boto3, against the same S3 server in one run.

`.venv/bin/python benchmarks/storage.py [--megabytes 128] [--rounds 3] [--large 1024] [--endpoint URL
--access-key … --secret-key …]`

Without an endpoint a SeaweedFS is started on loopback. Every side uses multipart, and the same process
sends or receives for all of them, so that a difference is Chitra's. Memory is that of the web process at its
largest, while one large file goes in and out as well.
"""

import argparse
import http.client
import io
import json
import os
import statistics
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import stage
from chitra.tests.s3 import S3Server, running_seaweedfs
from chitra.tests.web import WebProcess

CHUNK_BYTES = 1024 * 1024
BOUNDARY = "chitra-benchmark"
TARGETS = {"upload": 60, "download, streamed": 60, "download, redirect": 90}
MOST_GROWTH_MEGABYTES = 50


class Picture(io.RawIOBase):
    """A JPEG head and then noise, `size` bytes, the same for the same seed; made while it is read."""

    def __init__(self, size: int, seed: int) -> None:
        super().__init__()
        self._head = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + seed.to_bytes(8, "big")
        self._noise = NOISE
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def read(self, size: int | None = -1, /) -> bytes:
        # As much as asked for: boto3 takes a short read for the end of the file.
        left = self._size - self._position
        count = left if size is None or size < 0 else min(size, left)
        head = self._head[self._position : self._position + count]
        rest = count - len(head)
        data = head + (self._noise * (rest // len(self._noise) + 1))[:rest]
        self._position += count
        return data


NOISE = os.urandom(CHUNK_BYTES)


class Chitra:
    """The API over HTTP, as a client program uses it."""

    def __init__(self, web: WebProcess, key: str) -> None:
        self._port = web.port
        self._headers = {"Authorization": f"Bearer {key}"}

    def upload(self, size: int, seed: int) -> int:
        """Send a picture as a form; its id."""
        disposition = 'Content-Disposition: form-data; name="file"; filename="a.jpg"'
        head = f"--{BOUNDARY}\r\n{disposition}\r\nContent-Type: image/jpeg\r\n\r\n".encode()
        tail = f"\r\n--{BOUNDARY}--\r\n".encode()
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=600, blocksize=CHUNK_BYTES)
        connection.putrequest("POST", "/api/photos/upload")
        for name, value in self._headers.items():
            connection.putheader(name, value)
        connection.putheader("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
        connection.putheader("Content-Length", str(len(head) + size + len(tail)))
        connection.endheaders(head)
        picture = Picture(size, seed)
        while data := picture.read(CHUNK_BYTES):
            connection.send(data)
        connection.send(tail)
        answer = connection.getresponse()
        body = json.loads(answer.read())
        assert answer.status == 200, body
        photo_id: int = body["saved"][0]["id"]
        return photo_id

    def download(self, photo_id: int, query: str = "") -> int:
        """Read an original; its size."""
        url = f"http://127.0.0.1:{self._port}/api/photos/{photo_id}/image{query}"
        return drain(urllib.request.Request(url, headers=self._headers))


def drain(request: urllib.request.Request) -> int:
    """Read an answer; how many bytes it had. Redirects are followed without the key."""
    size = 0
    with OPENER.open(request, timeout=600) as answer:
        while data := answer.read(CHUNK_BYTES):
            size += len(data)
    return size


class WithoutKey(urllib.request.HTTPRedirectHandler):
    """The store's presigned URL is all it wants; a second credential is an error to it."""

    def redirect_request(self, *arguments: Any) -> urllib.request.Request | None:
        made = super().redirect_request(*arguments)
        if made is not None:
            made.remove_header("Authorization")
        return made


OPENER = urllib.request.build_opener(WithoutKey)


def raw_client(server: S3Server) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        region_name=server.region,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )


class Nowhere(io.RawIOBase):
    """Takes bytes in any order, counts and forgets them."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = 0

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, *arguments: int) -> int:
        return 0

    def write(self, data: Any, /) -> int:
        self.taken += len(data)
        return len(data)


def megabytes_per_second(size: int, action: Callable[[], int]) -> float:
    """MB/s of an action, which returns how many bytes it moved: all, or the figure means nothing."""
    started = time.perf_counter()
    moved = action()
    seconds = time.perf_counter() - started
    assert moved == size, f"{moved} of {size} bytes were moved"
    return size / 1e6 / seconds


def measure(chitra: Chitra, server: S3Server, bucket: str, size: int, rounds: int) -> list[dict[str, float]]:
    """One dict of MB/s for each round, raw and Chitra in turns."""
    raw = raw_client(server)
    figures = []
    for number in range(rounds):
        seed = number + size * 1000
        photos: list[int] = []

        def upload(seed: int = seed, photos: list[int] = photos) -> int:
            photos.append(chitra.upload(size, seed))
            return size  # the download below counts them

        def streamed(photos: list[int] = photos) -> int:
            return chitra.download(photos[0])

        def redirected(photos: list[int] = photos) -> int:
            return chitra.download(photos[0], "?redirect=1")

        def raw_upload(seed: int = seed) -> int:
            raw.upload_fileobj(Picture(size, seed), bucket, "raw")
            return size

        sides: dict[str, Callable[[], int]] = {
            "raw upload": raw_upload,
            "upload": upload,
            "raw download": lambda: raw_download(raw, bucket),
            "raw GET": lambda: raw_get(raw, bucket),
            "download, streamed": streamed,
            "download, redirect": redirected,
        }
        figures.append({name: megabytes_per_second(size, side) for name, side in sides.items()})
        assert raw.head_object(Bucket=bucket, Key="raw")["ContentLength"] == size
    return figures


def raw_download(raw: Any, bucket: str) -> int:
    """boto3's own download, parts in parallel."""
    target = Nowhere()
    raw.download_fileobj(bucket, "raw", target)
    return target.taken


def raw_get(raw: Any, bucket: str) -> int:
    """One GET over one connection, as a browser does."""
    body = raw.get_object(Bucket=bucket, Key="raw")["Body"]
    size = 0
    while data := body.read(CHUNK_BYTES):
        size += len(data)
    return size


def report(figures: list[dict[str, float]], size: int, large: int, growth: float) -> bool:
    """Print the table; whether all targets are met."""
    beside = {"upload": "raw upload", "download, streamed": "raw GET", "download, redirect": "raw GET"}
    rows = []
    met = growth < MOST_GROWTH_MEGABYTES
    for name, raw_name in beside.items():
        ratios = [one[name] / one[raw_name] for one in figures]
        middle = statistics.median(ratios)
        met = met and middle * 100 >= TARGETS[name]
        rows.append(
            [
                name,
                f"{statistics.median(one[raw_name] for one in figures):.0f}",
                f"{statistics.median(one[name] for one in figures):.0f}",
                f"{middle:.0%}",
                f"{min(ratios):.0%}-{max(ratios):.0%}",
                f"{TARGETS[name]}%",
            ]
        )
    columns = ["", "boto3 MB/s", "Chitra MB/s", "ratio", "range", "target"]
    stage.print_table(f"{size / 1e6:.0f} MB, {len(figures)} rounds", columns, rows)
    parallel = statistics.median(one["raw download"] for one in figures)
    stage.console.print(f"boto3's download in parallel parts, for comparison: {parallel:.0f} MB/s")
    stage.console.print(
        f"web process at its largest, a file of {max(size, large) / 1e6:,.0f} MB included: {growth:+.0f} MB "
        f"(target < {MOST_GROWTH_MEGABYTES})"
    )
    return met


@contextmanager
def s3(options: argparse.Namespace) -> Iterator[S3Server]:
    """The server that was named, else a SeaweedFS of our own."""
    if options.endpoint:
        yield S3Server(options.endpoint, options.access_key, options.secret_key)
        return
    with (
        TemporaryDirectory(prefix="chitra-benchmark-s3-") as directory,
        running_seaweedfs(Path(directory)) as server,
    ):
        yield server


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--large", type=int, default=1024, help="megabytes of one more file; 0 for none")
    parser.add_argument("--endpoint", default="")
    parser.add_argument("--access-key", default="")
    parser.add_argument("--secret-key", default="")
    options = parser.parse_args()
    size, large = options.megabytes * CHUNK_BYTES, options.large * CHUNK_BYTES
    with s3(options) as server:
        environment = {
            "CHITRA_STORAGE": "s3",
            "MINIO_ENDPOINT": server.endpoint,
            "MINIO_ACCESS_KEY": server.access_key,
            "MINIO_SECRET_KEY": server.secret_key,
            "MINIO_BUCKET": "chitra-benchmark",
        }
        with stage.own_chitra(**environment) as directory:
            from chitra.accounts.models import ApiKey, User

            key = ApiKey.issue(User.objects.create_user("alice@example.org", None), "benchmark")[1]
            web = WebProcess(directory)
            web.start()
            try:
                chitra = Chitra(web, key)
                chitra.download(chitra.upload(CHUNK_BYTES, 0))  # warm: imports, client, connections
                chitra.download(chitra.upload(12 * CHUNK_BYTES, 1))
                before = web.resident_megabytes()
                figures = measure(chitra, server, "chitra-benchmark", size, options.rounds)
                if large:
                    assert chitra.download(chitra.upload(large, 2)) == large
                growth = web.resident_megabytes("VmHWM") - before
                return 0 if report(figures, size, large, growth) else 1
            finally:
                web.kill()


if __name__ == "__main__":
    sys.exit(main())
