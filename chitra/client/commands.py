"""The command line. Results go to standard output, everything else to standard error.

Exit codes: 0 done; 1 some files could not be uploaded, or the server refused; 2 wrong use; 3 not logged in;
4 the server does not answer; 130 interrupted.
"""

import argparse
import getpass
import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from chitra.client.api import Client
from chitra.client.config import Account, load_account, save_account
from chitra.client.transport import ApiError, Unreachable
from chitra.client.uploader import Outcome, Summary, Uploader, find_files

DONE, SOME_FAILED, WRONG_USE, NOT_LOGGED_IN, NO_ANSWER, INTERRUPTED = 0, 1, 2, 3, 4, 130
EXIT_CODES = "exit codes: 0 done, 1 some failed, 2 wrong use, 3 not logged in, 4 no answer, 130 interrupted"
MOST_THREADS = 32
WORDS = {
    "uploaded": "uploaded",
    "duplicate": "there already (found while uploading)",
    "existing": "there already",
    "trashed": "in the trash, left there",
    "would_upload": "would be uploaded",
    "failed": "failed",
}


class NotLoggedIn(Exception):
    """No key is known, or it is not valid any more."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit code."""
    options = parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except NotLoggedIn as error:
        return failed(str(error), NOT_LOGGED_IN)
    except Unreachable as error:
        return failed(str(error), NO_ANSWER)
    except ApiError as error:
        code = NOT_LOGGED_IN if error.status == 401 else SOME_FAILED
        return failed(str(error), code)
    except ValueError as error:
        return failed(str(error), WRONG_USE)
    except EOFError:
        return failed("Where nobody types, give --email, and the password as CHITRA_PASSWORD.", WRONG_USE)
    except KeyboardInterrupt:
        return failed("Interrupted. Start it again: what is there is not sent twice.", INTERRUPTED)
    except BrokenPipeError:  # nobody reads on, as `| head` does
        return INTERRUPTED


def failed(message: str, code: int) -> int:
    say(f"chitra: {message}")
    return code


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(
        prog="chitra", description="Photos to and from a Chitra server.", epilog=EXIT_CODES
    )
    commands = root.add_subparsers(required=True, metavar="command")

    login = commands.add_parser("login", help="log in and keep an API key", epilog=EXIT_CODES)
    login.add_argument("url", help="such as https://photos.example.com")
    login.add_argument("--email")
    login.add_argument("--key", action="store_true", help="give an API key instead of a password")
    login.set_defaults(command=log_in)

    upload = commands.add_parser("upload", help="upload photos that are not there yet", epilog=EXIT_CODES)
    upload.add_argument("paths", nargs="+", type=Path, metavar="path")
    upload.add_argument("-r", "--recursive", action="store_true", help="folders with all that is below them")
    upload.add_argument(
        "--album-from-folder", action="store_true", help="put photos into albums named like their folders"
    )
    upload.add_argument("-n", "--dry-run", action="store_true", help="only say what would be uploaded")
    upload.add_argument(
        "-c", "--concurrency", type=thread_count, default=4, metavar="N", help="files at a time (4)"
    )
    upload.add_argument("--json", action="store_true", help="a JSON object per file, then a summary")
    upload.set_defaults(command=upload_files)

    search = commands.add_parser("search", help="find photos by what they show", epilog=EXIT_CODES)
    search.add_argument("query", nargs="+")
    search.add_argument("--limit", type=int, default=20)
    search.add_argument("--json", action="store_true", help="a JSON object per photo")
    search.set_defaults(command=search_photos)
    return root


def thread_count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_THREADS:
        raise argparse.ArgumentTypeError(f"a number from 1 to {MOST_THREADS}")
    return int(text)


def connect() -> Client:
    """A client of the account that is known. Raises NotLoggedIn."""
    account = load_account()
    if account is None:
        raise NotLoggedIn("Log in first: chitra login URL. Or set CHITRA_URL and CHITRA_API_KEY.")
    return Client(account.url, key=account.key)


