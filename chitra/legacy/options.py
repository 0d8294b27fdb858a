"""What the migration commands have in common: where the old system is, and which one it is."""

from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from chitra.env import env_secret
from chitra.legacy.files import FileSource, FolderSource, LocalRoot, SourceUnavailable
from chitra.legacy.ftp import FtpAddress, FtpSource
from chitra.legacy.s3 import BucketSource
from chitra.legacy.source import BadDatabase, LegacyDatabase

USAGE = 2


def add_source_arguments(parser: ArgumentParser) -> None:
    """The database, the files, and the name that tells two old systems apart."""
    parser.add_argument(
        "--sqlite", required=True, metavar="FILE", help="the old photo.db; it is copied, never opened"
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--ftp",
        metavar="URL",
        help="ftp://user:password@host:port/base; LEGACY_FTP_PASSWORD keeps it off the screen",
    )
    where.add_argument("--path", metavar="DIR", help="a folder with photos/ and thumbnails/ in it")
    where.add_argument(
        "--s3",
        metavar="URL",
        help="s3://bucket[/prefix]; keys in LEGACY_S3_ACCESS_KEY and LEGACY_S3_SECRET_KEY",
    )
    parser.add_argument("--s3-endpoint", default="", metavar="URL", help="of a server other than Amazon's")
    parser.add_argument("--s3-region", default="us-east-1")
    parser.add_argument("--ftp-encoding", default="utf-8", help="of file names on the FTP server")
    parser.add_argument(
        "--local-root",
        action="append",
        default=[],
        metavar="[OLD=]DIR",
        help="where files of the old server's own disk are readable here; may be given several times",
    )
    parser.add_argument("--name", default="legacy", help="tells several old systems apart (default: legacy)")
    parser.add_argument(
        "--parallel", type=int, default=4, choices=range(1, 17), metavar="1-16", help="files at a time"
    )
    parser.add_argument("--report", metavar="FILE", help="write a JSON report")


def open_source(
    stack: ExitStack, options: dict[str, Any]
) -> tuple[LegacyDatabase, FileSource, list[LocalRoot]]:
    """The opened old system, closed with `stack`. Raises CommandError with the exit code for wrong usage."""
    try:
        database = stack.enter_context(LegacyDatabase(Path(options["sqlite"])))
        files = open_files(options)
    except (BadDatabase, SourceUnavailable, ValueError) as error:
        raise CommandError(str(error), returncode=USAGE) from None
    stack.callback(files.close)
    return database, files, [LocalRoot.parse(text) for text in options["local_root"]]


def open_files(options: dict[str, Any]) -> FileSource:
    if options["ftp"]:
        address = FtpAddress.parse(options["ftp"], password=env_secret("LEGACY_FTP_PASSWORD"))
        return FtpSource(address, encoding=options["ftp_encoding"])
    if options["s3"]:
        return BucketSource(options["s3"], endpoint=options["s3_endpoint"], region=options["s3_region"])
    return FolderSource(Path(options["path"]))
