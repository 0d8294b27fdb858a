"""What every endpoint of the API keeps to: who may ask, how, and how it says no."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client

from chitra.tests.api_operations import ENDPOINTS, allowed_methods, assert_is_error, url_of
from faces.models import Face, Person
from jobs.models import Job
from photos.models import Library, Membership, Photo

ClientOf = Callable[[Any], Client]
PUBLIC = {"api-health", "api-ready", "api-schema"}
SELF_MADE = {
    "api-register",
    "api-login",
    "api-logout",
    "api-photo-video",
}  # no key needed
METHODS = ("get", "post", "put", "patch", "delete", "head")
PRIVATE = sorted(set(ENDPOINTS) - PUBLIC - SELF_MADE)


@pytest.fixture
def client(client_of: ClientOf, admin: Any) -> Client:
    """An administrator's program: the permissions are not what stops it."""
    return client_of(admin)


def test_there_are_as_many_endpoints_as_expected() -> None:
    assert len(PRIVATE) >= 20


@pytest.mark.parametrize("name", PRIVATE)
def test_an_anonymous_request_is_refused(db: None, name: str) -> None:
    for method in METHODS:
        response = getattr(Client(), method)(url_of(name))
        assert response.status_code == 401
        assert response["WWW-Authenticate"] == "Bearer"
        if method != "head":
            assert_is_error(response, 401, "Not authenticated")


@pytest.mark.parametrize("name", PRIVATE)
def test_a_wrong_method_is_refused_with_the_right_ones(client: Client, name: str) -> None:
    allowed = allowed_methods(client, name)
    assert ("HEAD" in allowed) == ("GET" in allowed) or name == "api-tus-upload"  # HEAD alone, says tus
    for method in {"get", "post", "put", "patch", "delete"} - {method.lower() for method in allowed}:
        response = getattr(client, method)(url_of(name))
        assert_is_error(response, 405, "method_not_allowed")
        assert set(response["Allow"].split(", ")) == allowed


def test_head_of_public_endpoints(db: None) -> None:
    for name in PUBLIC:
        assert Client().head(url_of(name)).status_code == 200


@pytest.mark.parametrize("method", ["get", "post", "delete"])
@pytest.mark.parametrize("path", ["/api/", "/api/nothing", "/api/photos/abc", "/api/nothing/"])
def test_an_unknown_path_is_not_found_and_for_strangers_not_even_that(
    client: Client, method: str, path: str
) -> None:
    assert_is_error(getattr(client, method)(path), 404, "not_found")
    stranger = getattr(Client(enforce_csrf_checks=True), method)(path)
    assert_is_error(stranger, 401, "Not authenticated")
    assert stranger["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("method", ["get", "post", "delete"])
@pytest.mark.parametrize("path", ["/api/photos/", "/api/photos/1/", "/api/auth/login/"])
def test_a_slash_too_many_leads_to_the_path_without_it(method: str, path: str) -> None:
    response = getattr(Client(enforce_csrf_checks=True), method)(f"{path}?a=1")
    assert (response.status_code, response["Location"]) == (307, f"{path.rstrip('/')}?a=1")


# Alice, Bob and Charlie


@pytest.fixture
def ids(library: Library, add_photo: Any) -> dict[str, Any]:
    """Of things in Alice's library."""
    photo: Photo = add_photo()
    person = Person.objects.create(library=library, name="Grandma")
    face = Face.objects.create(
        photo=photo, person=person, x1=0, y1=0, x2=1, y2=1, detection_score=1, crop_key="x"
    )
    job = Job.objects.create(kind="test", library_id=library.pk)
    return {"photo_id": photo.pk, "person_id": person.pk, "face_id": face.pk, "job_id": job.pk}


def writes(ids: dict[str, Any], other_person: int) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        ("put", "api-person", {"name": "Mallory"}),
        ("post", "api-person-merge", {"source_person_id": other_person}),
        ("post", "api-face-assign", {"person_id": other_person}),
    ]