def log_in(options: argparse.Namespace) -> int:
    if options.key:
        key = getpass.getpass("API key: ").strip()
        client = Client(options.url, key=key)
    else:
        email = options.email or input("E-mail: ")
        password = os.environ.get("CHITRA_PASSWORD") or getpass.getpass()
        name = f"chitra on {platform.node() or 'a computer'}"[:100]
        client, key = Client.log_in(options.url, email=email, password=password, key_name=name)
    with client:
        who = client.who_am_i()
        path = save_account(Account(client.url, key))
    say(f"Logged in to {client.url} as {who}. The key is kept in {path}.")
    return DONE


def upload_files(options: argparse.Namespace) -> int:
    if missing := [path for path in options.paths if not path.exists()]:
        raise ValueError(f"There is no {missing[0]}.")
    if folders := [path for path in options.paths if path.is_dir() and not options.recursive]:
        raise ValueError(f"{folders[0]} is a folder: add -r.")
    with connect() as client, Bar(hidden=options.json) as bar:

        def report(outcome: Outcome) -> None:
            bar.file_done()
            if options.json:
                print_json(outcome_json(outcome))
            elif outcome.status in ("failed", "would_upload"):
                bar.write(f"{outcome.path}: {outcome.error or WORDS[outcome.status]}")

        uploader = Uploader(
            client,
            concurrency=options.concurrency,
            dry_run=options.dry_run,
            albums_from_folders=options.album_from_folder,
            report=report,
            progress=bar.bytes_sent,
        )
        summary = uploader.run(find_files(options.paths, recursive=options.recursive))
    if options.json:
        print_json({"summary": {**summary.counts, "bytes": summary.bytes}})
    else:
        say(in_words(summary))
    return SOME_FAILED if summary.failed else DONE


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    error = {"error": outcome.error} if outcome.error else {}
    return {"path": str(outcome.path), "status": outcome.status, "photo_id": outcome.photo_id, **error}


def in_words(summary: Summary) -> str:
    parts = [
        f"{summary.counts[status]:,} {words}" for status, words in WORDS.items() if status in summary.counts
    ]
    return f"{', '.join(parts)} ({summary.bytes / 1e6:,.1f} MB sent)." if parts else "There are no pictures."


def search_photos(options: argparse.Namespace) -> int:
    with connect() as client:
        for photo in client.search(" ".join(options.query), limit=options.limit):
            if options.json:
                print_json(photo)
            else:
                show(f"{photo['score'] or 0:.3f}  {client.url}/photos/{photo['id']}  {photo['name']}")
    return DONE


class Bar:
    """Progress on a terminal, by tqdm if it is installed; else nothing."""

    def __init__(self, *, hidden: bool) -> None:
        self._bar: Any = None
        self._files = 0
        if hidden or not sys.stderr.isatty():
            return
        try:
            from tqdm import tqdm
        except ImportError:
            return
        self._bar = tqdm(unit="B", unit_scale=True, unit_divisor=1000, desc="0 files", file=sys.stderr)

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def bytes_sent(self, count: int) -> None:
        if self._bar is not None:
            self._bar.update(count)

    def file_done(self) -> None:
        self._files += 1
        if self._bar is not None:
            self._bar.set_description(f"{self._files:,} files")

    def write(self, line: str) -> None:
        if self._bar is not None:
            self._bar.clear()
        show(line)


def print_json(value: Any) -> None:
    show(json.dumps(value))


def show(line: str) -> None:
    """A line of the result, at once and whole, whichever thread has it."""
    write_line(sys.stdout, line)
    sys.stdout.flush()


def say(line: str) -> None:
    write_line(sys.stderr, line)


def write_line(stream: TextIO, line: str) -> None:
    """Names of files may have characters that the terminal has not, or bytes that are none."""
    encoding = stream.encoding or "utf-8"
    stream.write(f"{line}\n".encode(encoding, "backslashreplace").decode(encoding))
