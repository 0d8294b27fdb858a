"""Is this container healthy? `python -m chitra.healthcheck [worker]`: exit status 0 or 1. Knows no Django."""

import http.client
import json
import sys
from pathlib import Path

from chitra.env import env_int, env_list

TIMEOUT_SECONDS = 8
LEAST_PROCESSES = 3  # of a worker: the one that was started, its guard, and at least one that works


def check_web(port: int) -> str | None:
    """What is wrong with the web server on this machine; None when `/api/ready` says that it can serve."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/api/ready", headers={"Host": own_name(), "X-Forwarded-Proto": "https"})
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        return f"no answer on port {port}: {error}"
    finally:
        connection.close()
    if response.status == 200:
        return None
    try:
        parts = json.loads(body)
    except ValueError:
        return f"status {response.status}"
    return f"status {response.status}: {parts}"


def own_name() -> str:
    """A host name that this installation answers to: the first allowed one that is no pattern."""
    names = env_list("CHITRA_ALLOWED_HOSTS", "localhost")
    return next(
        (name for name in names if not name.startswith(("*", "."))), names[0].lstrip("*.") or "localhost"
    )


def check_worker(processes: Path = Path("/proc")) -> str | None:
    """What is wrong with the worker in this container; None when its processes are there."""
    count = sum("qcluster" in arguments(entry) for entry in processes.iterdir() if entry.name.isdigit())
    if count < LEAST_PROCESSES:
        return f"{count} processes of the worker, expected at least {LEAST_PROCESSES}"
    return None


def arguments(process: Path) -> list[str]:
    """The command line of a process; empty when it is gone or not ours to see."""
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def main(words: list[str]) -> int:
    """Print what is wrong, if anything, and return the exit status."""
    if words not in ([], ["worker"]):
        sys.stderr.write("Usage: python -m chitra.healthcheck [worker]\n")
        return 2
    problem = check_worker() if words else check_web(env_int("PORT", 8000, minimum=1, maximum=65535))
    if problem:
        sys.stderr.write(f"{problem}\n")
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
