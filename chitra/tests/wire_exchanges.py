"""What clients of the old servers sent, request by request, and what they must get for it.

Each exchange has the statuses that the two generations answered (`old`, as seen on the wire). Chitra answers
one of them; what was 500 is a 4xx that fits; anything else is said, with its reason, in
docs/api-compatibility.md (`why`).
"""

from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from photos.tests.pictures import jpeg, png

NONE = type(None)
PHOTO = {
    "id": int,
    "file_path": str,
    "size": int,
    "created_at": str,
    "checksum": str,
    "phash": str,
    "exif_datetime": str,
    "latitude": (float, NONE),
    "longitude": (float, NONE),
    "thumb_path": (str, NONE),
    "score": (float, NONE),
}
FACE = {
    "face_id": int,
    "photo_id": int,
    "photo_path": str,
    "thumb_path": (str, NONE),
    "person_id": (int, NONE),
    "person_name": (str, NONE),
}
JOB = {
    "job_id": str,
    "status": str,
    "created_at": str,
    "started_at": (str, NONE),
    "ended_at": (str, NONE),
    "result": (int, dict, NONE),
    "error": (str, NONE),
}
USER = {
    "id": int,
    "username": str,
    "email": (str, NONE),
    "role": str,
    "is_active": bool,
    "is_whitelisted": bool,
    "whitelisted_at": (str, NONE),
    "created_at": str,
    "last_login": (str, NONE),
}
SAVED = {"id": int, "file_path": str, "storage_url": str, "thumbnail": str, "thumbnail_url": str}
DUPLICATE = {"id": int, "file_path": str, "duplicate": True, "message": str}
QUEUED = {"job_id": str, "message": str, "status": "queued"}
CLUSTER = {"clustered_faces": 0, "persons_created": 0, "threshold": float, "job_id": str, "message": str}
OK = {"status": "ok"}


@dataclass(frozen=True)
class Exchange:
    """`request` is a line as on the wire, with the names of ids in braces; `answer` a code, shape or type."""

    request: str
    old: tuple[int, ...]
    now: int
    answer: Any
    body: Any = None
    form: Any = None
    why: str = ""


