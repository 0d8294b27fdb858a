"""Photos that come over the API: uploads, and scans of folders."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from photos.models import Photo
from photos.services import ACCEPTED, ingest
from photos.storages import own_store
from photos.storages.errors import unavailable
from photos.tests.pictures import jpeg, png

AddPhoto = Callable[..., Photo]
ClientOf = Callable[[Any], Client]


@pytest.fixture
def client(client_of: ClientOf, alice: Any) -> Client:
    """Alice's program."""
    return client_of(alice)


def upload(client: Client, *files: bytes, field: str = "file", **more: Any) -> Any:
    sent = [SimpleUploadedFile(f"{number}.jpg", data) for number, data in enumerate(files)]
    return client.post("/api/photos/upload", {field: sent, **more})


def test_a_photo_is_taken(client: Client, media: Path) -> None:
    response = upload(client, jpeg())
    photo = Photo.objects.get()
    assert response.status_code == 200
    assert response.json() == {
        "saved": [
            {
                "id": photo.pk,
                "file_path": photo.original_key,
                "storage_url": f"/api/storage/{photo.original_key}",
                "thumbnail": photo.rendition_key("thumbnail"),
                "thumbnail_url": f"/api/storage/{photo.rendition_key('thumbnail')}",
                "checksum": photo.sha1,
                "sha256": photo.checksum,
                "media_type": "photo",
                "transcode_status": None,
            }
        ]
    }
    assert photo.uploaded_by is not None


def test_many_photos_with_a_bad_one_are_taken_without_it(client: Client, media: Path) -> None:
    upload(client, jpeg(seed=1))
    response = upload(client, jpeg(seed=1), b"not a picture", jpeg(seed=2), b"", png(), field="files")
    answer = response.json()
    assert response.status_code == 200
    assert len(answer["saved"]) == 2
    assert [entry["duplicate"] for entry in answer["duplicates"]] == [True]
    assert [error.split(":")[0] for error in answer["errors"]] == ["1.jpg", "3.jpg"]
    assert Photo.objects.count() == 3


def test_several_bad_files_are_answered_with_all_reasons_as_old_clients_expect(
    client: Client, media: Path
) -> None:
    response = upload(client, b"not a picture", b"", field="files")
    assert response.status_code == 200
    assert response.json() == {
        "saved": [],
        "errors": [
            f"0.jpg: The content is not a picture or video that Chitra reads ({ACCEPTED}); it is text.",
            "1.jpg: Empty file: 1.jpg",
        ],
    }


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [(b"not a picture", 415, "unsupported_type"), (b"<svg/>", 415, "unsupported_type")],
)
def test_a_single_bad_file_is_an_error(
    client: Client, media: Path, data: bytes, status: int, code: str
) -> None:
    response = upload(client, data)
    assert (response.status_code, response.json()["error"]) == (status, code)


def test_an_empty_file_is_an_error(client: Client, media: Path) -> None:
    assert upload(client, b"").status_code == 400


def test_a_photo_over_the_limit_is_refused_and_nothing_is_kept(
    client: Client, media: Path, settings: Any
) -> None:
    settings.MAX_UPLOAD_BYTES = 10_000
    response = upload(client, jpeg(seed=1))
    assert (response.status_code, response.json()["error"]) == (413, "too_large")
    assert not Photo.objects.exists()
    assert not [path for path in media.rglob("*") if path.is_file()]


def test_a_storage_that_refuses_is_said(client: Client, media: Path) -> None:
    media.write_text("a file is in the way")
    response = upload(client, jpeg())
    assert (response.status_code, response.json()["error"]) == (507, "storage_unavailable")
    assert not Photo.objects.exists()


