"""`migrate_storage`, killed at random moments: the next run completes it, and nothing is lost or torn."""

import hashlib
import io
import random
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest

from chitra.tests.processes import run, start
from chitra.tests.s3 import S3Server
from photos.models import Library, Photo
from photos.services import ingest
from photos.storages.files import DurableFileSystemStorage
from photos.storages.s3 import ObjectStorage
from photos.tests.pictures import jpeg

PHOTOS = 40
KILLS = 3


@pytest.mark.django_db(transaction=True)
def test_kills_at_random_moments_leave_whole_objects(
    library: Library, media: Path, s3_server: S3Server, tmp_path: Path
) -> None:
    for number in range(PHOTOS):
        ingest(library=library, stream=io.BytesIO(jpeg(32, 24, seed=number)), name=f"{number}.jpg")
    bucket = f"killed-{uuid.uuid4().hex}"
    environment = {
        "CHITRA_DATA_DIR": str(media.parent),
        "MINIO_ENDPOINT": s3_server.endpoint.removeprefix("http://"),
        "MINIO_ACCESS_KEY": s3_server.access_key,
        "MINIO_SECRET_KEY": s3_server.secret_key,
        "MINIO_BUCKET": bucket,
    }
    store = ObjectStorage(
        endpoint_url=s3_server.endpoint,
        access_key=s3_server.access_key,
        secret_key=s3_server.secret_key,
        region_name=s3_server.region,
        bucket_name=bucket,
        addressing_style="path",
        location="originals",
    )
    move_through_kills(("filesystem", "s3"), store, environment)
    assert digests_in(store) == wanted_digests()

    back = DurableFileSystemStorage(location=tmp_path / "back" / "media" / "originals")
    environment["CHITRA_DATA_DIR"] = str(tmp_path / "back")
    move_through_kills(("s3", "filesystem"), back, environment)
    assert digests_in(back) == wanted_digests()


def move_through_kills(kinds: tuple[str, str], target: Any, environment: dict[str, str]) -> None:
    """Run the command, kill it while it copies, and let the last run end by itself."""
    moments = random.Random(5)
    command = ["manage.py", "migrate_storage", "--from", kinds[0], "--to", kinds[1], "--without-renditions"]
    kills = 0
    for _ in range(KILLS):
        kills += kill_at_work(start(*command, environment=environment), target, moments.uniform(0, 0.1))
    assert kills, "it was too fast for every kill"
    status, output, errors = run(*command, environment=environment)
    assert status == 0, errors
    assert "0 failed" in output


def kill_at_work(process: subprocess.Popen[str], target: Any, moment: float) -> bool:
    """SIGKILL it `moment` seconds after another object has come. False when it ended before."""
    with process:
        before = len(keys_in(target))
        while process.poll() is None and len(keys_in(target)) == before:
            pass
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            process.kill()
            return True
    return False


def keys_in(target: Any) -> list[str]:
    try:
        return [entry.key for entry in target.iterate()]
    except FileNotFoundError:  # no bucket yet
        return []


def digests_in(target: Any) -> dict[str, str]:
    """SHA-256 of every object, by key."""
    return {key: hashlib.sha256(target.open(key).read()).hexdigest() for key in keys_in(target)}


def wanted_digests() -> dict[str, str]:
    return dict(Photo.objects.values_list("original_key", "checksum"))
