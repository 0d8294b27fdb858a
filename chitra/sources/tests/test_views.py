"""The page of folders: administrators add, change, scan and forget them; others do not see it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from chitra.sources import tasks
from chitra.sources.models import Folder
from chitra.sources.tests.trees import put_picture
from jobs.models import Job
from jobs.tasks import run_job
from photos.models import Library, Photo


@pytest.fixture
def page(alice: Any, library: Library, client: Client, media: Path) -> Client:
    alice.is_staff = True
    alice.save()
    client.force_login(alice)
    return client


def add(page: Client, library: Library, path: Path | str, **values: Any) -> Any:
    fields = {"library": library.pk, "path": str(path), "mode": "in_place", "schedule_minutes": 0}
    return page.post("/folders/add", fields | values)


def test_a_folder_is_added_and_scanned(page: Client, library: Library, root: Path) -> None:
    put_picture(root / "a.jpg")
    assert add(page, library, root).status_code == 302
    job: Any = Job.objects.get(kind="scan")
    run_job(str(job.pk))
    job.refresh_from_db()
    assert job.status == "finished"
    assert job.result["counts"]["added"] == 1
    html = page.get("/folders").content.decode()
    assert str(root) in html
    assert "1 photo" in html
    assert "1 new" in html


@pytest.mark.parametrize("path", ["/etc", "{root}/gone", "{root}/../x", "relative", ""])
def test_a_folder_elsewhere_is_refused_with_the_reason(
    page: Client, library: Library, root: Path, path: str
) -> None:
    response = add(page, library, path.format(root=root))
    assert response.status_code == 200
    assert b'role="alert"' in response.content
    assert not Folder.objects.exists()


def test_a_library_has_a_folder_once(page: Client, library: Library, root: Path) -> None:
    add(page, library, root)
    assert "has this folder already" in add(page, library, root).content.decode()


def test_who_is_no_administrator_is_shown_nothing(client: Client, bob: Any, root: Path) -> None:
    client.force_login(bob)
    assert client.get("/folders").status_code == 403
    assert client.post("/folders/add", {"path": str(root)}).status_code == 403


def test_an_administrator_does_not_see_folders_of_other_libraries(
    client: Client, admin: Any, library: Library, root: Path
) -> None:
    folder = Folder.objects.create(library=library, path=str(root))
    client.force_login(admin)
    assert str(root) not in client.get("/folders").content.decode().replace("<code>", "")
    assert client.get(f"/folders/{folder.pk}").status_code == 404
    assert client.post(f"/folders/{folder.pk}/scan").status_code == 404


def test_a_refused_scan_says_why_and_offers_the_way_out(page: Client, library: Library, root: Path) -> None:
    folder = Folder.objects.create(library=library, path=str(root))
    put_picture(root / "a.jpg", 1)
    put_picture(root / "b.jpg", 2)
    page.post(f"/folders/{folder.pk}/scan")
    run_job(str(Job.objects.get().pk))
    Folder.objects.update(device=1)
    (root / "a.jpg").unlink()
    page.post(f"/folders/{folder.pk}/scan")
    run_job(str(Job.objects.latest("created_at").pk))
    assert "It is the right disk" in page.get("/folders").content.decode()
    page.post(f"/folders/{folder.pk}/scan", {"is_right_disk": "1"})
    run_job(str(Job.objects.latest("created_at").pk))
    assert Photo.objects.filter(missing_since__isnull=False).count() == 1
    assert "1 missing" in page.get("/folders").content.decode()
    assert "tile-badge" in page.get("/").content.decode()


def test_forgetting_a_folder_trashes_only_what_lies_there(page: Client, library: Library, root: Path) -> None:
    folder = Folder.objects.create(library=library, path=str(root))
    put_picture(root / "a.jpg")
    page.post(f"/folders/{folder.pk}/scan")
    run_job(str(Job.objects.get().pk))
    page.post(f"/folders/{folder.pk}/delete")
    assert not Folder.objects.exists()
    assert Photo.objects.get().deleted_at is not None
    assert (root / "a.jpg").exists()


def test_a_scan_longer_than_its_slice_goes_on_in_another(
    page: Client, library: Library, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder.objects.create(library=library, path=str(root))
    for seed in range(3):
        put_picture(root / f"{seed}.jpg", seed)
    monkeypatch.setattr("photos.taking.GROUP_FILES", 1)
    monkeypatch.setattr(tasks, "SLICE_SECONDS", -1)
    page.post(f"/folders/{folder.pk}/scan")
    for _ in range(4):
        run_job(str(Job.objects.get().pk))
    job: Any = Job.objects.get()
    assert job.status == "finished"
    assert job.result["counts"]["added"] == 3
    assert job.result["counts"]["unchanged"] == 0
    assert Photo.objects.count() == 3


def test_scheduled_folders_are_scanned_when_it_is_time(library: Library, root: Path, media: Path) -> None:
    Folder.objects.create(library=library, path=str(root), schedule_minutes=5)
    assert tasks.scan_due_folders() == 1
    assert tasks.scan_due_folders() == 0
    run_job(str(Job.objects.get().pk))
    assert tasks.scan_due_folders() == 0
    Job.objects.update(ended_at=timezone.now() - timedelta(minutes=6))
    assert tasks.scan_due_folders() == 1


def test_a_folder_is_scanned_once_at_a_time(library: Library, root: Path) -> None:
    folder = Folder.objects.create(library=library, path=str(root))
    first = tasks.start_scan(folder)
    folder.refresh_from_db()
    assert tasks.start_scan(folder) == first
