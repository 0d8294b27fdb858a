"""The servers of `benchmarks/api.py`: Chitra's, and three that do nothing but send files."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks import stage

START_SECONDS = 60
BUCKET = "benchmark"
NGINX = """
daemon off; worker_processes 1; pid {directory}/nginx.pid; error_log {directory}/nginx.log; {user}
events {{}}
http {{
    access_log off; sendfile on; keepalive_requests 1000000000; default_type image/jpeg;
    client_body_temp_path {directory}/nginx-body; proxy_temp_path {directory}/nginx-proxy;
    fastcgi_temp_path {directory}/nginx-1; uwsgi_temp_path {directory}/nginx-2;
    scgi_temp_path {directory}/nginx-3;
    upstream chitra {{ server 127.0.0.1:{chitra}; keepalive 64; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port};
        location /files/ {{ alias {media}/; }}
        location /protected-media/ {{ internal; alias {media}/; }}
        location / {{
            proxy_pass http://chitra; proxy_http_version 1.1;
            proxy_set_header Host localhost; proxy_set_header Connection "";
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Server:
    port: int
    pid: int


@contextmanager
def chitra(log: Path, **environment: str) -> Iterator[Server]:
    """The web server as `manage.py run` starts it, but for the limit of searches: one account asks for all
    clients, and would be told to wait (429) after ten seconds of load."""
    from chitra.management.commands.run import WEB_DATABASE_POOL

    port = free_port()
    command = [sys.executable, "-m", "chitra.web_server", "-v", "0", "-b", "127.0.0.1", "-p", str(port)]
    ours = {"CHITRA_DATABASE_POOL": WEB_DATABASE_POOL, "CHITRA_SEARCHES_PER_MINUTE": "0"}
    with running([*command, "chitra.asgi:application"], port, log, ours | environment) as server:
        yield server


@contextmanager
def twisted_files(log: Path, folder: Path) -> Iterator[Server]:
    """Twisted's plain file server: one process, the same event loop as Chitra's."""
    port = free_port()
    listen = f"--listen=tcp:{port}:interface=127.0.0.1"
    command = [sys.executable, "-m", "twisted", "--log-level=error", "web", listen, f"--path={folder}"]
    with running(command, port, log, {}) as server:
        yield server


@contextmanager
def nginx(directory: Path, media: Path, behind: Server) -> Iterator[Server | None]:
    """nginx with the files under /files/ and Chitra behind it; None where it is not installed."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if program is None:
        yield None
        return
    port = free_port()
    user = "user root;" if os.geteuid() == 0 else ""
    configuration = directory / "nginx.conf"
    configuration.write_text(
        NGINX.format(directory=directory, user=user, chitra=behind.port, port=port, media=media)
    )
    with running([program, "-c", str(configuration)], port, directory / "nginx.out", {}) as server:
        yield server


@dataclass(frozen=True)
class Store:
    """An S3 server, what Chitra has to know of it, and a path that GETs the original without Chitra."""

    server: Server
    environment: dict[str, str]
    presigned: str


@contextmanager
def store(directory: Path, media: Path, original: str) -> Iterator[Store]:
    """A SeaweedFS with the original in it."""
    import boto3
    from botocore.config import Config

    from chitra.tests.s3 import running_seaweedfs

    (files := directory / "s3").mkdir()
    with running_seaweedfs(files) as server:
        client = boto3.client(
            "s3",
            endpoint_url=server.endpoint,
            region_name=server.region,
            aws_access_key_id=server.access_key,
            aws_secret_access_key=server.secret_key,
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )
        client.create_bucket(Bucket=BUCKET)
        client.upload_file(str(media / original), BUCKET, original)
        url = client.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": original})
        environment = {
            "CHITRA_STORAGE": "s3",
            "MINIO_ENDPOINT": server.endpoint,
            "MINIO_ACCESS_KEY": server.access_key,
            "MINIO_SECRET_KEY": server.secret_key,
            "MINIO_BUCKET": BUCKET,
        }
        port = urlsplit(server.endpoint).port or 80
        yield Store(Server(port, os.getpid()), environment, url.removeprefix(server.endpoint))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, log: Path, environment: dict[str, str]) -> Iterator[Server]:
    """A process that listens on the port, ended afterwards."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=stage.ROOT, env={**os.environ, **environment}, stdout=output, stderr=output
        )
    try:
        wait_until_open(port, process, log)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


def wait_until_open(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Return when something listens on the port; what the server said is shown when it ends before."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"a server did not start:\n{log.read_text(encoding='utf-8', errors='replace')}")
