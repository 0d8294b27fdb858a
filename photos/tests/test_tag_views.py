"""The tags of a photo, on its page."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from photos.models import Library, Membership, Tag

Rows = Callable[[int], list[int]]


@pytest.fixture
def photo_id(photo_rows: Rows) -> int:
    (pk,) = photo_rows(1)
    Tag.objects.create(photo_id=pk, name="guess", source=Tag.Source.MACHINE, score=0.9)
    Tag.objects.create(photo_id=pk, name="holiday <b>")
    return pk


def names(photo_id: int) -> set[tuple[str, str]]:
    return set(Tag.objects.filter(photo=photo_id).values_list("name", "source"))


def test_what_people_said_comes_before_what_a_model_guessed(
    alice: Any, client: Client, photo_id: int
) -> None:
    client.force_login(alice)
    html = client.get(f"/photos/{photo_id}/tags").content.decode()
    assert html.index("holiday &lt;b&gt;") < html.index("guess")
    assert "/search?q=holiday%20%3Cb%3E" in html


def test_alice_puts_a_tag_on_and_takes_one_off(alice: Any, client: Client, photo_id: int) -> None:
    client.force_login(alice)
    url = f"/photos/{photo_id}/tags/change"
    assert client.post(url, {"tag": "  at  the\0sea "}).status_code == 302
    assert client.post(url, {"tag": "guess", "off": "1"}, headers={"hx-request": "true"}).status_code == 200
    assert names(photo_id) == {("at the sea", "person"), ("holiday <b>", "person")}
    client.post(url, {"tag": "   "})
    client.post(url, {"tag": "x" * 300})
    assert {len(name) for name, _ in names(photo_id)} == {10, 11, 200}


def test_a_guess_that_a_person_confirms_is_theirs(alice: Any, client: Client, photo_id: int) -> None:
    client.force_login(alice)
    client.post(f"/photos/{photo_id}/tags/change", {"tag": "guess"})
    assert ("guess", "person") in names(photo_id)


def test_viewers_see_tags_without_controls_and_charlie_nothing(
    bob: Any, charlie: Any, client: Client, library: Library, photo_id: int
) -> None:
    Membership.objects.create(library=library, user=bob, role="viewer")
    client.force_login(bob)
    answer = client.get(f"/photos/{photo_id}/tags")
    assert "guess" in answer.content.decode()
    assert "<form" not in answer.content.decode()
    assert client.post(f"/photos/{photo_id}/tags/change", {"tag": "x"}).status_code == 404
    client.force_login(charlie)
    assert client.get(f"/photos/{photo_id}/tags").status_code == 404
    assert client.post(f"/photos/{photo_id}/tags/change", {"tag": "x"}).status_code == 404
    assert len(names(photo_id)) == 2
