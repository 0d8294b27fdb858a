"""Kills, dropped connections, a failing store, a full disk: the next run completes, the proof is clean."""

import os
import random
import resource
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError
from django.db import connection

from chitra.legacy.models import Outcome
from chitra.legacy.tests.faulty_proxy import Fault, faulty_proxy
from chitra.legacy.tests.ftp_server import ftp_server
from chitra.legacy.tests.old_server import OldServer
from chitra.sources.tests.trees import fingerprint
from chitra.tests.s3 import S3Server
from photos.models import Photo
from photos.storages import originals

Command = Callable[..., str]
KILLS = int(os.environ.get("TEST_KILLS", "5"))
LIBRARY = os.environ.get("TEST_LEGACY_LIBRARY", "")  # made by a generator: photo.db and storage/
PHOTOS = 120


def database_url() -> str:
    """The test's own database, for another process."""
    values = connection.settings_dict
    user, host, port = values["USER"], values["HOST"], values["PORT"]
    return f"postgresql://{quote(user)}@/{values['NAME']}?host={quote(str(host), safe='')}&port={port}"


def environment(media: Path, **more: str) -> dict[str, str]:
    """For manage.py in a process of its own: the test's database, a data directory of its own.

    Temporary files, too, lie where they go with the test: a process that is killed leaves them behind.
    """
    folder = str(media.parent)
    ours = {"CHITRA_DATABASE_URL": database_url(), "CHITRA_DATA_DIR": folder, "TMPDIR": folder}
    return {**os.environ, **ours, **more}


def start(
    arguments: list[str], env: dict[str, str], command: str = "migrate_legacy", **options: Any
) -> "subprocess.Popen[bytes]":
    manage = Path(django_settings.BASE_DIR) / "manage.py"
    program = [sys.executable, str(manage), command, *arguments]
    return subprocess.Popen(program, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)


def kill_at_work(process: "subprocess.Popen[bytes]", moment: float) -> bool:
    """SIGKILL it `moment` seconds after it has written something. False when it ended before."""
    before = Outcome.objects.count()
    while Outcome.objects.count() == before:
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
            return False
    return kill_after(process, moment)


def kill_after(process: "subprocess.Popen[bytes]", moment: float) -> bool:
    """SIGKILL it `moment` seconds from now. False when it ended before."""
    try:
        process.wait(moment)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True
    return False


@pytest.mark.django_db(transaction=True)
def test_kills_at_random_moments_lose_nothing(old_server: OldServer, media: Path, verify: Command) -> None:
    old_server.fill(PHOTOS)
    moments = random.Random(11)
    kills = 0
    with ftp_server(old_server.files) as (url, _):
        arguments = ["--sqlite", str(old_server.database), "--ftp", url]
        for _ in range(KILLS):
            kills += kill_at_work(start(arguments, environment(media)), moments.uniform(0, 0.3))
        last = start(arguments, environment(media))
        output, _ = last.communicate(timeout=120)
        assert last.returncode == 0, output.decode()
        assert kills
        assert Photo.objects.count() == PHOTOS
        assert "Every row and file is accounted for" in verify(*arguments)
    objects = [path for path in (media / "originals").rglob("[!.]*") if path.is_file()]
    assert len(objects) == PHOTOS, "no kill left an object without a row"


def test_a_dropped_ftp_connection_is_taken_up_where_it_broke(
    old_server: OldServer, migrate: Command, verify: Command
) -> None:
    old_server.fill(4, bytes_each=200_000)
    with ftp_server(old_server.files, breaks=8, after_bytes=50_000) as (url, faults):
        arguments = ["--sqlite", str(old_server.database), "--ftp", url, "--parallel", "2"]
        migrate(*arguments)
        assert faults.broken == 8
        assert "REST" in faults.commands
        verify(*arguments)
    writing = {"STOR", "APPE", "DELE", "MKD", "RMD", "RNFR", "RNTO", "STOU", "SITE"}
    assert not faults.commands & writing


def test_a_server_without_mlsd_is_listed_by_names(
    old_server: OldServer, migrate: Command, verify: Command
) -> None:
    old_server.fill(2)
    old_server.put(
        "photos/2021/12/Größe#1 100%.jpg",
        old_server.files.joinpath("photos/2023/01/IMG_00000.jpg").read_bytes(),
    )
    with ftp_server(old_server.files, knows_mlsd=False) as (url, faults):
        arguments = ["--sqlite", str(old_server.database), "--ftp", url]
        migrate(*arguments)
        verify(*arguments)
    assert "NLST" in faults.commands
    assert Outcome.objects.get(kind="files").code == "same_bytes"


def test_an_ftp_server_below_a_base_is_read(old_server: OldServer, migrate: Command, verify: Command) -> None:
    old_server.fill(2)
    with ftp_server(old_server.root) as (url, _):
        arguments = ["--sqlite", str(old_server.database), "--ftp", f"{url}/storage/"]
        migrate(*arguments)
        verify(*arguments)
    assert Photo.objects.count() == 2


def test_a_wrong_ftp_password_stops_the_run(old_server: OldServer, migrate: Command) -> None:
    old_server.fill(1)
    with ftp_server(old_server.files) as (url, _), pytest.raises(CommandError, match="refuses the login"):
        migrate("--sqlite", str(old_server.database), "--ftp", url.replace("p%40ss", "wrong"))


@pytest.fixture
def bucket(s3_server: S3Server, request: pytest.FixtureRequest) -> tuple[Any, str]:
    """A client and a bucket of the test's own."""
    client = boto3.client(
        "s3", endpoint_url=s3_server.endpoint, region_name=s3_server.region,
        aws_access_key_id=s3_server.access_key, aws_secret_access_key=s3_server.secret_key,
    )  # fmt: skip
    name = f"legacy-{abs(hash(request.node.name)) % 10**8}"
    client.create_bucket(Bucket=name)
    return client, name


