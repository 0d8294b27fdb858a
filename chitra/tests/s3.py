"""A real S3 server for tests: SeaweedFS on loopback, started when a test first asks, gone with the run."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from chitra.supervisor import end_with_parent

START_SECONDS = 60
GRACE_SECONDS = 10
GRPC_OFFSET = 10_000  # each of the server's ports has a second one, this much higher
PORT_OPTIONS = ("s3.port", "master.port", "volume.port", "filer.port", "webdav.port", "admin.port")

# Two more services have ports that are the same for every server on the machine; and nobody is to be told.
FIXED_OPTIONS = (
    "-ip=127.0.0.1",
    "-ip.bind=127.0.0.1",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-master.telemetry=false",
)


@dataclass(frozen=True)
class S3Server:
    """Where the server is, and the keys of its one user. Path addressing, signature version 4."""

    endpoint: str
    access_key: str
    secret_key: str
    region: str = "us-east-1"


def find_free_ports(count: int) -> list[int]:
    """Ports on loopback that are free now, each with its second one."""
    ports: list[int] = []
    with ExitStack() as held:
        while len(ports) < count:
            port = random.randrange(20_000, 30_000)
            try:
                for number in (port, port + GRPC_OFFSET):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", number))
            except OSError:
                continue
            ports.append(port)
    return ports


def wait_until_it_listens(port: int, server: subprocess.Popen[bytes]) -> None:
    """Return when the port accepts connections; RuntimeError when the server ended or time is up."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the S3 server did not start")


def wait_until_it_stores(server: S3Server) -> None:
    """Return when an object was written and read: it listens before all its parts have found each other."""
    client = boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        region_name=server.region,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
    )
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            client.create_bucket(Bucket="probe")
            client.put_object(Bucket="probe", Key="probe", Body=b"probe")
            client.get_object(Bucket="probe", Key="probe")
        except (BotoCoreError, ClientError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


@contextmanager
def running_seaweedfs(directory: Path) -> Iterator[S3Server]:
    """A SeaweedFS with its files in this directory, until the block ends."""
    ports = find_free_ports(len(PORT_OPTIONS))
    options = [f"-{option}={port}" for option, port in zip(PORT_OPTIONS, ports, strict=True)]
    program = Path(sysconfig.get_path("scripts")) / "weed"
    keys = {"AWS_ACCESS_KEY_ID": "chitra-test", "AWS_SECRET_ACCESS_KEY": "only-for-tests"}
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(
            [program, "mini", f"-dir={directory}", *FIXED_OPTIONS, *options],
            env={**os.environ, **keys},
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=end_with_parent,
        )
        try:
            wait_until_it_listens(ports[0], server)
            ready = S3Server(f"http://127.0.0.1:{ports[0]}", *keys.values())
            wait_until_it_stores(ready)
            yield ready
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """The server. It is one for all tests of a process, so each test makes its own bucket."""
    directory = tmp_path_factory.mktemp("s3")
    with running_seaweedfs(directory) as server:
        yield server
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def minio_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """MinIO itself, when TEST_MINIO names its binary (docs/storage.md says where one can be had)."""
    program = os.environ.get("TEST_MINIO")
    if not program:
        pytest.skip("TEST_MINIO names no MinIO binary")
    directory = tmp_path_factory.mktemp("minio")
    port, console_port = find_free_ports(2)
    keys = {"MINIO_ROOT_USER": "chitra-test", "MINIO_ROOT_PASSWORD": "only-for-tests"}
    addresses = ["--address", f"127.0.0.1:{port}", "--console-address", f"127.0.0.1:{console_port}"]
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(
            [program, "server", *addresses, directory / "data"],
            env={**os.environ, **keys, "MINIO_UPDATE": "off"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=end_with_parent,
        )
        try:
            wait_until_it_listens(port, server)
            yield S3Server(f"http://127.0.0.1:{port}", *keys.values())
        finally:
            server.kill()
            server.wait()
    shutil.rmtree(directory, ignore_errors=True)
