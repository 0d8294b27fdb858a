"""Which library photos, people and jobs of a request end in. Bob edits Alice's library, and may have one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from faces.models import Person
from jobs.models import Job
from photos.models import Library, Membership, Photo, PhotoStep, ResumableUpload
from photos.tests.pictures import jpeg

ClientOf = Callable[[Any], Client]
Share = Callable[[Any, str], None]
TUS = {"tus-resumable": "1.0.0", "upload-length": "9"}


@pytest.fixture
def own(bob: Any, library: Library, share_with: Share) -> Library:
    """Bob's own library, younger than Alice's, which he edits."""
    share_with(bob, "editor")
    own = Library.objects.create(name="Own")
    Membership.objects.create(library=own, user=bob, role="owner")
    return own


@pytest.fixture
def bobs(client_of: ClientOf, bob: Any) -> Client:
    return client_of(bob)


def upload(client: Client, query: str = "") -> Any:
    return client.post(f"/api/photos/upload{query}", {"file": SimpleUploadedFile("a.jpg", jpeg(64, 48))})


def post(client: Client, path: str, body: dict[str, Any]) -> Any:
    return client.post(f"/api/{path}", body, content_type="application/json")


def test_what_an_editor_adds_goes_to_the_library_edited(
    bob: Any, bobs: Client, library: Library, share_with: Share, media: Path
) -> None:
    share_with(bob, "editor")
    assert upload(bobs).status_code == 200
    assert post(bobs, "persons", {"name": "Asha"}).status_code == 200
    assert bobs.post("/api/uploads", headers=TUS).status_code == 201
    post(bobs, "index/faces-cluster", {})
    for row in (Photo, Person, ResumableUpload, Job):
        assert row.objects.get().library_id == library.pk
    assert Library.objects.count() == 1


def test_without_a_word_things_go_to_the_own_library(bobs: Client, own: Library, media: Path) -> None:
    upload(bobs)
    post(bobs, "persons", {"name": "Asha"})
    assert (Photo.objects.get().library, Person.objects.get().library) == (own, own)


def test_a_request_may_name_the_library(bobs: Client, own: Library, library: Library, media: Path) -> None:
    assert upload(bobs, f"?library={library.pk}").status_code == 200
    assert post(bobs, "persons", {"name": "Asha", "library": library.pk}).status_code == 200
    assert bobs.post(f"/api/uploads?library={library.pk}", headers=TUS).status_code == 201
    for path in ("index/faces-cluster", "index/faces", "index/embeddings", "people/recluster"):
        assert post(bobs, path, {"library": library.pk}).status_code == 200
    for row in (Photo, Person, ResumableUpload):
        assert row.objects.get().library_id == library.pk
    assert set(Job.objects.values_list("library_id", flat=True)) == {library.pk}


def test_an_administrator_scans_into_a_library_that_is_named(
    client_of: ClientOf,
    admin: Any,
    library: Library,
    share_with: Share,
    media: Path,
    tmp_path: Path,
    settings: Any,
) -> None:
    share_with(admin, "editor")
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(jpeg(64, 48))
    settings.SCAN_ROOTS = [folder]
    own = Library.objects.create(name="Own")
    Membership.objects.create(library=own, user=admin, role="owner")
    client = client_of(admin)
    assert post(client, "photos/scan-path", {"root": str(folder), "library": library.pk}).status_code == 200
    assert Photo.objects.get().library == library


def test_a_job_touches_the_photos_of_its_library_only(
    bobs: Client, own: Library, library: Library, add_photo: Callable[..., Photo]
) -> None:
    add_photo(seed=1)
    mine = add_photo(seed=2, to=own)
    PhotoStep.objects.update(status="done")
    assert post(bobs, "index/faces", {}).json()["message"] == "Queued 1 photos for face processing"
    assert PhotoStep.objects.get(step="faces", status="pending").photo == mine


@pytest.mark.parametrize("role", ["viewer", ""])
def test_a_library_that_is_not_ones_own_to_change_cannot_be_named(
    bob: Any, bobs: Client, library: Library, share_with: Share, media: Path, role: str
) -> None:
    if role:
        share_with(bob, role)
    answers = [
        upload(bobs, f"?library={library.pk}"),
        bobs.post(f"/api/uploads?library={library.pk}", headers=TUS),
        post(bobs, "persons", {"name": "Asha", "library": library.pk}),
        post(bobs, "index/faces", {"library": library.pk}),
        post(bobs, "index/embeddings", {"library": library.pk}),
        post(bobs, "index/faces-cluster", {"library": library.pk}),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["error"]) == (404, "library_not_found")
    assert Library.objects.count() == 1
    assert not Photo.objects.exists()


def test_what_is_no_id_is_refused(bobs: Client, own: Library) -> None:
    assert upload(bobs, "?library=mine").status_code == 422


def test_the_upload_page_asks_only_those_who_have_a_choice(
    client: Client, alice: Any, bob: Any, own: Library, library: Library
) -> None:
    client.force_login(alice)
    assert "<select" not in client.get("/upload").content.decode()
    client.force_login(bob)
    page = " ".join(client.get("/upload").content.decode().split())
    assert f'<option value="{own.pk}">Own</option>' in page
    assert f'<option value="{library.pk}">Photos of alice@example.org</option>' in page


def test_a_retry_over_two_libraries_is_a_job_in_each(
    client: Client, bob: Any, own: Library, library: Library, add_photo: Callable[..., Photo]
) -> None:
    add_photo(seed=1)
    add_photo(seed=2, to=own)
    PhotoStep.objects.filter(step="metadata").update(status="failed")
    client.force_login(bob)
    client.post("/jobs/retry", {"step": "metadata"})
    assert set(Job.objects.values_list("library_id", "total")) == {(library.pk, 1), (own.pk, 1)}
