"""Reading from the old system's bucket."""

from collections.abc import Iterator
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from chitra.env import env_secret
from chitra.legacy.files import CHUNK_BYTES, BrokenOff, RemoteSource, SourceFile, SourceUnavailable

TIMEOUT_SECONDS = 30
OURS = ("originals/", "renditions/")  # Chitra may use the same bucket
MISSING = ("404", "NoSuchKey", "NotFound")


class BucketSource(RemoteSource):
    """Objects of `s3://bucket/prefix`, read with GET and LIST only.

    Keys come from LEGACY_S3_ACCESS_KEY and LEGACY_S3_SECRET_KEY (or `_FILE`), else as boto3 finds them.
    """

    def __init__(
        self, url: str, *, endpoint: str = "", region: str = "us-east-1", pause_seconds: float = 0.5
    ) -> None:
        import boto3
        from botocore.config import Config

        super().__init__(pause_seconds=pause_seconds)
        parts = urlsplit(url)
        if parts.scheme != "s3" or not parts.netloc:
            raise ValueError("expected s3://bucket or s3://bucket/prefix")
        self.bucket = parts.netloc
        prefix = parts.path.strip("/")
        self.prefix = f"{prefix}/" if prefix else ""
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=endpoint or None,
            region_name=region,
            aws_access_key_id=env_secret("LEGACY_S3_ACCESS_KEY") or None,
            aws_secret_access_key=env_secret("LEGACY_S3_SECRET_KEY") or None,
            config=Config(
                connect_timeout=TIMEOUT_SECONDS,
                read_timeout=TIMEOUT_SECONDS,
                retries={"max_attempts": 3, "mode": "standard"},
                s3={"addressing_style": "path" if endpoint else "auto"},
                max_pool_connections=16,
            ),
        )

    def read_on(self, key: str, target: BinaryIO) -> None:
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

        start = target.tell()
        span = {"Range": f"bytes={start}-"} if start else {}
        try:
            answer = self.client.get_object(Bucket=self.bucket, Key=self.prefix + key, **span)
            for chunk in answer["Body"].iter_chunks(CHUNK_BYTES):
                target.write(chunk)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in MISSING:
                raise FileNotFoundError(f"{key}: {code}") from error
            if code == "InvalidRange":  # it is shorter now than what came before
                target.seek(0)
                target.truncate()
            elif error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 403:
                raise SourceUnavailable(f"The old bucket refuses the keys: {code}") from error
            raise BrokenOff(str(error)) from error
        except (BotoCoreError, HTTPClientError) as error:
            raise BrokenOff(str(error)) from error

    def files(self) -> Iterator[SourceFile]:
        from botocore.exceptions import BotoCoreError, ClientError

        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
        try:
            for page in pages:
                for item in page.get("Contents", []):
                    key = item["Key"][len(self.prefix) :]
                    if not key.endswith("/") and not key.startswith(OURS):
                        yield SourceFile(key, item["Size"], item["LastModified"])
        except (BotoCoreError, ClientError) as error:
            raise SourceUnavailable(f"The old bucket cannot be listed: {error}") from error
