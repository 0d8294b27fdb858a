"""The whole way: an old server's database and files, both commands, and what is here afterwards."""

import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError

from chitra.legacy.models import Kind, LegacySystem, Outcome
from chitra.legacy.tests.old_server import OldServer, picture, unit_vector
from faces.models import Face, Person
from photos.models import Photo, Tag
from photos.storages import originals
from search.models import PhotoEmbedding

Command = Callable[..., str]
GENERATOR = Path(settings.BASE_DIR).parent / "shared" / "legacy" / "make_legacy_fixture.py"


def test_the_source_is_never_changed(old_server: OldServer, arrive: Command) -> None:
    old_server.fill(2)

    def state() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in old_server.root.rglob("*") if path.is_file()}

    before = state()
    arrive()
    assert state() == before


def test_a_dry_run_decides_and_writes_nothing(
    old_server: OldServer, migrate: Command, tmp_path: Path, media: Path
) -> None:
    old_server.fill(3)
    old_server.photo("photos/2023/03/lost.jpg", stored=False)
    old_server.photo("photos/2023/01/again.jpg", picture("photos/2023/01/IMG_00000.jpg"))
    old_server.put("photos/2021/12/orphan.jpg", picture("orphan"))  # gets an id that no row has
    report = tmp_path / "report.json"
    assert "Nothing was written" in migrate(*old_server.arguments, "--dry-run", "--report", str(report))
    photos = json.loads(report.read_text())["outcomes"]["photos"]
    assert (photos["imported"], photos["duplicate"], photos["failed: original_missing"]) == (3, 1, 1)
    assert not Photo.objects.exists()
    assert not LegacySystem.objects.exists()
    assert not media.exists()


def test_the_report_lists_everything_that_is_not_plain(
    old_server: OldServer, migrate: Command, tmp_path: Path
) -> None:
    lost = old_server.photo("photos/2023/03/lost.jpg", stored=False)
    report = tmp_path / "report.json"
    migrate(*old_server.arguments, "--report", str(report))
    (listed,) = json.loads(report.read_text())["listed"]
    assert (listed["kind"], listed["key"], listed["case"]) == ("photos", str(lost), "original_missing")


def test_another_database_needs_another_name(old_server: OldServer, migrate: Command, tmp_path: Path) -> None:
    old_server.photo("photos/2023/03/a.jpg")
    migrate(*old_server.arguments)
    other = OldServer(tmp_path / "other")
    other.photo("photos/2024/05/b.jpg")
    with pytest.raises(CommandError, match="--name") as refused:
        migrate(*other.arguments)
    assert refused.value.returncode == 2
    migrate(*other.arguments, "--name", "other")
    assert Photo.objects.count() == 2


def test_no_database_is_wrong_usage(old_server: OldServer, migrate: Command, tmp_path: Path) -> None:
    for content in (b"", b"no database at all, but some text"):
        (tmp_path / "bad.db").write_bytes(content)
        with pytest.raises(CommandError) as refused:
            migrate("--sqlite", str(tmp_path / "bad.db"), "--path", str(old_server.files))
        assert refused.value.returncode == 2


@pytest.mark.parametrize("schema", ["flask", "latest"])
def test_the_other_schemas_are_read_too(
    tmp_path: Path, migrate: Command, verify: Command, schema: str
) -> None:
    old = OldServer(tmp_path / "old", schema)
    old.fill(1)
    if schema == "latest":
        video = old.photo("photos/2025/01/film.mp4", b"\0\0\0\x18ftypmp42 a film", media_type="video")
        person = old.insert("persons", name="bob")
        face = old.face(1, 1, box=(40, 30, 10, 10), person_id=person, assigned_by="match")
        old.embedding(video, dim=768, vector=unit_vector(7, 768), model="google/siglip2-base-patch16-224")
    migrate(*old.arguments)
    verify(*old.arguments)
    assert Photo.objects.filter(pk=1).exists()
    if schema == "latest":
        assert Photo.objects.get(pk=video).mime_type == "video/mp4"
        assert Face.objects.get(pk=face).assigned_by == "machine"
        assert PhotoEmbedding.objects.filter(
            encoder__version="legacy:google/siglip2-base-patch16-224"
        ).exists()


def test_verification_sees_a_changed_byte_a_lost_object_and_a_lost_face(
    old_server: OldServer, migrate: Command, verify: Command, media: Path
) -> None:
    old_server.fill(3)
    migrate(*old_server.arguments)
    changed, lost, _ = Photo.objects.order_by("pk")
    path = media / "originals" / changed.original_key
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    originals().delete(lost.original_key)
    Face.objects.filter(photo=lost).delete()
    with pytest.raises(CommandError, match="3 differences"):
        verify(*old_server.arguments)


@pytest.mark.skipif(not GENERATOR.exists(), reason="the generator of larger old systems is not here")
@pytest.mark.parametrize("schema", ["flask", "fastapi", "latest"])
def test_a_generated_old_system_with_all_oddities(
    tmp_path: Path, migrate: Command, verify: Command, schema: str
) -> None:
    old = tmp_path / "generated"
    subprocess.run(
        [sys.executable, GENERATOR, old, "--photos=40", "--size=160x120", f"--schema={schema}", "--users"],
        check=True, capture_output=True,
    )  # fmt: skip
    arguments = ["--sqlite", str(old / "photo.db"), "--path", str(old / "storage")]
    migrate(*arguments)
    assert "Every row and file is accounted for" in verify(*arguments)
    manifest = json.loads((old / "manifest.json").read_text())
    counts = manifest["counts"]
    assert Outcome.objects.filter(kind=Kind.PHOTOS).count() == counts["photos"]
    # One original is missing, one lies on the old server's disk, one repeats another; one file has no row.
    assert Photo.objects.count() == counts["photos"] - 3 + 1
    assert Person.objects.count() == counts["persons"]
    for photo_id, original in manifest["originals"].items():
        photo = Photo.objects.filter(pk=photo_id).first()
        if original["key"] not in manifest["odd"]["original_missing"]:
            assert photo is not None
            assert (photo.original_key, photo.sha1, photo.size) == (
                original["key"], original["sha1"], original["size"],
            )  # fmt: skip
    assert math.isclose(Tag.objects.count(), counts["tags"], rel_tol=0.1)