def use_s3(settings: Any, server: S3Server, bucket: str, endpoint: str) -> None:
    """Let originals lie in the bucket."""
    options = {
        "access_key": server.access_key, "secret_key": server.secret_key, "bucket_name": bucket,
        "endpoint_url": endpoint, "region_name": server.region, "addressing_style": "path",
        "location": "originals",
    }  # fmt: skip
    settings.STORAGES = {
        **settings.STORAGES,
        "originals": {"BACKEND": "photos.storages.s3.ObjectStorage", "OPTIONS": options},
    }


@pytest.mark.parametrize(
    "faults", [("500", "none"), ("503", "none", "none"), ("reset", "none"), ("cut", "none"), ("slow",)]
)
def test_a_store_with_bad_days_gets_everything(
    old_server: OldServer, migrate: Command, verify: Command, settings: Any,
    s3_server: S3Server, bucket: tuple[Any, str], faults: tuple[Fault, ...],
) -> None:  # fmt: skip
    old_server.fill(6, bytes_each=20_000)
    with faulty_proxy(s3_server.endpoint, faults) as proxy:
        use_s3(settings, s3_server, bucket[1], proxy.endpoint)
        migrate(*old_server.arguments)
        assert proxy.connections
    use_s3(settings, s3_server, bucket[1], s3_server.endpoint)
    verify(*old_server.arguments)
    assert Photo.objects.count() == 6


def test_a_store_that_is_away_stops_the_run_and_the_next_one_completes_it(
    old_server: OldServer, migrate: Command, verify: Command, settings: Any,
    s3_server: S3Server, bucket: tuple[Any, str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("chitra.legacy.transfer.STORE_ATTEMPTS", 1)
    old_server.fill(3)
    with faulty_proxy(s3_server.endpoint, ["503"]) as proxy:
        use_s3(settings, s3_server, bucket[1], proxy.endpoint)
        with pytest.raises(CommandError, match="again to go on"):
            migrate(*old_server.arguments)
    use_s3(settings, s3_server, bucket[1], s3_server.endpoint)
    migrate(*old_server.arguments)
    verify(*old_server.arguments)


def test_an_old_bucket_is_read(
    old_server: OldServer, migrate: Command, verify: Command, s3_server: S3Server,
    bucket: tuple[Any, str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    client, name = bucket
    old_server.fill(3, bytes_each=30_000)
    for path in old_server.files.rglob("*.jpg"):
        client.upload_file(str(path), name, path.relative_to(old_server.files).as_posix())
    client.put_object(Bucket=name, Key="originals/1/ours.jpg", Body=b"Chitra's own, in the same bucket")
    monkeypatch.setenv("LEGACY_S3_ACCESS_KEY", s3_server.access_key)
    monkeypatch.setenv("LEGACY_S3_SECRET_KEY", s3_server.secret_key)
    with faulty_proxy(s3_server.endpoint, ["cut", "none", "503", "none", "reset", "none"]) as proxy:
        arguments = [
            "--sqlite",
            str(old_server.database),
            "--s3",
            f"s3://{name}",
            "--s3-endpoint",
            proxy.endpoint,
        ]
        migrate(*arguments)
        verify(*arguments)
    assert Photo.objects.count() == 3
    assert not Outcome.objects.filter(kind="files").exists()


@pytest.mark.django_db(transaction=True)
def test_a_full_disk_stops_the_run_and_the_next_one_completes_it(
    old_server: OldServer, media: Path, migrate: Command, verify: Command
) -> None:
    old_server.fill(3)
    old_server.photo("photos/2023/05/big.jpg", os.urandom(3_000_000))

    def no_large_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    process = start(old_server.arguments, environment(media), preexec_fn=no_large_files)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1, output.decode()
    assert originals().exists("photos/2023/05/big.jpg") is False
    migrate(*old_server.arguments)
    verify(*old_server.arguments)
    assert Photo.objects.count() == 4


@pytest.mark.skipif(not LIBRARY, reason="TEST_LEGACY_LIBRARY names no generated library")
@pytest.mark.django_db(transaction=True)
def test_a_generated_library_comes_from_ftp_to_s3_through_kills(
    media: Path, s3_server: S3Server, bucket: tuple[Any, str]
) -> None:
    old = Path(LIBRARY)
    moments = random.Random(7)
    env = environment(
        media,
        CHITRA_STORAGE="s3",
        MINIO_ENDPOINT=s3_server.endpoint.removeprefix("http://"),
        MINIO_ACCESS_KEY=s3_server.access_key,
        MINIO_SECRET_KEY=s3_server.secret_key,
        MINIO_BUCKET=bucket[1],
    )
    before = fingerprint(old)
    with ftp_server(old / "storage") as (url, _):
        arguments = ["--sqlite", str(old / "photo.db"), "--ftp", url]
        kills = 0
        for number in range(KILLS):
            process = start(arguments, env)
            # Every other one dies with files on their way and no row of them: each batch is a step ahead.
            if number % 2:
                kills += kill_at_work(process, moments.uniform(0, 0.3))
            else:
                kills += kill_after(process, moments.uniform(1, 12))
        for command in ("migrate_legacy", "verify_migration"):
            process = start(arguments, env, command)
            output, _ = process.communicate(timeout=900)
            sys.stdout.write(output.decode())
            assert process.returncode == 0
    assert kills == KILLS
    assert fingerprint(old) == before, "the old system is only read"
