"""Folders into a library: every file accounted for, none changed."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from jobs.models import Job
from photos import keeping, services, taking
from photos.importing import BadFolder, checked_folder, import_folder, inside_scan_roots
from photos.keeping import Origin
from photos.models import Library, Photo
from photos.services import StorageUnavailable
from photos.storages import originals, read_bytes
from photos.tests.pictures import jpeg, png

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can put off its rights")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may enter, unlike pytest's own ones."""
    folder = Path(tempfile.mkdtemp(prefix="chitra-import-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def without_rights() -> Iterator[None]:
    """As a user whom permissions hold back, also when root runs the tests."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def put(folder: Path, **files: bytes) -> None:
    for name, data in files.items():
        path = folder / name.replace("__", "/").replace("_jpg", ".jpg")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def names(entries: list[tuple[str, str]]) -> list[str]:
    return [Path(path).name for path, _ in entries]


# Which folders


def test_a_folder_that_does_not_exist_is_named(folder: Path) -> None:
    with pytest.raises(BadFolder, match="gone does not exist"):
        checked_folder(folder / "gone")


def test_a_file_is_no_folder(folder: Path) -> None:
    put(folder, a_jpg=jpeg(32, 32))
    with pytest.raises(BadFolder, match=r"a\.jpg is not a folder"):
        checked_folder(folder / "a.jpg")


def test_a_folder_that_cannot_be_read_is_named_with_the_reason(folder: Path) -> None:
    locked = folder / "locked"
    locked.mkdir(mode=0o700)
    locked.chmod(0)
    with without_rights(), pytest.raises(BadFolder, match="locked cannot be read: Permission denied"):
        checked_folder(locked)
    locked.chmod(0o700)


@pytest.mark.parametrize("name", ["\0", "a" * 5000, "/proc/self/mem/x"])
def test_a_path_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(BadFolder):
        checked_folder(name)


def test_a_loop_of_links_is_refused(folder: Path) -> None:
    (folder / "a").symlink_to(folder / "b")
    (folder / "b").symlink_to(folder / "a")
    with pytest.raises(BadFolder):
        checked_folder(folder / "a")


def test_scanning_is_off_by_default(folder: Path) -> None:
    with pytest.raises(BadFolder, match="Scanning is off"):
        inside_scan_roots(str(folder))


@pytest.fixture
def root(folder: Path, settings: Any) -> Path:
    """The one folder that may be scanned; beside it a secret one."""
    (folder / "allowed" / "holiday").mkdir(parents=True)
    (folder / "allowed-not").mkdir()
    (folder / "secret").mkdir()
    settings.SCAN_ROOTS = [folder / "allowed"]
    return folder / "allowed"


def test_a_folder_inside_a_scan_root_may_be_scanned(root: Path) -> None:
    assert inside_scan_roots(str(root)) == root
    assert inside_scan_roots(f"{root}/holiday/../holiday") == root / "holiday"


@pytest.mark.parametrize(
    "path", ["{}/../secret", "{}/../allowed-not", "{}/..", "/", "/etc", "holiday", "", "\0", "~"]
)
def test_a_folder_outside_the_scan_roots_is_refused(root: Path, path: str) -> None:
    with pytest.raises(BadFolder, match="inside the allowed ones"):
        inside_scan_roots(path.format(root))


def test_a_link_that_leads_out_of_a_scan_root_is_refused(root: Path) -> None:
    (root / "escape").symlink_to(root.parent / "secret")
    with pytest.raises(BadFolder, match="inside the allowed ones"):
        inside_scan_roots(str(root / "escape"))


def test_a_scan_root_may_be_a_link_itself(root: Path, settings: Any) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    settings.SCAN_ROOTS = [link]
    assert inside_scan_roots(str(link / "holiday")) == root / "holiday"


# Which files


def test_every_file_is_accounted_for(library: Library, media: Path, folder: Path) -> None:
    put(folder, a_jpg=jpeg(seed=1), deep__er__b_jpg=jpeg(seed=2), c_jpg=png(), copy_jpg=jpeg(seed=1))
    put(folder, empty_jpg=b"", text_jpg=b"not a picture\n")
    report = import_folder(library=library, root=folder)
    assert (report.imported, report.duplicates) == (3, 1)
    assert names(report.skipped) == ["text.jpg"]
    assert report.failed == [
        (str(folder / "empty.jpg"), "The file is empty. Send it again from the original.")
    ]
    assert (report.processed, report.seen) == (4, 6)
    assert report.summary() == "3 imported, 1 already there, 1 not pictures, 1 failed"
    photo = Photo.objects.get(source_path=str(folder / "deep/er/b.jpg"))
    assert read_bytes(originals(), photo.original_key) == jpeg(seed=2)
    assert photo.taken_at_source == "file"


def test_hidden_files_links_pipes_and_small_pictures_of_a_nas_are_left_out(
    library: Library, media: Path, folder: Path
) -> None:
    put(folder, a_jpg=jpeg(seed=1))
    (folder / ".hidden.jpg").write_bytes(jpeg(seed=2))
    (folder / ".cache").mkdir()
    (folder / ".cache" / "b.jpg").write_bytes(jpeg(seed=3))
    (folder / "link.jpg").symlink_to(folder / ".hidden.jpg")
    (folder / "@eaDir" / "IMG.jpg").mkdir(parents=True)
    (folder / "@eaDir" / "IMG.jpg" / "SYNOPHOTO_THUMB_XL.jpg").write_bytes(jpeg(seed=3))
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe.jpg")
    assert import_folder(library=library, root=folder).seen == 1


def test_the_source_is_never_changed(library: Library, media: Path, folder: Path) -> None:
    put(folder, a_jpg=jpeg(seed=1), b_jpg=b"text", deep__c_jpg=jpeg(seed=2))
    os.utime(folder / "a.jpg", ns=(10**18, 10**18))

    def state() -> list[Any]:
        paths = sorted(folder.rglob("*"))
        return [(path, path.stat().st_mtime_ns, path.stat().st_mode, path.stat().st_ino) for path in paths]

    before = state()
    import_folder(library=library, root=folder)
    assert state() == before
    assert (folder / "a.jpg").read_bytes() == jpeg(seed=1)


def test_importing_again_imports_nothing(library: Library, media: Path, folder: Path) -> None:
    put(folder, a_jpg=jpeg(seed=1), b_jpg=jpeg(seed=2))
    import_folder(library=library, root=folder)
    report = import_folder(library=library, root=folder)
    assert (report.imported, report.duplicates) == (0, 2)
    assert Photo.objects.count() == 2


def test_names_of_any_bytes_are_imported(library: Library, media: Path, folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.jpg")).write_bytes(jpeg(seed=1))
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe.jpg")).write_bytes(b"text")
    (folder / "new\nline.jpg").write_bytes(jpeg(seed=2))
    report = import_folder(library=library, root=folder)
    assert report.imported == 2
    assert report.skipped[0][0] == f"{folder}/\ufffd\ufffd.jpg"
    assert set(Photo.objects.values_list("original_name", flat=True)) == {"caf.jpg", "newline.jpg"}


@pytest.fixture
def open_media(folder: Path, settings: Any) -> None:
    """Storages that everybody may write."""
    media = folder / ".media"
    media.mkdir()
    media.chmod(0o777)
    settings.STORAGES = {
        **settings.STORAGES,
        "originals": {**settings.ORIGINALS, "OPTIONS": {"location": media}},
    }


@pytest.mark.usefixtures("open_media")
def test_what_cannot_be_read_is_reported_and_the_rest_goes_on(library: Library, folder: Path) -> None:
    put(folder, a_jpg=jpeg(seed=1), b_jpg=jpeg(seed=2), locked__c_jpg=jpeg(seed=3), z_jpg=jpeg(seed=4))
    (folder / "b.jpg").chmod(0)
    put(folder, listed__d_jpg=jpeg(seed=5))
    (folder / "locked").chmod(0)
    (folder / "listed").chmod(0o444)
    with without_rights():
        report = import_folder(library=library, root=folder)
    (folder / "locked").chmod(0o700)
    (folder / "listed").chmod(0o700)
    assert report.imported == 2
    assert sorted(report.failed) == [
        (str(folder / "b.jpg"), "The file cannot be read: Permission denied."),
        (str(folder / "listed/d.jpg"), "It cannot be read: Permission denied."),
        (str(folder / "locked"), "It cannot be read: Permission denied."),
    ]


@pytest.mark.usefixtures("open_media")
def test_a_sidecar_that_cannot_be_read_does_not_stop_the_import(library: Library, folder: Path) -> None:
    put(folder, **{"a.jpg": jpeg(seed=1), "a.jpg.xmp": b"<x/>", "b.jpg": jpeg(seed=2)})
    long = f"{'n' * 249}.jpg"  # with “.xmp” behind it no file system takes the name
    put(folder, **{long: jpeg(seed=3)})
    (folder / "a.jpg.xmp").chmod(0)
    with without_rights():
        report = import_folder(library=library, root=folder)
    assert report.imported == 3
    assert sorted(names(report.failed)) == ["a.jpg", long]
    assert all("Its sidecar cannot be read" in reason for _, reason in report.failed)


def test_a_file_that_breaks_while_it_is_read_does_not_stop_the_import(
    library: Library, media: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, a_jpg=jpeg(seed=1), b_jpg=jpeg(seed=2))
    receive = services.receive

    class BadSector:
        def read(self, size: int) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    def receive_from_bad_disk(origin: Origin, stream: Any) -> Any:
        return receive(origin, BadSector() if origin.name == "a.jpg" else stream)

    monkeypatch.setattr(taking, "receive", receive_from_bad_disk)
    report = import_folder(library=library, root=folder)
    assert report.imported == 1
    assert report.failed == [(str(folder / "a.jpg"), "The file cannot be read: Input/output error.")]


def test_a_file_that_goes_while_the_import_runs_is_reported(
    library: Library, media: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, a_jpg=jpeg(seed=1), b_jpg=jpeg(seed=2))
    known_photos = keeping.known_photos

    def remove_one(library: Library, checksums: Any) -> Any:
        (folder / "b.jpg").unlink(missing_ok=True)
        return known_photos(library, checksums)

    monkeypatch.setattr(taking, "known_photos", remove_one)
    report = import_folder(library=library, root=folder)
    assert (report.imported, names(report.failed)) == (1, ["b.jpg"])


def test_a_storage_that_refuses_ends_the_import(
    library: Library, media: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, a_jpg=jpeg(seed=1))
    (media).parent.mkdir(exist_ok=True)
    media.write_text("a file is in the way")
    with pytest.raises(StorageUnavailable):
        import_folder(library=library, root=folder)


# The database goes away


def test_the_import_waits_for_the_database_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "DATABASE_PAUSES_SECONDS", (0, 0, 0))
    monkeypatch.setattr(taking, "close_old_connections", lambda: None)
    failures = [OperationalError("away")] * 3
    done = []

    def act() -> None:
        if failures:
            raise failures.pop()
        done.append(1)

    taking.when_database_is_back(act)
    assert done == [1]


def test_the_import_gives_up_on_a_database_that_stays_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "DATABASE_PAUSES_SECONDS", (0, 0))
    monkeypatch.setattr(taking, "close_old_connections", lambda: None)

    def act() -> None:
        raise OperationalError("away")

    with pytest.raises(OperationalError):
        taking.when_database_is_back(act)


# The command


@pytest.fixture
def import_photos(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: Any) -> str:
        call_command("import_photos", *map(str, arguments))
        return capsys.readouterr().out

    return run


def test_the_command_reports_each_file_and_ends_its_job(
    library: Library, media: Path, folder: Path, import_photos: Any
) -> None:
    put(folder, a_jpg=jpeg(seed=1), empty_jpg=b"", text_jpg=b"text")
    out = import_photos(folder)
    assert "1 imported, 0 already there, 1 not pictures, 1 failed." in out
    not_imported, _, failed = out.partition("Failed:")
    assert f"{folder}/text.jpg: The content is not a picture" in not_imported
    assert f"{folder}/empty.jpg: The file is empty" in failed
    job = Job.objects.get()
    assert (job.kind, job.status, job.total, job.done, job.failed, job.result) == (
        "import",
        "finished",
        3,
        3,
        1,
        1,
    )


def test_the_command_lists_only_the_first_of_many(
    library: Library, media: Path, folder: Path, import_photos: Any
) -> None:
    put(folder, **{f"t{number}_jpg": b"text" for number in range(60)})
    assert "  … and 10 more" in import_photos(folder)


def test_the_command_imports_for_a_named_account(
    alice: Any, bob: Any, media: Path, folder: Path, import_photos: Any
) -> None:
    put(folder, a_jpg=jpeg(seed=1))
    import_photos(folder, "--user", "BOB@example.org")
    assert Photo.objects.visible_to(bob).count() == 1
    assert Photo.objects.visible_to(alice).count() == 0


def test_before_there_is_an_account_the_library_waits_for_one(
    db: None, media: Path, folder: Path, import_photos: Any
) -> None:
    put(folder, a_jpg=jpeg(seed=1))
    import_photos(folder)
    import_photos(folder)
    assert Library.objects.count() == 1
    assert Photo.objects.count() == 1


def test_the_command_says_what_is_wrong_with_its_arguments(alice: Any, folder: Path) -> None:
    with pytest.raises(CommandError, match="does not exist"):
        call_command("import_photos", str(folder / "gone"))
    with pytest.raises(CommandError, match=r"There is no account nobody@example\.org"):
        call_command("import_photos", str(folder), "--user", "nobody@example.org")
    assert not Job.objects.exists()


def test_the_command_says_that_the_storage_refuses(library: Library, media: Path, folder: Path) -> None:
    put(folder, a_jpg=jpeg(seed=1))
    media.write_text("a file is in the way")
    with pytest.raises(CommandError, match=r"^The storage did not take the file\. .* Run the import again"):
        call_command("import_photos", str(folder))
    assert Job.objects.get().status == "failed"
