"""Objects move between real storages, verified, and nothing is copied twice."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import CommandError, call_command

from photos.models import Photo
from photos.moving import storages_of
from photos.storages import originals, renditions

Run = Callable[..., str]


@pytest.fixture
def both_kinds(media: Path, settings: Any, s3_server: Any, request: pytest.FixtureRequest) -> None:
    """The file system of this test and a bucket of its own."""
    bucket = f"move-{abs(hash(request.node.name)) % 10**8}"
    options = {
        "access_key": s3_server.access_key,
        "secret_key": s3_server.secret_key,
        "bucket_name": bucket,
        "endpoint_url": s3_server.endpoint,
        "region_name": s3_server.region,
        "addressing_style": "path",
    }
    boto3.client(
        "s3",
        endpoint_url=s3_server.endpoint,
        region_name=s3_server.region,
        aws_access_key_id=s3_server.access_key,
        aws_secret_access_key=s3_server.secret_key,
    ).create_bucket(Bucket=bucket)
    settings.STORAGE_KINDS = {
        "filesystem": {name: settings.STORAGES[name] for name in ("originals", "renditions")},
        "s3": {
            name: {"BACKEND": "photos.storages.s3.ObjectStorage", "OPTIONS": {**options, "location": name}}
            for name in ("originals", "renditions")
        },
    }


@pytest.fixture
def run(both_kinds: None) -> Run:
    """Run migrate_storage; what it prints."""

    def command(source: str, target: str, *arguments: str) -> str:
        output = io.StringIO()
        call_command("migrate_storage", "--from", source, "--to", target, *arguments, stdout=output)
        return output.getvalue()

    return command


def test_originals_and_renditions_move_there_and_back(
    run: Run, add_photo: Callable[..., Photo], settings: Any, media: Path
) -> None:
    photos = [add_photo(seed=number) for number in range(3)]
    renditions().save(photos[0].rendition_key("thumbnail"), ContentFile(b"a thumbnail"))
    assert "originals: 3 copied" in run("filesystem", "s3")
    assert "originals: 0 copied, 3 there already" in run("filesystem", "s3", "--deep")
    data = {photo.pk: (media / "originals" / photo.original_key).read_bytes() for photo in photos}
    for path in [*media.rglob("*.jpg"), *media.rglob("*.webp")]:
        path.unlink()
    settings.STORAGES = {**settings.STORAGES, **settings.STORAGE_KINDS["s3"]}
    for photo in photos:
        with originals().open(photo.original_key) as file:
            assert file.read() == data[photo.pk]
    assert storages["renditions"].exists(photos[0].rendition_key("thumbnail"))
    assert "originals: 3 copied" in run("s3", "filesystem")
    assert (media / "originals" / photos[0].original_key).read_bytes() == data[photos[0].pk]
    assert (media / "renditions" / photos[0].rendition_key("thumbnail")).read_bytes() == b"a thumbnail"


def test_a_run_copies_what_came_after_the_last_one(run: Run, add_photo: Callable[..., Photo]) -> None:
    add_photo(seed=1)
    run("filesystem", "s3")
    add_photo(seed=2)
    assert "originals: 1 copied, 1 there already" in run("filesystem", "s3")


def test_an_object_cut_short_there_is_copied_again(
    run: Run, add_photo: Callable[..., Photo], settings: Any
) -> None:
    photo = add_photo()
    there, _ = storages_of(settings.STORAGE_KINDS["s3"])
    there.save(photo.original_key, ContentFile(b"cut"))
    assert "originals: 1 copied" in run("filesystem", "s3")


def test_wrong_bytes_are_never_copied(
    run: Run, add_photo: Callable[..., Photo], media: Path, settings: Any
) -> None:
    broken, lost = add_photo(seed=1), add_photo(seed=2)
    (media / "originals" / broken.original_key).write_bytes(b"other bytes")
    originals().delete(lost.original_key)
    with pytest.raises(CommandError, match="2 objects failed"):
        run("filesystem", "s3")
    there, _ = storages_of(settings.STORAGE_KINDS["s3"])
    assert not there.exists(broken.original_key)


def test_the_same_storage_twice_is_wrong_usage(run: Run) -> None:
    with pytest.raises(CommandError, match="same storage") as refused:
        run("s3", "s3")
    assert refused.value.returncode == 2
