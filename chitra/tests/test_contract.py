"""The contract of the old API, endpoint by endpoint: every success body, every error."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from chitra.accounts.models import User
from faces.models import Face, Person
from jobs import ledger, tasks
from jobs.models import Job
from jobs.steps import StepResult, get_step
from photos.models import Library, Photo, PhotoStep
from photos.steps import make_renditions
from photos.tests.pictures import jpeg

OLD_PHOTO: dict[str, Any] = {
    "id": int,
    "file_path": str,
    "size": int,
    "created_at": str,
    "checksum": str,
    "phash": str,
    "exif_datetime": str,
    "latitude": type(None),
    "longitude": type(None),
    "thumb_path": (str, type(None)),
    "score": type(None),
    "media_type": str,
    "duration_seconds": type(None),
    "width": (int, type(None)),
    "height": (int, type(None)),
    "playback_status": type(None),
}
ClientOf = Callable[[User], Client]
AddPhoto = Callable[..., Photo]


@pytest.fixture
def client(client_of: ClientOf, alice: User, library: Library, media: Any) -> Client:
    """Alice's program."""
    cache.clear()
    return client_of(alice)


def post(client: Client, path: str, body: Any = None) -> Any:
    return client.post(path, {} if body is None else body, content_type="application/json")


def assert_error(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert answer.json()["detail"] == code
    assert answer.json()["message"]


def file(name: str, data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def make_face(photo: Photo, person: Person | None = None) -> Face:
    face: Face = Face.objects.create(photo=photo, person=person, x1=0, y1=0, x2=1, y2=1, detection_score=1)
    return face


def test_health_is_public_and_answers_200(db: None, media: Any) -> None:
    answer = Client().get("/api/health").json()
    assert answer["status"] in ("ok", "degraded")
    for key in ("version", "db_path", "db_status", "storage_status"):
        assert isinstance(answer[key], str)
    assert "/" not in answer["db_path"]


@pytest.mark.parametrize(
    "path", ["/api/photos", "/api/faces", "/api/persons", "/api/tags", "/api/auth/me", "/api/admin/users"]
)
def test_without_a_key_everything_else_is_401(db: None, path: str) -> None:
    answer = Client().get(path)
    assert_error(answer, 401, "Not authenticated")
    assert answer["WWW-Authenticate"] == "Bearer"
    assert_error(
        Client(headers={"authorization": "Bearer x.y.z"}).get(path), 401, "Could not validate credentials"
    )


def test_unknown_paths_wrong_methods_slashes_and_head(client: Client) -> None:
    assert_error(client.get("/api/nothing"), 404, "not_found")
    wrong = client.put("/api/photos")
    assert_error(wrong, 405, "method_not_allowed")
    assert "GET" in wrong["Allow"]
    slash = client.get("/api/photos/?limit=2")
    assert (slash.status_code, slash["Location"]) == (307, "/api/photos?limit=2")
    assert client.head("/api/photos").status_code == 200
    assert client.get("/api/photos/abc").status_code == 404


def test_photos_are_listed_by_capture_date_with_limit_offset_and_total(
    client: Client, photo_rows: Callable[[int], list[int]]
) -> None:
    ids = photo_rows(3)
    answer = client.get("/api/photos").json()
    assert {key: answer[key] for key in ("limit", "offset", "total")} == {
        "limit": 100,
        "offset": 0,
        "total": 3,
    }
    assert [item["id"] for item in answer["items"]] == ids[::-1]
    for name, kind in OLD_PHOTO.items():
        assert isinstance(answer["items"][0][name], kind), name
    page = client.get("/api/photos?limit=1&offset=1").json()
    assert ([item["id"] for item in page["items"]], page["total"]) == ([ids[1]], 3)
    for query in ("limit=0", "limit=1001", "limit=abc", "offset=-1"):
        assert_error(client.get(f"/api/photos?{query}"), 422, "invalid")


def test_a_photo_is_answered_deleted_and_then_unknown(client: Client, add_photo: AddPhoto) -> None:
    photo = add_photo()
    assert client.get(f"/api/photos/{photo.pk}").json()["checksum"] == photo.sha1
    deleted = client.delete(f"/api/photos/{photo.pk}")
    assert deleted.json() == {"message": "Photo deleted successfully", "photo_id": photo.pk}
    for path in ("", "/image", "/thumbnail", "/similar"):
        assert_error(client.get(f"/api/photos/{photo.pk}{path}"), 404, "photo_not_found")
    assert_error(client.delete(f"/api/photos/{photo.pk}"), 404, "photo_not_found")


def test_the_image_is_the_original(client: Client, add_photo: AddPhoto) -> None:
    data = jpeg(64, 48, seed=1)
    photo = add_photo(data)
    answer = client.get(f"/api/photos/{photo.pk}/image")
    assert (b"".join(answer) if answer.streaming else answer.content) == data
    assert answer["Content-Type"] == "image/jpeg"
    assert client.get(f"/api/photos/{photo.pk}/image", headers={"range": "bytes=0-3"}).status_code == 206


def test_a_thumbnail_is_grey_at_first_then_webp_or_jpeg(client: Client, add_photo: AddPhoto) -> None:
    photo = add_photo()
    path = f"/api/photos/{photo.pk}/thumbnail"
    assert client.get(path)["Cache-Control"] == "no-store"
    make_renditions([photo.pk])
    assert client.get(path)["Content-Type"] == "image/webp"
    old = client.get(path, headers={"accept": "image/jpeg"})
    assert (old["Content-Type"], old.content[:3]) == ("image/jpeg", b"\xff\xd8\xff")
    assert "Accept" in old["Vary"]
    again = client.get(path, headers={"accept": "image/jpeg", "if-none-match": old["ETag"]})
    assert again.status_code == 304


def test_a_photo_that_cannot_be_decoded_says_so(client: Client, add_photo: AddPhoto) -> None:
    photo = add_photo()
    PhotoStep.objects.filter(photo=photo, step="renditions").update(status="failed", error="broken")
    assert_error(client.get(f"/api/photos/{photo.pk}/thumbnail"), 422, "decode_failed")


def test_uploads_are_saved_in_order_with_duplicates_and_errors(client: Client) -> None:
    files = [file("a b.jpg", jpeg(64, 48, seed=1)), file("b.jpg", jpeg(64, 48, seed=2)), file("e.jpg", b"")]
    answer = client.post("/api/photos/upload", {"files": [*files, file("x.pdf", b"%PDF-1.4 text")]})
    body = answer.json()
    assert answer.status_code == 200
    assert [Photo.objects.get(pk=entry["id"]).original_name for entry in body["saved"]] == [
        "a b.jpg",
        "b.jpg",
    ]
    assert {"id", "file_path", "storage_url", "thumbnail", "thumbnail_url"} <= set(body["saved"][0])
    assert body["errors"][0] == "e.jpg: Empty file: e.jpg"
    assert "duplicates" not in body
    again = client.post("/api/photos/upload", {"file": file("a.jpg", jpeg(64, 48, seed=1))}).json()
    first = body["saved"][0]
    message = f"Duplicate photo detected (same checksum as photo #{first['id']})"
    entry = {"id": first["id"], "file_path": first["file_path"], "duplicate": True, "message": message}
    assert again == {"saved": [], "duplicates": [entry]}


def test_uploads_without_files_and_of_other_types_are_refused(client: Client) -> None:
    assert_error(client.post("/api/photos/upload"), 400, "no_files")
    assert_error(client.post("/api/photos/upload", {"file": "text"}), 400, "no_valid_files")
    assert_error(client.post("/api/photos/upload", {"file": file("e.jpg", b"")}), 400, "empty_file")
    pdf = client.post("/api/photos/upload", {"file": file("x.pdf", b"%PDF-1.4 text")})
    assert_error(pdf, 415, "unsupported_type")


@pytest.mark.parametrize("in_query", [True, False])
def test_auto_process_is_read_from_query_and_form(client: Client, in_query: bool) -> None:
    form = {"file": file("a.jpg", jpeg(64, 48)), **({} if in_query else {"auto_process": "false"})}
    query = "?auto_process=False" if in_query else ""
    saved = client.post(f"/api/photos/upload{query}", form).json()["saved"][0]["id"]
    skipped = PhotoStep.objects.filter(photo_id=saved, status="skipped").values_list("step", flat=True)
    assert sorted(skipped) == ["embedding", "faces", "names", "read_text", "tags"]


def test_what_was_left_out_is_done_when_somebody_asks_for_it(client: Client) -> None:
    """Names in the file wait for faces, tags for the embedding: not for ever, and they come with it."""
    saved = client.post("/api/photos/upload?auto_process=false", {"file": file("a.jpg", jpeg(64, 48))})
    steps = PhotoStep.objects.filter(photo_id=saved.json()["saved"][0]["id"])
    tasks.drain("metadata")
    tasks.drain("renditions")
    assert not steps.filter(status="pending").exclude(step="neighbours").exists()
    client.post("/api/index/embeddings", {}, content_type="application/json")
    client.post("/api/index/faces", {}, content_type="application/json")
    for name in ("embedding", "faces"):
        claims = ledger.claim(get_step(name), limit=1)
        ledger.record(name, claims, {claim.subject_id: StepResult.done() for claim in claims})
    pending = steps.filter(status="pending").exclude(step="neighbours")
    assert sorted(pending.values_list("step", flat=True)) == ["names", "tags"]


def test_an_unusable_auto_process_is_refused_before_files_are_taken(client: Client) -> None:
    form = {"file": file("a.jpg", jpeg(64, 48))}
    assert_error(client.post("/api/photos/upload?auto_process=perhaps", form), 422, "invalid")
    assert not Photo.objects.exists()


def test_an_unusable_auto_process_of_a_form_is_said_beside_what_was_saved(client: Client) -> None:
    """It may come behind the files, which are kept by then."""
    form = {"file": file("a.jpg", jpeg(64, 48)), "auto_process": "perhaps"}
    body = client.post("/api/photos/upload", form).json()
    assert [entry["id"] for entry in body["saved"]] == [Photo.objects.get().pk]
    assert body["errors"][0].startswith("auto_process: ")
    assert not PhotoStep.objects.filter(status="skipped").exists()


def test_files_are_served_by_the_keys_that_answers_hold(
    client: Client, client_of: ClientOf, charlie: User
) -> None:
    data = jpeg(64, 48)
    saved = client.post("/api/photos/upload", {"file": file("a.jpg", data)}).json()["saved"][0]
    original = client.get(saved["storage_url"])
    assert (original["Content-Type"], original.content) == ("image/jpeg", data)
    assert client.get(saved["storage_url"], headers={"range": "bytes=0-3"}).status_code == 206
    assert_error(client.get(saved["thumbnail_url"]), 404, "file_not_found")
    make_renditions([saved["id"]])
    assert client.get(saved["thumbnail_url"])["Content-Type"] == "image/webp"
    old = f"/api/storage/thumbnails/photos/{saved['id']}.jpg"
    assert client.get(old, headers={"accept": "image/jpeg"})["Content-Type"] == "image/jpeg"
    for url in (saved["storage_url"], saved["thumbnail_url"], old):
        assert_error(client_of(charlie).get(url), 404, "file_not_found")
        assert_error(Client().get(url), 401, "Not authenticated")
    assert_error(client.get("/api/storage/photos/2025/12/none.jpg"), 404, "file_not_found")


def test_scan_path_is_for_administrators_and_inside_roots(
    client: Client, client_of: ClientOf, admin: User, tmp_path: Any, settings: Any
) -> None:
    assert_error(post(client, "/api/photos/scan-path", {"root": "/"}), 403, "Admin access required")
    program = client_of(admin)
    assert_error(post(program, "/api/photos/scan-path"), 400, "missing_root")
    assert_error(post(program, "/api/photos/scan-path", {"root": str(tmp_path)}), 400, "root_not_found")
    folder = tmp_path / "scan"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(jpeg(64, 48))
    settings.SCAN_ROOTS = [folder]
    answer = post(program, "/api/photos/scan-path", {"root": str(folder)}).json()
    assert (answer["root"], answer["processed"]) == (str(folder), 1)


def test_tags_are_added_listed_and_searched(client: Client, add_photo: AddPhoto) -> None:
    path = f"/api/photos/{add_photo().pk}/tags"
    bodies: list[dict[str, Any]] = [{}, {"tags": []}, {"tags": "beach"}]
    for body in bodies:
        assert_error(post(client, path, body), 400, "invalid_tags")
    for item in (3, "", {"tag": "x", "score": 2}, {"score": 1}):
        assert_error(post(client, path, {"tags": [item]}), 422, "invalid")
    assert_error(post(client, "/api/photos/999999/tags", {"tags": ["x"]}), 404, "photo_not_found")
    assert post(client, path, {"tags": [{"tag": "sea", "score": 0.5}, "beach"]}).json() == {"status": "ok"}
    listed = client.get(path).json()["tags"]
    assert [(tag["tag"], tag["score"]) for tag in listed] == [("beach", 1.0), ("sea", 0.5)]
    assert client.get("/api/photos/999999/tags").json() == {"photo_id": 999999, "tags": []}
    assert client.get("/api/tags?limit=1").json() == {
        "tags": [{"tag": "beach", "count": 1, "avg_score": 1.0, "min_score": 1.0, "max_score": 1.0}],
        "total": 2,
    }
    found = client.get("/api/search/by-tag?tag=sea").json()
    assert (found["query"], [photo["score"] for photo in found["results"]]) == ("sea", [0.5])
    assert_error(client.get("/api/search/by-tag"), 400, "missing_tag")


def test_indexing_is_queued_as_jobs(client: Client, add_photo: AddPhoto) -> None:
    empty = post(client, "/api/index/embeddings").json()
    assert empty == {"indexed": 0, "job_id": None, "message": "No photos to process"}
    assert post(client, "/api/index/faces").json()["job_id"] is None
    add_photo()
    embeddings = post(client, "/api/index/embeddings", {"incremental": "false"}).json()
    assert (embeddings["status"], embeddings["message"]) == ("queued", "Queued 1 photos for processing")
    faces = post(client, "/api/index/faces", {"limit": 1, "min_score": 0.5, "thumb_size": 160}).json()
    assert faces["message"] == "Queued 1 photos for face processing"
    cluster = post(client, "/api/index/faces-cluster", {"threshold": 0.6}).json()
    assert (cluster["clustered_faces"], cluster["persons_created"], cluster["threshold"]) == (0, 0, 0.6)
    assert cluster["message"].startswith("Clustering job queued (reset=False).")
    job = client.get(f"/api/jobs/{cluster['job_id']}").json()
    assert {"job_id", "status", "created_at", "started_at", "ended_at", "result", "error"} <= set(job)
    assert job["created_at"].endswith("+00:00")
    rebuild = post(client, "/api/persons/rebuild-index").json()
    assert rebuild["status"] == "queued"


def test_unknown_jobs_are_404(client: Client, bob: User) -> None:
    strange = Job.objects.create(kind="x", created_by=bob)
    for job_id in ("nonsense", str(strange.pk)):
        assert_error(client.get(f"/api/jobs/{job_id}"), 404, f"Job not found: {job_id}")


def test_search_takes_both_names_and_misses_neither(client: Client, library: Library) -> None:
    assert_error(client.get("/api/search/photos"), 400, "missing_query")
    assert_error(client.get("/api/search/by-person?q=%20"), 400, "missing_person_name")
    for query in ("q=a&limit=101", "query=a&min_score=nan", "q=a&min_score=2"):
        assert_error(client.get(f"/api/search/photos?{query}"), 422, "invalid")
    for name in ("q", "name"):
        assert client.get(f"/api/search/by-person?{name}=100%25").json() == {"query": "100%", "results": []}


def test_photos_are_found_by_part_of_a_name_once_each(
    client: Client, add_photo: AddPhoto, library: Library
) -> None:
    asha = Person.objects.create(library=library, name="Asha")
    group = Person.objects.create(library=library)
    first, second = add_photo(seed=1), add_photo(seed=2)
    for photo, person in ((first, asha), (first, asha), (second, asha), (second, group)):
        make_face(photo, person)
    for text, ids in (("sh", [second.pk, first.pk]), (f"person {group.pk}", [second.pk]), ("%", [])):
        results = client.get("/api/search/by-person", {"q": text}).json()["results"]
        assert [photo["id"] for photo in results] == ids


def test_faces_are_listed_assigned_and_of_people(
    client: Client, add_photo: AddPhoto, library: Library
) -> None:
    photo = add_photo()
    face, other = make_face(photo), make_face(photo)
    person = post(client, "/api/persons", {"name": " Asha "})
    assert (person.status_code, person.json()["name"]) == (200, "Asha")
    person_id = person.json()["id"]
    path = f"/api/faces/{face.pk}/assign-person"
    assert post(client, path, {"person_id": str(person_id)}).json() == {"status": "ok"}
    for body in ({}, {"person_id": True}, {"person_id": 0}, {"person_id": None}):
        assert_error(post(client, path, body), 422, "invalid")
    assert_error(post(client, path, {"person_id": 999999}), 404, "person_not_found")
    unknown = post(client, "/api/faces/999999/assign-person", {"person_id": person_id})
    assert_error(unknown, 404, "face_not_found")
    items = client.get("/api/faces").json()["items"]
    assert [item["face_id"] for item in items] == [face.pk, other.pk]
    assert {"photo_id", "photo_path", "thumb_path", "person_id", "person_name"} <= set(items[0])
    assert (items[0]["person_name"], items[1]["person_id"]) == ("Asha", None)
    assert len(client.get("/api/faces?limit=1&offset=1").json()["items"]) == 1
    of_person = client.get(f"/api/persons/{person_id}/faces").json()
    assert of_person == {"items": [{"face_id": face.pk, "photo_id": photo.pk, "thumb_path": None}]}
    assert client.get("/api/persons/999999/faces").json() == {"items": []}
    assert_error(client.get(f"/api/faces/{face.pk}/thumbnail"), 404, "face_thumb_not_found")


def test_people_are_renamed_merged_and_cleaned_up(client: Client, library: Library) -> None:
    asha, ravi = (post(client, "/api/persons", {"name": name}).json()["id"] for name in ("Asha", "Ravi"))
    assert_error(post(client, "/api/persons", {"name": "Asha"}), 409, "person_exists")
    assert_error(post(client, "/api/persons", {"name": "  "}), 400, "missing_name")
    rename = client.put(f"/api/persons/{ravi}", {"name": "Ravi K"}, content_type="application/json")
    assert rename.json() == {"id": ravi, "name": "Ravi K"}
    for body, status, code in (({"name": "Asha"}, 409, "person_exists"), ({}, 400, "missing_name")):
        answer = client.put(f"/api/persons/{ravi}", body, content_type="application/json")
        assert_error(answer, status, code)
    gone = client.put("/api/persons/999999", {"name": "X"}, content_type="application/json")
    assert_error(gone, 404, "person_not_found")
    listed = client.get("/api/persons").json()["persons"]
    assert [(person["id"], person["name"]) for person in listed] == [(asha, "Asha"), (ravi, "Ravi K")]
    merge = f"/api/persons/{asha}/merge"
    assert_error(post(client, merge), 400, "missing_source_person_id")
    assert_error(post(client, merge, {"source_person_id": asha}), 400, "cannot_merge_same_person")
    assert_error(post(client, merge, {"source_person_id": 999999}), 404, "person_not_found")
    merged = {"status": "merged", "source_person_id": ravi, "target_person_id": asha}
    assert post(client, merge, {"source_person_id": ravi}).json() == merged
    assert post(client, "/api/persons/cleanup").json() == {"status": "deleted 1 person(s) without faces"}
    entry = client.get("/api/people/journal?limit=1").json()["items"][0]
    assert (entry["verb"], entry["summary"]) == ("delete", "Deleted 1 people without faces")
    assert post(client, f"/api/people/journal/{entry['id']}/undo").status_code == 200
    assert [person["id"] for person in client.get("/api/persons").json()["persons"]] == [asha]


def test_photos_that_look_alike_are_grouped_largest_first(
    client: Client, photo_rows: Callable[[int], list[int]]
) -> None:
    ids = photo_rows(6)
    for photo_id, value in zip(ids, (0, 1, 3, -1, -2, 0x0F0F0F0F0F), strict=True):
        Photo.objects.filter(pk=photo_id).update(perceptual_hash=value)
    body = client.get("/api/duplicates?max_distance=1").json()
    groups = [[photo["id"] for photo in group["photos"]] for group in body["groups"]]
    assert (body["max_distance"], body["group_count"], groups) == (1, 2, [ids[:3], ids[3:5]])
    assert_error(client.get("/api/duplicates?max_distance=65"), 422, "invalid")


def test_a_video_needs_a_media_token_and_a_photo_is_none(client: Client, add_photo: AddPhoto) -> None:
    path = f"/api/photos/{add_photo().pk}/video"
    token = client.get("/api/media-token").json()["token"]
    assert_error(Client().get(path), 401, "invalid_or_expired_media_token")
    forged = Client().get(path, {"token": "x"})
    assert_error(forged, 401, "invalid_or_expired_media_token")
    assert forged.json()["message"].startswith("The token is none of GET /api/media-token")
    assert_error(Client().get(path, {"token": token}), 400, "not_a_video")
    assert_error(Client().get("/api/photos/999999/video", {"token": token}), 404, "photo_not_found")
    as_bearer = Client(headers={"authorization": f"Bearer {token}"}).get("/api/photos")
    assert_error(as_bearer, 401, "Could not validate credentials")


def test_similar_photos_need_an_embedding(client: Client, add_photo: AddPhoto) -> None:
    assert_error(client.get(f"/api/photos/{add_photo().pk}/similar"), 404, "no_embedding")


def test_the_api_is_open_only_when_it_is_set_and_never_to_administration(
    admin: User, settings: Any, media: Any
) -> None:
    settings.LEGACY_OPEN_API = "ADMIN@example.org"
    assert Client().get("/api/photos").status_code == 200
    assert_error(Client().get("/api/admin/users"), 403, "Admin access required")
    assert "open" in Client().get("/api/health").json()["warnings"][0]
    wrong = Client(headers={"authorization": "Bearer nonsense"}).get("/api/photos")
    assert_error(wrong, 401, "Could not validate credentials")


def test_other_origins_are_refused_unless_named(client: Client, settings: Any) -> None:
    origin = {"origin": "https://app.example.org"}
    assert "Access-Control-Allow-Origin" not in client.get("/api/photos", headers=origin)
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.org"]
    allowed = client.get("/api/photos", headers=origin)
    assert allowed["Access-Control-Allow-Origin"] == "https://app.example.org"
    assert "Access-Control-Allow-Credentials" not in allowed
    for refused in (
        Client().get("/api/photos", headers=origin),
        client.get("/api/nothing", headers=origin),
        client.get("/api/photos?limit=x", headers=origin),
    ):
        assert refused.status_code >= 400
        assert refused["Access-Control-Allow-Origin"] == "https://app.example.org"
        assert "Content-Security-Policy" in refused
    asks = {**origin, "access-control-request-method": "PATCH"}
    preflight = Client().options("/api/uploads", headers=asks)
    assert preflight.status_code == 200
    assert "PATCH" in preflight["Access-Control-Allow-Methods"]
    assert "upload-offset" in preflight["Access-Control-Allow-Headers"]
