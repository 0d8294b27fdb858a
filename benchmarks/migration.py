"""`migrate_legacy` from FTP to S3 beside plain ftplib and boto3 that move the same files, in one run.

Both use four threads and the same servers: pyftpdlib and SeaweedFS, each a process of its own. The
plain side only downloads and puts; the migration also hashes, measures, writes rows, tags, faces and vectors.

`.venv/bin/python benchmarks/migration.py [--files 300] [--kilobytes 2000] [--rounds 3]`
"""

import argparse
import ftplib
import io
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import stage
from chitra.tests.s3 import S3Server, find_free_ports, running_seaweedfs

THREADS = 4
BUCKET = "chitra-photos"
TARGET = 0.7


@contextmanager
def ftp_server(root: Path) -> Iterator[int]:
    """pyftpdlib's own command, which lets anybody read; its port."""
    (port,) = find_free_ports(1)
    command = [sys.executable, "-m", "pyftpdlib", "-i", "127.0.0.1", "-p", str(port), "-d", str(root)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait()


def move_plainly(client: Any, port: int, base: str, keys: list[str], prefix: str) -> None:
    """Download each file and put it, on THREADS threads with a connection each."""
    local = threading.local()

    def move(key: str) -> None:
        ftp = getattr(local, "ftp", None)
        if ftp is None:
            ftp = local.ftp = ftplib.FTP()
            ftp.connect("127.0.0.1", port)
            ftp.login()
        buffer = io.BytesIO()
        ftp.retrbinary(f"RETR /{base}/{key}", buffer.write, 256 * 1024)
        client.put_object(Bucket=BUCKET, Key=prefix + key, Body=buffer.getvalue())

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(move, keys):
            pass


def migrate(old: Any, port: int, name: str) -> None:
    from django.core.management import call_command

    arguments = [
        "--sqlite",
        str(old.database),
        "--ftp",
        f"ftp://anonymous:@127.0.0.1:{port}/{old.root.name}/storage",
    ]
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        call_command("migrate_legacy", *arguments, "--name", name, "--parallel", str(THREADS), stdout=nowhere)


def compare(server: S3Server, directory: Path, files: int, kilobytes: int, rounds: int) -> list[list[str]]:
    """A row of figures for this size of files."""
    import boto3
    from botocore.config import Config

    from chitra.legacy.tests.old_server import OldServer

    client = boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        region_name=server.region,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        config=Config(max_pool_connections=THREADS),
    )
    root = directory / f"old-{kilobytes}"
    servers = [OldServer(root / str(number)) for number in range(rounds)]
    for number, old in enumerate(servers):
        old.fill(files, bytes_each=kilobytes * 1000, year=2000 + 100 * (kilobytes % 7) + number)
    warm = OldServer(root / "warm")
    warm.fill(8, bytes_each=kilobytes * 1000, year=2000 + 100 * (kilobytes % 7) + rounds)
    keys = sorted(servers[0].ids)
    with ftp_server(root) as port:
        move_plainly(client, port, "0/storage", keys[:8], f"warm-{kilobytes}/")
        migrate(warm, port, f"warm-{kilobytes}")
        all_keys = [sorted(old.ids) for old in servers]
        ratios, plain_rates, rates = [], [], []
        for number, old in enumerate(servers):
            started = time.perf_counter()
            move_plainly(client, port, f"{number}/storage", all_keys[number], f"plain-{kilobytes}-{number}/")
            plain = time.perf_counter() - started
            started = time.perf_counter()
            migrate(old, port, f"{kilobytes}-{number}")
            ours = time.perf_counter() - started
            ratios.append(plain / ours)
            plain_rates.append(files / plain)
            rates.append(files / ours)
    median = statistics.median
    return [
        [
            f"{kilobytes} kB",
            f"{median(plain_rates):.1f}",
            f"{median(rates):.1f}",
            f"{median(rates) * kilobytes / 1000:.1f}",
            f"{median(ratios):.0%}",
            f"{stage.resident_megabytes():.0f}",
        ]
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--kilobytes", type=int, nargs="+", default=[2000], help="size of a file")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chitra-benchmark-") as name:
        (Path(name) / "s3").mkdir()
        with running_seaweedfs(Path(name) / "s3") as server:
            run(server, Path(name), options)


def run(server: S3Server, directory: Path, options: argparse.Namespace) -> None:
    import boto3

    boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        region_name=server.region,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
    ).create_bucket(Bucket=BUCKET)
    environment = {
        "CHITRA_STORAGE": "s3",
        "MINIO_BUCKET": BUCKET,
        "MINIO_ENDPOINT": server.endpoint.removeprefix("http://"),
        "MINIO_ACCESS_KEY": server.access_key,
        "MINIO_SECRET_KEY": server.secret_key,
    }
    rows: list[list[str]] = []
    with stage.own_chitra(**environment):
        for kilobytes in options.kilobytes:
            rows += compare(server, directory, options.files, kilobytes, options.rounds)
    stage.print_table(
        f"{options.files} files from FTP to S3, {options.rounds} rounds (target: {TARGET:.0%} of plain)",
        ["file", "plain files/s", "Chitra files/s", "Chitra MB/s", "ratio", "Chitra MB resident"],
        rows,
    )


if __name__ == "__main__":
    main()
