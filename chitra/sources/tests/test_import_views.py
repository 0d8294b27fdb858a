"""The page of imports: an administrator names a folder, the job tells how every file ended."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from chitra.sources import import_tasks
from chitra.sources.tests.trees import put_picture
from jobs.models import Job
from jobs.services import queue_again, report
from jobs.tasks import drain, run_job
from photos.models import Album, Library, Photo
from photos.tests.pictures import jpeg


@pytest.fixture
def root(tmp_path: Path, settings: Any) -> Path:
    root = tmp_path / "exports"
    root.mkdir()
    settings.SCAN_ROOTS = [root]
    settings.STATE_DIR = tmp_path / "state"
    return root


@pytest.fixture
def page(alice: Any, library: Library, client: Client, media: Path) -> Client:
    alice.is_staff = True
    alice.save()
    client.force_login(alice)
    return client


def start(page: Client, library: Library, path: Path | str, **values: Any) -> Any:
    return page.post("/imports", {"library": library.pk, "path": str(path), "service": "auto"} | values)


def rows_of(page: Client, job: Job) -> list[dict[str, str]]:
    response: Any = page.get(f"/imports/{job.pk}/report")
    return list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))


def test_an_import_ends_with_a_report_of_every_file(page: Client, library: Library, root: Path) -> None:
    put_picture(root / "Rome" / "a.jpg", 1)
    put_picture(root / "Rome" / "b.jpg", 1)
    (root / "notes.txt").write_text("hello")
    assert start(page, library, root, with_albums="on").status_code == 302
    job = Job.objects.get()
    run_job(str(job.pk))
    job.refresh_from_db()
    assert (job.status, job.done, job.total) == ("finished", 3, 3)
    assert Album.objects.get().name == "Rome"
    assert sorted(row["status"] for row in rows_of(page, job)) == ["duplicate", "imported", "skipped"]
    assert "1 imported, 1 already there" in page.get("/imports").content.decode()


def test_the_report_names_what_files_equal_and_what_they_look_like(
    page: Client, library: Library, root: Path
) -> None:
    put_picture(root / "a.jpg", 1)
    put_picture(root / "b.jpg", 1)
    put_picture(root / "c.jpg", 2)
    (root / "small.jpg").write_bytes(jpeg(64, 48, seed=1, quality=60))
    start(page, library, root)
    job = Job.objects.get()
    run_job(str(job.pk))
    rows = {Path(row["path"]).name: row for row in rows_of(page, job)}
    assert Path(rows["b.jpg"]["same_as"]).name == "a.jpg"
    assert rows["small.jpg"]["looks_like"] == "still being compared"
    for step in ("metadata", "renditions", "neighbours"):
        drain(step)
    rows = {Path(row["path"]).name: row for row in rows_of(page, job)}
    names = {name: Path(row["looks_like"]).name for name, row in rows.items()}
    assert names == {"a.jpg": "small.jpg", "b.jpg": "", "c.jpg": "", "small.jpg": "a.jpg"}
    answer: Any = page.get(f"/imports/{job.pk}/report?format=json")
    lines = [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]
    assert {Path(line["path"]).name: Path(line["looks_like"]).name for line in lines} == names


def test_a_long_import_goes_on_in_another_slice(
    page: Client, library: Library, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(3):
        put_picture(root / f"{seed}.jpg", seed)
    monkeypatch.setattr(import_tasks, "SLICE_SECONDS", -1)
    start(page, library, root)
    for _ in range(4):
        run_job(str(Job.objects.get().pk))
    job: Any = Job.objects.get()
    assert job.status == "finished"
    assert job.result["counts"]["imported"] == 3
    assert len(rows_of(page, job)) == 3
    assert Photo.objects.count() == 3


def test_an_import_whose_worker_dies_forgets_nothing(
    page: Client, library: Library, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(3):
        put_picture(root / f"{seed}.jpg", seed)
    start(page, library, root)
    job: Any = Job.objects.get()
    on_disk = []

    def die(job: Job, **progress: Any) -> None:
        report(job, **progress)
        on_disk.append(len(rows_of(page, job)))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(import_tasks, "report", die)
        with pytest.raises(KeyboardInterrupt):
            run_job(str(job.pk))
    assert on_disk == [3]
    job.refresh_from_db()
    queue_again(job)
    run_job(str(job.pk))
    job.refresh_from_db()
    assert (job.status, job.result["counts"]["imported"]) == ("finished", 3)
    assert len(rows_of(page, job)) == 3


@pytest.mark.parametrize("path", ["/etc", "{root}/gone.zip", "{root}/..", "x.zip"])
def test_a_place_elsewhere_is_refused(page: Client, library: Library, root: Path, path: str) -> None:
    assert b'role="alert"' in start(page, library, path.format(root=root)).content
    assert not Job.objects.exists()


def test_others_see_neither_the_page_nor_a_report(
    page: Client, library: Library, root: Path, bob: Any, admin: Any
) -> None:
    start(page, library, root)
    job = Job.objects.get()
    run_job(str(job.pk))
    other = Client()
    other.force_login(bob)
    assert other.get("/imports").status_code == 403
    other.force_login(admin)
    assert other.get(f"/imports/{job.pk}/report").status_code == 404
