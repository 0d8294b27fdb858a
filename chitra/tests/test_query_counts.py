"""What an operation asks the database does not grow with what is in it: all operations, few rows and many."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from chitra.accounts.models import User
from chitra.tests.api_operations import Operation, operations, url_with
from chitra.tests.small_world import WORDS, World
from photos.tests.pictures import jpeg

FEW, MANY = 2, 24
MOST_QUERIES = 50  # a change of a person is an entry of the journal for each field


@dataclass(frozen=True)
class Ask:
    """How to ask for an operation: `body` is JSON made of the world's ids, `form` a form."""

    body: Callable[[dict[str, Any]], Any] | None = None
    query: str = ""
    form: Callable[[], dict[str, Any]] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    ids: Callable[[World], dict[str, Any]] = lambda world: {}


def sends(**body: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda ids: body


EVERYTHING = sends(filter={})
TUS = {"tus-resumable": "1.0.0"}
PIECE = {**TUS, "upload-offset": "0", "content-type": "application/offset+octet-stream"}
ASKS: dict[Operation, Ask] = {
    ("get", "api-health"): Ask(),
    ("get", "api-ready"): Ask(),
    ("get", "api-schema"): Ask(),
    ("post", "api-register"): Ask(
        sends(username="newbie", password="long-enough-for-anybody", email="n@example.org")
    ),
    ("post", "api-login"): Ask(form=lambda: {"username": "nobody", "password": "x"}, status=401),
    ("post", "api-logout"): Ask(),
    ("get", "api-me"): Ask(),
    ("get", "api-media-token"): Ask(),
    ("get", "api-keys"): Ask(),
    ("post", "api-keys"): Ask(sends(name="x"), status=201),
    ("delete", "api-key"): Ask(status=204),
    ("get", "api-users"): Ask(query="include_pending=true"),
    ("get", "api-users-pending"): Ask(),
    ("post", "api-user-whitelist"): Ask(status=400),  # is in already
    ("post", "api-user-unwhitelist"): Ask(),
    ("put", "api-user-role"): Ask(sends(role="admin")),
    ("post", "api-user-deactivate"): Ask(),
    ("get", "api-photos"): Ask(query="limit=1000"),
    ("get", "api-photos-map"): Ask(query="bbox=-180,-90,180,90&zoom=3"),
    ("get", "api-progress"): Ask(),
    ("post", "api-upload"): Ask(form=lambda: {"file": SimpleUploadedFile("n.jpg", jpeg(60, 40, seed=5))}),
    ("post", "api-scan-path"): Ask(lambda ids: {"root": ids["folder"]}),
    ("post", "api-photos-bulk"): Ask(sends(action="tag", tag="x", filter={})),
    ("post", "api-photos-check"): Ask(sends(checksums=[f"{number:064}" for number in range(50)])),
    ("get", "api-photos-download"): Ask(),
    ("post", "api-photos-download"): Ask(EVERYTHING),
    ("get", "api-photo"): Ask(),
    ("patch", "api-photo"): Ask(sends(title="x", favorite=True)),
    ("delete", "api-photo"): Ask(),
    ("get", "api-photo-image"): Ask(),
    ("get", "api-photo-thumbnail"): Ask(),
    ("get", "api-photo-preview"): Ask(),
    ("get", "api-photo-video"): Ask(status=400),  # is no video
    ("get", "api-photo-tags"): Ask(),
    ("post", "api-photo-tags"): Ask(sends(tags=["x", "y"])),
    ("post", "api-photo-restore"): Ask(status=404),  # is not in the trash
    ("get", "api-photo-steps"): Ask(),
    ("post", "api-photo-step-retry"): Ask(),
    ("patch", "api-photo-edit"): Ask(sends(title="x")),
    ("get", "api-photo-text"): Ask(),
    ("get", "api-stacks"): Ask(query="limit=1000"),
    ("post", "api-stacks"): Ask(lambda ids: {"photo_ids": ids["stacked"]}, status=201),
    ("get", "api-stack"): Ask(),
    ("patch", "api-stack"): Ask(lambda ids: {"cover": ids["stacked"][1]}),
    ("delete", "api-stack"): Ask(),
    ("get", "api-photo-similar"): Ask(query="limit=100"),
    ("post", "api-photo-faces"): Ask(sends(box=[0.1, 0.1, 0.4, 0.4])),
    ("get", "api-trash"): Ask(query="limit=1000"),
    ("get", "api-timeline"): Ask(),
    ("get", "api-timeline-month"): Ask(),
    ("get", "api-statistics"): Ask(),
    ("get", "api-albums"): Ask(query="limit=1000"),
    ("post", "api-albums"): Ask(lambda ids: {"name": "x", "photo_ids": [ids["photo_id"]]}, status=201),
    ("get", "api-album"): Ask(),
    ("patch", "api-album"): Ask(lambda ids: {"name": "x", "cover": ids["photo_id"]}),
    ("delete", "api-album"): Ask(status=204),
    ("get", "api-album-photos"): Ask(query="limit=1000"),
    ("post", "api-album-photos"): Ask(EVERYTHING),
    ("post", "api-album-remove"): Ask(EVERYTHING),
    ("put", "api-album-order"): Ask(lambda ids: {"photo_ids": ids["album_photos"]}),
    ("get", "api-libraries"): Ask(),
    ("post", "api-libraries"): Ask(sends(name="x"), status=201),
    ("get", "api-library"): Ask(),
    ("patch", "api-library"): Ask(sends(name="x")),
    ("delete", "api-library"): Ask(status=409),  # has photos
    ("get", "api-members"): Ask(),
    ("post", "api-members"): Ask(sends(email="friend@example.org", role="editor"), status=201),
    ("patch", "api-member"): Ask(sends(role="editor")),
    ("delete", "api-member"): Ask(status=204),
    ("get", "api-tags"): Ask(query="limit=5000"),
    ("get", "api-search-by-tag"): Ask(query="tag=sea&limit=200"),
    ("get", "api-duplicates"): Ask(),
    ("get", "api-dates"): Ask(),
    ("post", "api-apply-dates"): Ask(
        lambda ids: {"library_id": ids["library_id"], "key": "none"}, status=409
    ),
    ("post", "api-undo-edit"): Ask(),
    ("post", "api-tus"): Ask(headers={**TUS, "upload-length": "10"}, status=201),
    ("head", "api-tus-upload"): Ask(headers=TUS),
    ("patch", "api-tus-upload"): Ask(headers=PIECE, status=204),
    ("delete", "api-tus-upload"): Ask(headers=TUS, status=204),
    ("get", "api-storage"): Ask(),
    ("get", "api-events"): Ask(),
    ("get", "api-jobs"): Ask(query="limit=500"),
    ("get", "api-job"): Ask(),
    ("post", "api-job-cancel"): Ask(),
    ("post", "api-job-retry"): Ask(status=409),  # is not over
    ("get", "api-faces"): Ask(),
    ("get", "api-face-thumbnail"): Ask(),
    ("post", "api-face-assign"): Ask(lambda ids: {"person_id": ids["other_person"]}),
    ("post", "api-faces-assign"): Ask(
        lambda ids: {"person_id": ids["other_person"], "face_ids": ids["all_faces"]}
    ),
    ("patch", "api-face"): Ask(sends(box=[0.1, 0.1, 0.4, 0.4])),
    ("delete", "api-face"): Ask(),
    ("post", "api-face-confirm"): Ask(),
    ("post", "api-face-reject"): Ask(),
    ("post", "api-face-unassign"): Ask(),
    ("get", "api-suggestions"): Ask(query="limit=100"),
    ("post", "api-suggestion-answer"): Ask(
        lambda ids: {"person_id": ids["other_person"], "face_id": ids["face_id"], "answer": "yes"}
    ),
    ("get", "api-journal"): Ask(query="limit=200"),
    ("post", "api-journal-undo"): Ask(),
    ("post", "api-recluster"): Ask(),
    ("get", "api-recluster-diff"): Ask(ids=lambda world: {"job_id": world.plan().pk}),
    ("post", "api-recluster-apply"): Ask(ids=lambda world: {"job_id": world.plan().pk}),
    ("get", "api-persons"): Ask(),
    ("post", "api-persons"): Ask(sends(name="x")),
    ("get", "api-person"): Ask(),
    ("put", "api-person"): Ask(sends(name="x")),
    ("patch", "api-person"): Ask(sends(name="x", favorite=True, aliases=["y"])),
    ("delete", "api-person"): Ask(),
    ("get", "api-person-faces"): Ask(),
    ("post", "api-person-split"): Ask(lambda ids: {"face_ids": [ids["face_id"]], "name": "x"}),
    ("post", "api-person-merge"): Ask(lambda ids: {"source_person_id": ids["other_person"]}),
    ("post", "api-persons-cleanup"): Ask(),
    ("post", "api-persons-rebuild-index"): Ask(),
    ("get", "api-search-by-person"): Ask(query="q=person"),
    ("post", "api-index-faces"): Ask(),
    ("post", "api-index-faces-cluster"): Ask(),
    ("get", "api-search-photos"): Ask(query=f"q={WORDS}&limit=100"),
    ("post", "api-index-embeddings"): Ask(sends(incremental=False)),
}


def test_every_operation_is_counted() -> None:
    assert set(ASKS) == operations()


def test_no_operation_asks_more_of_a_larger_library(
    client_of: Callable[[User], Client], alice: User, media: Path, tmp_path: Path, settings: Any
) -> None:
    (folder := tmp_path / "scan").mkdir()
    (folder / "a.jpg").write_bytes(jpeg(64, 48, seed=7))
    settings.SCAN_ROOTS = [folder]
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, 0)
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    alice.refresh_from_db()
    world = World(alice)
    world.ids["folder"] = str(folder)
    client = client_of(alice)
    client.get("/api/auth/me")  # writes when the key was last used
    world.grow(FEW)
    few = counts(client, world)
    world.grow(MANY)
    many = counts(client, world)
    grown = {
        operation: (few[operation], many[operation]) for operation in few if many[operation] > few[operation]
    }
    assert not grown
    assert max(many.values()) <= MOST_QUERIES, sorted(many, key=many.__getitem__)[-3:]