def file(name: str, data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


E = Exchange
UPLOAD = "POST /api/photos/upload"
UNKNOWN = "unknown ids in PUT, merge and assign are 404"
EXCHANGES = [
    E("GET /api/health", (200, 200), 200, {"status": str, "version": str, "db_path": str, "db_status": str}),
    E("GET /", (200, 503), 302, None, why="`GET /` is the web pages"),
    E("GET /some/route", (404, 404), 404, None),
    E("GET /assets/x.js", (404, 404), 404, None),
    E("GET /api/nothing", (404, 404), 404, "not_found"),
    E("GET /api/photos?limit=1", (200, 200), 200, {"items": [PHOTO], "limit": 1, "offset": 0, "total": int}),
    E("GET /api/photos?limit=2&offset=60", (200, 200), 200, {"items": [], "limit": 2, "offset": 60}),
    E("GET /api/photos?limit=abc", (422, 500), 422, "invalid"),
    E("GET /api/photos?limit=-1", (422, 200), 422, "invalid"),
    E("GET /api/photos?limit=0", (422, 200), 422, "invalid"),
    E("GET /api/photos?limit=5000", (422, 200), 422, "invalid"),
    E("GET /api/photos?offset=-5", (422, 200), 422, "invalid"),
    E("POST /api/photos", (405, 405), 405, "method_not_allowed"),
    E("GET /api/photos/{photo}", (200, 200), 200, PHOTO),
    E("GET /api/photos/99999", (404, 404), 404, "photo_not_found"),
    E("GET /api/photos/abc", (422, 404), 404, "not_found"),
    E("HEAD /api/photos/{photo}", (405, 200), 200, None),
    E("GET /api/photos/{photo}/", (307, 404), 307, None),
    E("GET /api/photos/{photo}/image", (200, 200), 200, "image/jpeg"),
    E("GET /api/photos/99999/image", (404, 404), 404, "photo_not_found"),
    E("GET /api/photos/{missing}/image", (404, 404), 404, "file_not_found_on_storage"),
    E("GET /api/photos/{broken}/image", (500, 500), 200, "image/jpeg", why="the original byte for byte"),
    E("GET /api/photos/{png}/image", (200, 200), 200, "image/png"),
    E("GET /api/photos/{photo}/thumbnail", (200, 200), 200, "image/jpeg"),
    E("GET /api/photos/{png}/thumbnail", (200, 500), 200, "image/jpeg"),
    E("GET /api/photos/99999/thumbnail", (404, 404), 404, "photo_not_found"),
    E("GET /api/photos/{missing}/thumbnail", (200, 200), 200, "image/jpeg"),
    E("GET /api/photos/{broken}/thumbnail", (200, 200), 422, "decode_failed", why="422 `decode_failed`"),
    E("GET /api/photos/{photo}/tags", (200, 200), 200, {"photo_id": int, "tags": []}),
    E("GET /api/photos/99999/tags", (200, 200), 200, {"photo_id": 99999, "tags": []}),
    E(
        *("POST /api/photos/{photo}/tags", (422, 200), 422, "invalid"),
        body={"tags": ["x", {"tag": "y", "score": 0.5}, {"tag": ""}, 5]},
    ),
    E(
        *("POST /api/photos/{photo}/tags", (200, 200), 200, OK),
        body={"tags": ["x", {"tag": "y", "score": 0.5}]},
    ),
    E("POST /api/photos/{photo}/tags", (400, 400), 400, "invalid_tags", {"tags": []}),
    E("POST /api/photos/{photo}/tags", (422, 400), 400, "invalid_tags", {"tags": "x"}),
    E("POST /api/photos/{photo}/tags", (422, 400), 400, "malformed_body", b"notjson"),
    E(
        *("POST /api/photos/99999/tags", (200, 200), 404, "photo_not_found", {"tags": ["ghost"]}),
        why="an unknown photo is 404",
    ),
    E("POST /api/photos/{photo}/tags", (422, 500), 422, "invalid", {"tags": [{"tag": "z", "score": "bad"}]}),
    E("POST /api/photos/{photo}/tags", (422, 200), 422, "invalid", {"tags": [{"tag": "big", "score": 3}]}),
    E(
        "GET /api/photos/{photo}/tags",
        (200, 200),
        200,
        {"photo_id": int, "tags": [{"tag": str, "score": float}]},
    ),
    E(f"{UPLOAD}?auto_process=false", (200, 500), 200, {"saved": [SAVED]}, form=lambda: {"file": first()}),
    E(
        *(f"{UPLOAD}?auto_process=false", (200, 500), 200, {"saved": [], "duplicates": [DUPLICATE]}),
        form=lambda: {"file": first()},
    ),
    E(
        *(f"{UPLOAD}?auto_process=false", (200, 200), 200, {"saved": [SAVED], "errors": [str]}),
        form=lambda: {
            "files": [file("a b.jpg", jpeg(50, 40, seed=12)), file("ü#.png", png(seed=3)), file("e.jpg", b"")]
        },
    ),
    E(
        *(f"{UPLOAD}?auto_process=false", (500, 500), 415, "unsupported_type"),
        form=lambda: {"auto_process": "false", "file": file("bad.jpg", b"no picture at all")},
    ),
    E(
        *(f"{UPLOAD}?auto_process=false", (500, 500), 200, {"saved": [SAVED]}),
        form=lambda: {"file": file("../../evil.jpg", jpeg(50, 40, seed=13))},
        why="`../../x.jpg` as a name must not choose a path",
    ),
    E(UPLOAD, (400, 400), 400, "no_files", form=lambda: {"x": "y"}),
    E(UPLOAD, (400, 400), 400, "no_files", form=dict),
    E(
        UPLOAD,
        (200, 500),
        200,
        {"saved": [SAVED]},
        form=lambda: {"file": file("auto.jpg", jpeg(50, 40, seed=14))},
    ),
    E("POST /api/photos/scan-path", (422, 400), 400, "missing_root", {}),
    E("POST /api/photos/scan-path", (400, 400), 400, "missing_root", {"root": ""}),
    E("POST /api/photos/scan-path", (400, 400), 400, "root_not_found", {"root": "/nope"}),
    E("POST /api/photos/scan-path", (200, 500), 200, {"root": str, "processed": 1}, {"root": "{folder}"}),
    E("POST /api/photos/scan-path", (422, 400), 400, "missing_root"),
    E("POST /api/index/embeddings", (200, 200), 200, {"indexed": 0, **QUEUED}, {}),
    E("POST /api/index/embeddings", (422, 200), 200, {"indexed": 0, **QUEUED}),
    E("POST /api/index/embeddings", (200, 200), 200, {"indexed": 0, **QUEUED}, {"incremental": False}),
    E("POST /api/index/embeddings", (200, 200), 200, {"indexed": 0, **QUEUED}, {"incremental": "false"}),
    E("POST /api/index/faces", (200, 200), 200, {"processed_photos": 0, **QUEUED}, {"limit": 2}),
    E("POST /api/index/faces", (422, 500), 422, "invalid", {"min_score": "x"}),
    E("POST /api/index/faces", (422, 200), 422, "invalid", {"limit": 0}),
    E("POST /api/index/faces", (422, 200), 422, "invalid", {"thumb_size": 10}),
    E("POST /api/index/faces", (422, 200), 200, {"processed_photos": 0, **QUEUED}),
    E("GET /api/jobs/{job}", (200, 200), 200, JOB),
    E("GET /api/jobs/nope", (404, 404), 404, "Job not found: nope"),
    E("GET /api/search/photos", (400, 400), 400, "missing_query"),
    E("GET /api/search/photos?q=beach&limit=2", (400, 200), 200, {"query": "beach", "results": [PHOTO]}),
    E("GET /api/search/photos?query=beach&limit=1", (200, 200), 200, {"query": "beach", "results": [PHOTO]}),
    E("GET /api/search/photos?q=", (400, 400), 400, "missing_query"),
    E("GET /api/search/photos?q=beach&limit=0", (422, 200), 422, "invalid"),
    E("GET /api/search/photos?query=beach&limit=500", (422, 200), 422, "invalid"),
    E("GET /api/search/photos?query=beach&min_score=-1", (422, 200), 422, "invalid"),
    E(
        "GET /api/search/photos?query=beach&min_score=0",
        (200, 200),
        200,
        {"query": "beach", "results": [PHOTO]},
    ),
    E("GET /api/search/photos?query=beach&limit=x", (422, 500), 422, "invalid"),
    E("GET /api/search/by-person", (400, 400), 400, "missing_person_name"),
    E("GET /api/search/by-person?name=ANNA", (400, 200), 200, {"query": "ANNA", "results": [PHOTO]}),
    E("GET /api/search/by-person?q=anna", (200, 200), 200, {"query": "anna", "results": [PHOTO]}),
    E("GET /api/search/by-person?name=zzz", (400, 200), 200, {"query": "zzz", "results": []}),
    E("GET /api/search/by-person?q=zzz", (200, 200), 200, {"query": "zzz", "results": []}),
    E("GET /api/search/by-person?q=%25", (200, 200), 200, {"query": "%", "results": []}),
    E("GET /api/faces", (200, 200), 200, {"items": [FACE]}),
    E("GET /api/faces/{face}/thumbnail", (200, 200), 200, "image/jpeg"),
    E("GET /api/faces/{bare}/thumbnail", (404, 404), 404, "face_thumb_not_found"),
    E("GET /api/faces/99999/thumbnail", (404, 404), 404, "face_thumb_not_found"),
    E("POST /api/faces/{bare}/assign-person", (200, 200), 200, OK, {"person_id": "{anna}"}),
    E("POST /api/faces/{bare}/assign-person", (422, 400), 422, "invalid", {}),
    E("POST /api/faces/99999/assign-person", (404, 200), 404, "face_not_found", {"person_id": "{anna}"}),
    E("POST /api/faces/{bare}/assign-person", (404, 200), 404, "person_not_found", {"person_id": 99999}),
    E("POST /api/faces/{bare}/assign-person", (422, 400), 422, "invalid", {"person_id": None}),
    E(
        *("POST /api/faces/{bare}/assign-person", (200, 200), 422, "invalid", {"person_id": True}),
        why="`true` is none of the numbers",
    ),
    E("GET /api/persons", (200, 200), 200, {"persons": [{"id": int, "name": str}]}),
    E("POST /api/persons", (200, 200), 200, {"id": int, "name": "New One"}, {"name": " New One "}),
    E("POST /api/persons", (500, 500), 409, "person_exists", {"name": "New One"}),
    E("POST /api/persons", (400, 400), 400, "missing_name", {"name": "  "}),
    E("POST /api/persons", (422, 400), 400, "missing_name", {}),
    E("POST /api/persons", (422, 500), 422, "invalid", {"name": 5}),
    E("PUT /api/persons/{third}", (200, 500), 200, {"id": int, "name": "Renamed"}, {"name": "Renamed"}),
    E("PUT /api/persons/{third}", (500, 500), 409, "person_exists", {"name": "anna"}),
    E("PUT /api/persons/99999", (200, 500), 404, "person_not_found", {"name": "Ghost"}, why=UNKNOWN),
    E("PUT /api/persons/{third}", (422, 400), 400, "missing_name", {}),
    E("GET /api/persons/{anna}/faces", (200, 200), 200, {"items": [{"face_id": int, "photo_id": int}]}),
    E("GET /api/persons/99999/faces", (200, 200), 200, {"items": []}),
    E(
        "POST /api/persons/{anna}/merge",
        (200, 200),
        200,
        {"status": "merged"},
        {"source_person_id": "{third}"},
    ),
    E(
        *("POST /api/persons/{anna}/merge", (400, 400), 400, "cannot_merge_same_person"),
        body={"source_person_id": "{anna}"},
    ),
    E("POST /api/persons/{anna}/merge", (422, 400), 400, "missing_source_person_id", {}),
    E(
        *("POST /api/persons/{anna}/merge", (200, 200), 404, "person_not_found", {"source_person_id": 99999}),
        why=UNKNOWN,
    ),
    E(
        *("POST /api/persons/99999/merge", (200, 200), 404, "person_not_found"),
        body={"source_person_id": "{fourth}"},
        why=UNKNOWN,
    ),
    E("POST /api/index/faces-cluster", (200, 200), 200, CLUSTER, {"threshold": 0.6}),
    E("POST /api/index/faces-cluster", (422, 200), 200, CLUSTER),
    E("POST /api/index/faces-cluster", (422, 200), 422, "invalid", {"threshold": 2}),
    E("GET /api/storage/photos/2023/01/IMG_0001.jpg", (200, 200), 200, "image/jpeg"),
    E("GET /api/storage/photos/2023/01/Gr%C3%B6%C3%9Fe%231%20100%25.JPG", (200, 200), 200, "image/png"),
    E("GET /api/storage/nope.jpg", (404, 404), 404, "file_not_found"),
    E("GET /api/storage/../photo.db", (500, 404), 404, None),
    E("GET /api/storage/%2e%2e/photo.db", (500, 404), 404, None),
    E("GET /api/storage//etc/passwd", (404, 308), 404, "file_not_found"),
    E("GET /api/storage/", (500, 404), 404, "not_found"),
    E("GET /api/storage/thumbnails/photos/{photo}.jpg", (200, 200), 200, "image/jpeg"),
    E("POST /api/persons/rebuild-index", (200, 200), 200, JOB),
    E("POST /api/persons/cleanup", (200, 200), 200, {"status": str}),
    E(
        "DELETE /api/photos/{png}",
        (200, 200),
        200,
        {"message": "Photo deleted successfully", "photo_id": int},
    ),
    E("DELETE /api/photos/{png}", (404, 404), 404, "photo_not_found"),
    E("GET /openapi.json", (200, 404), 200, {"openapi": str}),
    E("GET /docs", (200, 404), 200, "text/html; charset=utf-8"),
    E("GET /api/auth/me", (200,), 200, USER),
    E("POST /api/auth/logout", (200,), 200, {"message": "Logged out successfully"}),
    # with accounts
    E("GET /api/admin/users", (200,), 200, {"users": [USER], "pending_count": 1}),
    E("GET /api/admin/users?include_pending=true", (200,), 200, {"users": [USER], "pending_count": 1}),
    E(
        *("GET /api/admin/users/pending", (200,), 200),
        [{"id": int, "username": str, "email": str, "created_at": str, "status": "pending_approval"}],
    ),
    E("POST /api/admin/users/{waiting}/whitelist", (200,), 200, USER),
    E("POST /api/admin/users/{waiting}/whitelist", (400,), 400, "User is already whitelisted"),
    E("POST /api/admin/users/99999/whitelist", (404,), 404, "User not found"),
    E("POST /api/admin/users/{me}/unwhitelist", (400,), 400, "Cannot unwhitelist yourself"),
    E("POST /api/admin/users/{waiting}/unwhitelist", (200,), 200, {"status": "User removed from whitelist"}),
    E("POST /api/admin/users/99999/unwhitelist", (404,), 404, "User not found"),
    E("PUT /api/admin/users/{friend}/role", (200,), 200, {**USER, "role": "admin"}, {"role": "admin"}),
    E("PUT /api/admin/users/{friend}/role", (500,), 422, "invalid", {"role": "king"}),
    E("PUT /api/admin/users/{me}/role", (400,), 400, "Cannot change your own role", {"role": "user"}),
    E("PUT /api/admin/users/{friend}/role", (422,), 422, "invalid", {}),
    E("PUT /api/admin/users/99999/role", (404,), 404, "User not found", {"role": "user"}),
    E("POST /api/admin/users/{friend}/deactivate", (200,), 200, {"status": "User deactivated"}),
    E("POST /api/admin/users/{me}/deactivate", (400,), 400, "Cannot deactivate yourself"),
    E(
        "POST /api/auth/login",
        (401,),
        401,
        "Incorrect username or password",
        form=lambda: login("friend@example.org"),
    ),
    E("POST /api/auth/login", (401,), 401, "Incorrect username or password", form=lambda: login("nobody")),
    E("POST /api/auth/login", (422,), 415, "unsupported_media_type", {"username": "a"}, why="is 415"),
    E(
        *(
            "POST /api/auth/register",
            (200,),
            200,
            {"message": str, "username": str, "status": "pending_approval"},
        ),
        body={"username": "newbie", "password": "much-longer-than-needed", "email": "new@example.org"},
    ),
    E(
        *("POST /api/auth/register", (400,), 400, "Email already registered"),
        body={"username": "newbie2", "password": "much-longer-than-needed", "email": "new@example.org"},
    ),
    E("POST /api/auth/register", (422,), 422, "invalid", {"username": "nb", "password": "short"}),
    E(
        *("POST /api/auth/register", (200,), 422, "invalid"),
        body={"username": "newbie", "password": "much-longer-than-needed"},
        why="`register` without one (as `email` or `username`) is 422",
    ),
]


def first() -> SimpleUploadedFile:
    return file("one.jpg", jpeg(50, 40, seed=11))


def login(name: str) -> dict[str, str]:
    return {"username": name, "password": "wrong"}