def send(client: Client, method: str, name: str, data: Any, ids: dict[str, Any]) -> Any:
    return getattr(client, method)(url_of(name, **ids), data, content_type="application/json")


def test_charlie_finds_nothing_and_changes_nothing(
    client_of: ClientOf, charlie: Any, ids: dict[str, Any], library: Library
) -> None:
    client = client_of(charlie)
    own = Person.objects.create(library=Library.objects.home_of(charlie), name="Own")
    for name in ("api-photo", "api-photo-image", "api-photo-thumbnail", "api-face-thumbnail", "api-job"):
        assert_is_error(client.get(url_of(name, **ids)), 404)
    for method, name, data in writes(ids, own.pk):
        assert_is_error(send(client, method, name, data, ids), 404)
    assert client.get("/api/photos").json()["items"] == []
    assert client.get("/api/faces").json()["items"] == []
    assert [person["name"] for person in client.get("/api/persons").json()["persons"]] == ["Own"]
    assert client.get(url_of("api-person-faces", **ids)).json()["items"] == []
    assert client.get("/api/search/by-person?q=Grandma").json()["results"] == []
    assert (
        send(
            client, "post", "api-person-merge", {"source_person_id": ids["person_id"]}, {"person_id": own.pk}
        ).status_code
        == 404
    )
    for name in ("api-index-faces", "api-index-embeddings"):
        assert send(client, "post", name, {}, ids).json()["job_id"] is None


def test_bob_as_viewer_sees_all_and_changes_nothing(
    client_of: ClientOf, bob: Any, ids: dict[str, Any], library: Library, share_with: Any
) -> None:
    share_with(bob, "viewer")
    client = client_of(bob)
    other = Person.objects.create(library=library, name="Aunt")
    for name in ("api-photo", "api-photo-image", "api-job"):
        assert client.get(url_of(name, **ids)).status_code == 200
    assert len(client.get("/api/faces").json()["items"]) == 1
    assert len(client.get("/api/search/by-person?q=grand").json()["results"]) == 1
    for method, name, data in writes(ids, other.pk):
        assert_is_error(send(client, method, name, data, ids), 404)
    assert send(client, "post", "api-index-faces", {}, ids).json()["job_id"] is None
    assert Person.objects.get(pk=ids["person_id"]).name == "Grandma"
    assert Face.objects.get().person_id == ids["person_id"]


def test_bob_as_editor_changes_things(
    client_of: ClientOf, bob: Any, ids: dict[str, Any], library: Library, share_with: Any
) -> None:
    share_with(bob, "editor")
    client = client_of(bob)
    other = Person.objects.create(library=library, name="Aunt")
    assert send(client, "put", "api-person", {"name": "Granny"}, ids).json()["name"] == "Granny"
    assert send(client, "post", "api-face-assign", {"person_id": other.pk}, ids).json() == {"status": "ok"}
    merged = send(client, "post", "api-person-merge", {"source_person_id": other.pk}, ids)
    assert merged.json()["status"] == "merged"
    assert Face.objects.get().person_id == ids["person_id"]
    assert not Person.objects.filter(pk=other.pk).exists()


def test_a_person_of_another_library_cannot_be_mixed_in(
    client_of: ClientOf, bob: Any, ids: dict[str, Any], share_with: Any
) -> None:
    share_with(bob, "editor")
    client = client_of(bob)
    other = Library.objects.create(name="Other")
    Membership.objects.create(library=other, user=bob, role="owner")
    own = Person.objects.create(library=other, name="Own")
    assert_is_error(
        send(client, "post", "api-face-assign", {"person_id": own.pk}, ids), 404, "person_not_found"
    )
    assert_is_error(
        send(client, "post", "api-person-merge", {"source_person_id": own.pk}, ids), 404, "person_not_found"
    )


