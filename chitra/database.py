"""A PostgreSQL URL as Django's database settings."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from chitra.env import EnvError

# A statement of `jobs.prepared` is planned anew so many times on a connection, then kept.
PREPARE_THRESHOLD = 5
# Of the web server: a request waits no longer for what another one changes; what it counts fits into memory
# (the trash of a million photos is a hash table of some 30 MB, and twice `work_mem` is for those).
SESSION = "-c lock_timeout=30s -c idle_in_transaction_session_timeout=600s -c work_mem=16MB"


def parse(url: str, *, password: str = "", pool_size: int = 0) -> dict[str, Any]:
    """Settings for `postgresql://user:password@host:port/name?option=value`.

    A socket directory comes as `?host=/path`; a `password` given apart is used when the URL has none.
    `pool_size` > 0 asks for psycopg's connection pool; persistent connections stay off: under ASGI they leak.
    Raises EnvError for another scheme or a missing name.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise EnvError("CHITRA_DATABASE_URL: expected postgresql://user:password@host:port/name")
    try:
        port = parts.port
    except ValueError:
        raise EnvError("CHITRA_DATABASE_URL: the port is not a number between 0 and 65535") from None
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise EnvError("CHITRA_DATABASE_URL: the database name is missing after the host")
    query = dict(parse_qsl(parts.query))
    options: dict[str, Any] = {
        key: value for key, value in query.items() if key not in {"host", "port", "user"}
    }
    options["prepare_threshold"] = PREPARE_THRESHOLD
    if pool_size:
        options["pool"] = {"min_size": 1, "max_size": pool_size, "timeout": 10}
        options.setdefault("options", SESSION)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or query.get("user", "")),
        "PASSWORD": unquote(parts.password or "") or password,
        "HOST": parts.hostname or query.get("host", ""),
        "PORT": str(port or query.get("port", "")),
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": pool_size > 0,  # else each that PostgreSQL ended in the pool is a 503
        "OPTIONS": options,
    }
