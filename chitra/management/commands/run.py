"""`manage.py run`: the whole of Chitra on this machine, until Ctrl-C."""

import errno
import os
import socket
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from chitra import data_lock, embedded
from chitra.postgres import EmbeddedError
from chitra.supervisor import Log, Part, Plan, supervise

PORT_PATIENCE_SECONDS = 2  # a server that was just killed may hold its port for a moment
WEB_DATABASE_POOL = "10"


class Command(BaseCommand):
    """Starts the database, brings it up to date, then runs web server and workers under one supervisor."""

    help = "Run Chitra on this machine: database, web server and workers, until Ctrl-C."
    requires_system_checks: tuple[str, ...] = ()  # the database is not up yet; `migrate` checks

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Options have the environment variables of `make run` as defaults."""
        parser.add_argument("--host", default=os.environ.get("HOST") or "127.0.0.1")
        parser.add_argument("--port", default=os.environ.get("PORT") or "8000")
        parser.add_argument(
            "--photos", default=os.environ.get("PHOTOS"), help="import this folder once Chitra is up"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Check what can be checked, then hand over to the supervisor."""
        host, port = options["host"], parse_port(options["port"])
        photos = find_photos(options["photos"])
        hold_data_dir(embedded.data_dir())
        check_port_is_free(host, port)
        sys.exit(supervise(make_plan(host, port, photos), Log(sys.stdout)))


def parse_port(text: str) -> int:
    """The port number in `text`, 1 to 65535."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise CommandError(f"PORT={text}: expected a port number between 1 and 65535.")
    return int(text)


def find_photos(folder: str | None) -> Path | None:
    """The absolute path of the folder to import, which must exist; None for none."""
    if not folder:
        return None
    path = Path(folder).expanduser().resolve()
    if not path.is_dir():
        raise CommandError(f"PHOTOS={folder}: there is no such folder.")
    return path


def hold_data_dir(directory: Path) -> int:
    """Keep others from running on the same data until this process ends, however it does."""
    try:
        embedded.prepare_data_dir(directory)
        return data_lock.hold(directory)
    except (EmbeddedError, data_lock.DataDirInUse) as error:
        raise CommandError(str(error)) from None


def check_port_is_free(host: str, port: int) -> None:
    """Raise CommandError when the web server could not listen there."""
    deadline = time.monotonic() + PORT_PATIENCE_SECONDS
    while (error := try_to_listen(host, port)) is not None:
        if error.errno != errno.EADDRINUSE:
            raise CommandError(f"Cannot listen on HOST={host} PORT={port}: {error.strerror}.")
        if time.monotonic() > deadline:
            raise CommandError(
                f"Port {port} is already in use. Choose another one, such as PORT={port % 65535 + 1}."
            )
        time.sleep(0.2)


def try_to_listen(host: str, port: int) -> OSError | None:
    """What the system says against listening there; None when it is possible."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        return error
    return None


def answers(host: str, port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((reachable_name(host), port), timeout=1):
            return True
    except OSError:
        return False


def reachable_name(host: str) -> str:
    """The address to visit a server that listens on `host`: one that listens everywhere is visited here."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def make_plan(host: str, port: int, photos: Path | None) -> Plan:
    """The parts of Chitra. The database's URL is known once its server is up, and set for the later parts."""
    if embedded.is_database_given():
        return Plan(
            preparations=lambda: [make_preparation({})],
            services=lambda: make_services(host, port, {}),
            errands=lambda: make_import(photos, {}),
        )
    data = embedded.data_dir()

    def environment() -> dict[str, str]:
        return {"CHITRA_DATABASE_URL": embedded.running_url(data) or ""}

    foundation = Part(
        "postgres",
        [sys.executable, "-m", "chitra.embedded"],
        directory=settings.BASE_DIR,
        ready=lambda: embedded.running_url(data) is not None,
    )
    return Plan(
        foundation=foundation,
        preparations=lambda: [make_preparation(environment())],
        services=lambda: make_services(host, port, environment()),
        errands=lambda: make_import(photos, environment()),
    )


def make_preparation(environment: dict[str, str]) -> Part:
    """The step that brings the database up to date; no worker elsewhere has to do with an embedded one."""
    alone = ["--alone"] if environment else []
    return _manage("prepare", "prepare", *alone, environment=environment)


def make_services(host: str, port: int, environment: dict[str, str]) -> list[Part]:
    """The web server, and a worker for each queue."""
    name = reachable_name(host)
    url = f"http://[{name}]:{port}/" if ":" in name else f"http://{name}:{port}/"
    web = Part(
        "web",
        [
            sys.executable,
            "-m",
            "chitra.web_server",
            "-v",
            "0",
            "-b",
            host,
            "-p",
            str(port),
            "chitra.asgi:application",
        ],
        directory=settings.BASE_DIR,
        environment={"CHITRA_DATABASE_POOL": WEB_DATABASE_POOL, **environment},
        ready=lambda: answers(host, port),
        announcement=f"Chitra is ready: {url}   (Ctrl-C stops it)",
    )
    worker = _manage("worker", "qcluster", environment=environment)
    ml = _manage("ml", "qcluster", "-n", "ml", environment={"Q_CLUSTER_NAME": "ml", **environment})
    video = _manage(
        "video", "qcluster", "-n", "video", environment={"Q_CLUSTER_NAME": "video", **environment}
    )
    if not settings.SCAN_ROOTS:
        return [web, worker, ml, video]
    return [web, worker, ml, video, _manage("watch", "watch_folders", environment=environment)]


def make_import(photos: Path | None, environment: dict[str, str]) -> list[Part]:
    """The import of a folder, which draws its progress bar on our terminal."""
    if photos is None:
        return []
    return [_manage("import", "import_photos", str(photos), environment=environment, owns_terminal=True)]


def _manage(name: str, *arguments: str, environment: dict[str, str], owns_terminal: bool = False) -> Part:
    return Part(
        name,
        [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments],
        directory=settings.BASE_DIR,
        environment=environment,
        owns_terminal=owns_terminal,
    )