def test_the_photos_before_the_storage_refused_are_answered(
    client: Client, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage: Any = type(own_store())
    open_writer = storage.open_writer
    opened: list[Any] = []

    def refuse_the_second(self: Any, *args: Any, **kwargs: Any) -> Any:
        opened.append(args)
        if len(opened) > 1:
            raise unavailable(OSError(28, "No space left on device"))
        return open_writer(self, *args, **kwargs)

    monkeypatch.setattr(storage, "open_writer", refuse_the_second)
    answer = upload(client, jpeg(seed=1), jpeg(seed=2)).json()
    assert len(answer["saved"]) == 1
    assert answer["errors"][0].startswith("1.jpg: The storage is full.")


def test_an_upload_without_files_is_refused(client: Client) -> None:
    without = [({}, "no_files"), ({"photo": SimpleUploadedFile("a.jpg", jpeg())}, "no_files")]
    for data, code in [*without, ({"file": "text"}, "no_valid_files")]:
        response = client.post("/api/photos/upload", data)
        assert (response.status_code, response.json()["error"]) == (400, code)


@pytest.mark.parametrize("content_type", ["application/json", "image/jpeg", "text/plain"])
def test_an_upload_that_is_no_form_is_refused(client: Client, content_type: str) -> None:
    response = client.post("/api/photos/upload", jpeg(), content_type=content_type)
    assert (response.status_code, response.json()["error"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=é"],
)
def test_a_form_without_a_boundary_is_refused(client: Client, content_type: str) -> None:
    response = client.post("/api/photos/upload", b"--x\r\n", content_type=content_type)
    assert response.status_code == 400
    assert response.json()["error"] == "malformed_body"


def test_a_form_that_is_cut_off_keeps_nothing(client: Client, media: Path) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    response = client.post("/api/photos/upload", head[:40], content_type="multipart/form-data; boundary=x")
    assert response.status_code == 400
    assert not Photo.objects.exists()


def test_a_form_of_too_many_files_is_refused(client: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 2
    response = upload(client, b"1", b"2", b"3")
    assert (response.status_code, response.json()["error"]) == (400, "malformed_body")


def test_a_form_field_too_large_for_memory_is_refused(client: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    response = client.post("/api/photos/upload", {"file": "x" * 5000})
    assert (response.status_code, response.json()["error"]) == (413, "too_large")


# Scan


@pytest.fixture
def admins_client(client_of: ClientOf, admin: Any) -> Client:
    return client_of(admin)


def scan(client: Client, data: Any) -> Any:
    return client.post("/api/photos/scan-path", data, content_type="application/json")


def test_an_administrator_scans_a_folder(
    admins_client: Client, media: Path, tmp_path: Path, settings: Any
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(jpeg())
    (folder / "b.txt").write_bytes(b"text")
    settings.SCAN_ROOTS = [tmp_path]
    answer = scan(admins_client, {"root": str(folder)}).json()
    assert (answer["root"], answer["processed"], answer["imported"]) == (str(folder), 1, 1)
    assert answer["skipped"][0]["path"] == str(folder / "b.txt")
    assert answer["failed"] == []


def test_a_folder_outside_is_refused(admins_client: Client, tmp_path: Path, settings: Any) -> None:
    assert scan(admins_client, {"root": "/etc"}).json()["error"] == "root_not_found"
    settings.SCAN_ROOTS = [tmp_path]
    for root in ("/etc", f"{tmp_path}/..", f"{tmp_path}/gone"):
        response = scan(admins_client, {"root": root})
        assert (response.status_code, response.json()["error"]) == (400, "root_not_found")


@pytest.mark.parametrize("data", [{}, {"root": ""}, {"root": "  "}])
def test_a_scan_needs_a_folder(admins_client: Client, data: Any) -> None:
    response = scan(admins_client, data)
    assert (response.status_code, response.json()["error"]) == (400, "missing_root")


@pytest.mark.parametrize("root", [5.5e300, [], {}, None, "a\0b"])
def test_a_folder_that_is_no_text_is_refused(admins_client: Client, root: Any) -> None:
    assert scan(admins_client, json.dumps({"root": root})).status_code in (400, 422)


def test_only_an_administrator_scans(client: Client) -> None:
    response = scan(client, {"root": "/etc"})
    assert (response.status_code, response.json()["error"]) == (403, "Admin access required")


def test_ingest_and_upload_are_one(client: Client, library: Any, media: Path) -> None:
    ingest(library=library, stream=io.BytesIO(jpeg()), name="a.jpg")
    assert upload(client, jpeg()).json()["saved"] == []