def counts(client: Client, world: World) -> dict[Operation, int]:
    """How many queries each operation makes; what it changes is taken back."""
    found, unexpected = {}, {}
    for operation, ask in ASKS.items():
        with transaction.atomic():
            ids = {**world.ids, **ask.ids(world), **lists(world)}
            with CaptureQueriesContext(connection) as queries:
                answer = answer_to(client, operation, ask, ids)
            transaction.set_rollback(True)
        found[operation] = len(queries)
        if answer.status_code != ask.status:
            unexpected[operation] = (answer.status_code, b"" if answer.streaming else answer.content)
    assert unexpected == {}
    return found


def answer_to(client: Client, operation: Operation, ask: Ask, ids: dict[str, Any]) -> Any:
    method, name = operation
    url = url_with(name, ids) + (f"?{ask.query}" if ask.query else "")
    if ask.form:
        return client.post(url, ask.form())
    if method == "get":
        return client.get(url)
    headers = dict(ask.headers)
    kind = headers.pop("content-type", "application/json")
    body: Any = (ask.body(ids) if ask.body else {}) if kind == "application/json" else b"\xff\xd8\xff"
    return getattr(client, method)(url, body, content_type=kind, headers=headers)


def lists(world: World) -> dict[str, Any]:
    """Ids of all that is there of some kinds."""
    from faces.models import Face
    from photos.models import AlbumPhoto

    album = AlbumPhoto.objects.filter(album_id=world.ids["album_id"])
    return {
        "all_faces": list(Face.objects.values_list("pk", flat=True)),
        "album_photos": list(album.order_by("-pk").values_list("photo_id", flat=True)),
    }
