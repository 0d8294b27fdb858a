"""The REST API of stacks, and what the lists say about them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from photos.models import Library, Photo, Stack
from photos.stacks.stacking import place
from photos.tests.shots import shot

ClientOf = Callable[[Any], Client]
Share = Callable[[Any, str], None]


@pytest.fixture
def pair(library: Library) -> Stack:
    """A.NEF and A.JPG, beside a photo that is in no stack."""
    shot(library, "Z.JPG", 5000)
    place([shot(library, "A.NEF").pk, shot(library, "A.JPG").pk])
    stack: Stack = Stack.objects.get()
    return stack


def pk(name: str) -> int:
    return int(Photo.objects.get(original_name=name).pk)


def names(answer: Any) -> list[str]:
    return [item["name"] for item in answer.json()["items"]]


def test_the_list_shows_every_photo_unless_asked_for_stacks(
    pair: Stack, alice: Any, client_of: ClientOf
) -> None:
    client = client_of(alice)
    assert sorted(names(client.get("/api/photos"))) == ["A.JPG", "A.NEF", "Z.JPG"]
    assert names(client.get("/api/photos?stacked=true")) == ["Z.JPG", "A.JPG"]
    assert names(client.get("/api/photos?stacked=true&cursor=")) == ["Z.JPG", "A.JPG"]
    months = client.get("/api/timeline?stacked=1").json()["buckets"]
    assert months == [{"month": "2024-05", "count": 2}]


def test_a_photo_tells_its_stack(pair: Stack, alice: Any, client_of: ClientOf) -> None:
    client = client_of(alice)
    assert client.get(f"/api/photos/{pk('A.NEF')}").json()["stack_id"] == pair.pk
    assert client.get(f"/api/photos/{pk('Z.JPG')}").json()["stack_id"] is None


def test_stacks_are_listed(pair: Stack, alice: Any, client_of: ClientOf) -> None:
    client = client_of(alice)
    answer = client.get("/api/stacks").json()
    assert answer["total"] == 1
    assert answer["items"][0] | {"created_at": ""} == {
        "id": pair.pk,
        "library_id": pair.library_id,
        "kind": "raw",
        "cover_photo_id": pk("A.JPG"),
        "photo_count": 2,
        "photo_ids": [pk("A.JPG"), pk("A.NEF")],
        "created_at": "",
    }
    assert client.get("/api/stacks?kind=burst").json()["items"] == []
    assert client.get("/api/stacks?library=4711").json()["items"] == []
    assert client.get("/api/stacks?kind=heap").status_code == 422


def test_a_stack_comes_with_its_photos(pair: Stack, alice: Any, client_of: ClientOf) -> None:
    answer = client_of(alice).get(f"/api/stacks/{pair.pk}").json()
    assert [photo["name"] for photo in answer["photos"]] == ["A.JPG", "A.NEF"]
    assert answer["cover_photo_id"] == pk("A.JPG")


def test_the_trash_is_not_part_of_a_stack(pair: Stack, alice: Any, client_of: ClientOf) -> None:
    client = client_of(alice)
    client.delete(f"/api/photos/{pk('A.JPG')}")
    assert client.get(f"/api/stacks/{pair.pk}").status_code == 404
    assert client.get("/api/stacks").json()["total"] == 0
    assert names(client.get("/api/photos?stacked=true")) == ["Z.JPG", "A.NEF"]


def test_a_stack_is_made_changed_taken_apart_and_all_of_it_undone(
    pair: Stack, alice: Any, client_of: ClientOf
) -> None:
    client = client_of(alice)
    made = client.post("/api/stacks", {"photo_ids": [pk("Z.JPG"), pk("A.NEF")]}, "application/json")
    assert made.status_code == 201
    stack = made.json()["stack"]
    assert stack["photo_ids"] == [pk("Z.JPG"), pk("A.NEF"), pk("A.JPG")]
    url = f"/api/stacks/{stack['id']}"
    changed = client.patch(url, {"cover": pk("A.NEF"), "remove": [pk("A.JPG")]}, "application/json").json()
    assert changed["stack"]["photo_ids"] == [pk("A.NEF"), pk("Z.JPG")]
    deleted = client.delete(url).json()
    assert deleted["stack"] is None
    assert client.get(url).status_code == 404
    for edit_id in [*deleted["edit_ids"], *changed["edit_ids"], *made.json()["edit_ids"]]:
        assert client.post(f"/api/edits/{edit_id}/undo").json()["left"] == 0
    assert client.get(f"/api/stacks/{pair.pk}").json()["photo_ids"] == [pk("A.JPG"), pk("A.NEF")]


def test_what_cannot_be_a_stack_is_refused_and_changes_nothing(
    pair: Stack, alice: Any, client_of: ClientOf
) -> None:
    client = client_of(alice)
    for ids in ([], [pk("Z.JPG")], [pk("Z.JPG"), 4711], "all", [4711]):
        assert client.post("/api/stacks", {"photo_ids": ids}, "application/json").status_code == 422
    url = f"/api/stacks/{pair.pk}"
    answer = client.patch(url, {"add": [pk("Z.JPG")], "cover": 4711}, "application/json")
    assert answer.status_code == 422
    assert client.get(url).json()["photo_ids"] == [pk("A.JPG"), pk("A.NEF")]


def test_a_viewer_looks_and_a_stranger_does_not(
    pair: Stack, bob: Any, charlie: Any, share_with: Share, client_of: ClientOf, client: Client
) -> None:
    share_with(bob, "viewer")
    ids = [pk("A.JPG"), pk("Z.JPG")]
    url = f"/api/stacks/{pair.pk}"
    assert client_of(bob).get(url).status_code == 200
    for somebody in (bob, charlie):
        program = client_of(somebody)
        assert program.delete(url).status_code == 404
        assert program.patch(url, {"cover": ids[0]}, "application/json").status_code == 404
        assert program.post("/api/stacks", {"photo_ids": ids}, "application/json").status_code == 422
    assert client_of(charlie).get(url).status_code == 404
    assert client_of(charlie).get("/api/stacks").json()["total"] == 0
    assert client.get(url).status_code == 401
    assert client.get("/api/stacks").status_code == 401


def test_the_number_of_queries_does_not_grow(library: Library, alice: Any, client_of: ClientOf) -> None:
    client = client_of(alice)

    def queries(url: str) -> int:
        client.get(url)
        with CaptureQueriesContext(connection) as captured:
            client.get(url)
        return len(captured)

    def add(at: float) -> None:
        place([shot(library, f"{at}.NEF", at).pk, shot(library, f"{at}.JPG", at).pk])

    add(0)
    urls = ["/api/stacks", f"/api/stacks/{Stack.objects.get().pk}", "/api/photos?stacked=true"]
    before = [queries(url) for url in urls]
    for number in range(1, 6):
        add(number * 900)
    assert [queries(url) for url in urls] == before