def test_the_administrator_sees_nobodys_photos(client: Client, ids: dict[str, Any]) -> None:
    assert client.get("/api/photos").json()["items"] == []
    assert_is_error(client.get(url_of("api-photo", **ids)), 404, "photo_not_found")


# People and jobs


def test_people_are_made_listed_and_renamed(client: Client) -> None:
    made = send(client, "post", "api-persons", {"name": "  Zoë  "}, {}).json()
    assert made["name"] == "Zoë"
    assert_is_error(send(client, "post", "api-persons", {"name": "Zoë"}, {}), 409, "person_exists")
    assert_is_error(send(client, "post", "api-persons", {"name": " "}, {}), 400, "missing_name")
    assert_is_error(send(client, "post", "api-persons", {"name": "x" * 101}, {}), 422, "invalid")
    renamed = send(client, "put", "api-person", {"name": "Zora"}, {"person_id": made["id"]})
    assert renamed.json() == {"id": made["id"], "name": "Zora"}
    assert_is_error(
        send(client, "post", "api-person-merge", {"source_person_id": made["id"]}, {"person_id": made["id"]}),
        400,
        "cannot_merge_same_person",
    )


def test_lists_of_people_and_faces_cost_the_same_however_long_they_are(
    client_of: ClientOf, alice: Any, library: Library, add_photo: Any, django_assert_max_num_queries: Any
) -> None:
    client = client_of(alice)
    for number in range(8):
        person = Person.objects.create(library=library, name=f"Person {number}")
        Face.objects.create(
            photo=add_photo(seed=number), person=person, x1=0, y1=0, x2=1, y2=1, detection_score=1
        )
    client.get("/api/persons")  # writes when the key was last used
    for path in ("persons", "faces", f"persons/{person.pk}/faces", "search/by-person?q=person"):
        with django_assert_max_num_queries(3):
            response = client.get(f"/api/{path}")
        assert response.status_code == 200


def test_an_index_is_made_anew_as_a_job(client_of: ClientOf, alice: Any, add_photo: Any) -> None:
    client = client_of(alice)
    for seed in range(3):
        add_photo(seed=seed)
    answer = send(client, "post", "api-index-faces", {"limit": 2}, {}).json()
    assert (answer["status"], answer["message"]) == ("queued", "Queued 2 photos for face processing")
    job = client.get(f"/api/jobs/{answer['job_id']}").json()
    assert (job["kind"], job["status"], job["total"], job["done"]) == ("faces", "started", 2, 0)
    answer = send(client, "post", "api-index-embeddings", {"incremental": False}, {}).json()
    assert answer["message"] == "Queued 3 photos for processing"


def test_clustering_is_a_job(client: Client) -> None:
    answer = send(client, "post", "api-index-faces-cluster", {"threshold": 0.4, "reset": True}, {}).json()
    assert answer["threshold"] == 0.4
    assert client.get(f"/api/jobs/{answer['job_id']}").json()["status"] == "queued"
    wish = Job.objects.get().arguments["with"]
    assert (wish["threshold"], wish["reset"]) == (0.4, True)


def test_an_unknown_job_is_not_found(client: Client) -> None:
    for job_id in (str(uuid4()), "not-a-uuid"):
        assert_is_error(client.get(f"/api/jobs/{job_id}"), 404, f"Job not found: {job_id}")


# Faults


@pytest.mark.parametrize("error", [OperationalError("connection refused"), InterfaceError("closed")])
def test_a_database_that_is_away_is_said(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*args: Any) -> None:
        raise error

    monkeypatch.setattr("photos.api.photos.find_json", refuse)
    assert_is_error(client.get("/api/photos/1"), 503, "database_unavailable")


def test_an_unforeseen_error_tells_nothing_of_the_inside(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise RuntimeError("password is hunter2")

    monkeypatch.setattr("photos.api.photos.find_json", fail)
    response = client.get("/api/photos/1")
    assert_is_error(response, 500, "internal_error")
    assert "hunter2" not in response.text
