"""The page of duplicates: keep the best, stack, or tell apart; each can be undone."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from photos.look_alikes.resemblance import find_look_alikes
from photos.models import Library, Photo
from photos.tests.shots import shot, stacks

Share = Callable[[Any, str], None]
URL = "/duplicates"


@pytest.fixture
def copies(library: Library) -> list[int]:
    """Ids of a picture, large and small."""
    ids = [shot(library, "small.jpg", 900, width=600, height=400).pk, shot(library, "large.jpg").pk]
    find_look_alikes(ids)
    return ids


def undo_of(answer: Any) -> str:
    [message] = list(answer.context["messages"])
    return str(message.extra_tags)


def test_a_group_shows_what_it_takes_to_decide(copies: list[int], alice: Any, client: Client) -> None:
    client.force_login(alice)
    html = client.get(URL).content.decode()
    for text in ("6000 × 4000", "600 × 400", "Best: most pixels", "1 May 2024, 12:15", "Z6"):
        assert text in html
    assert html.index("large.jpg") < html.index("small.jpg")


def test_the_others_go_to_the_trash_and_come_back(copies: list[int], alice: Any, client: Client) -> None:
    client.force_login(alice)
    answer = client.post(reverse("keep-best"), {"id": copies, "keep": copies[1]}, follow=True)
    assert list(Photo.objects.filter(deleted_at=None).values_list("pk", flat=True)) == [copies[1]]
    assert "No duplicates to review" in answer.content.decode()
    client.post(undo_of(answer))
    assert Photo.objects.filter(deleted_at=None).count() == 2
    assert "Best" in client.get(URL).content.decode()


@pytest.mark.parametrize("keep", ["", "4711", "x", "9" * 30])
def test_without_one_to_keep_nothing_goes(keep: str, copies: list[int], alice: Any, client: Client) -> None:
    client.force_login(alice)
    assert client.post(reverse("keep-best"), {"id": copies, "keep": keep}).status_code == 404
    assert Photo.objects.filter(deleted_at=None).count() == 2


def test_no_duplicates_is_remembered_and_taken_back(copies: list[int], alice: Any, client: Client) -> None:
    client.force_login(alice)
    answer = client.post(reverse("tell-apart"), {"id": copies}, follow=True)
    find_look_alikes(copies)
    assert "No duplicates to review" in answer.content.decode()
    client.post(undo_of(answer))
    assert "Best" in client.get(URL).content.decode()


def test_they_become_a_stack(copies: list[int], alice: Any, client: Client) -> None:
    client.force_login(alice)
    answer = client.post(reverse("stack-duplicates"), {"id": copies, "keep": copies[1]}, follow=True)
    assert stacks() == [("manual", ["large.jpg", "small.jpg"])]
    assert "No duplicates to review" in answer.content.decode()
    client.post(undo_of(answer))
    assert stacks() == []


def test_only_editors_review(
    copies: list[int], bob: Any, charlie: Any, share_with: Share, client: Client
) -> None:
    share_with(bob, "viewer")
    for somebody in (bob, charlie):
        client.force_login(somebody)
        assert "large.jpg" not in client.get(URL).content.decode()
        for name in (
            "keep-best",
            "tell-apart",
            "stack-duplicates",
            "take-back-duplicates",
            "restore-duplicates",
        ):
            answer = client.post(reverse(name), {"id": copies, "keep": copies[0]})
            assert answer.status_code == 404
    assert Photo.objects.filter(deleted_at=None).count() == 2


def test_who_is_not_logged_in_sees_nothing(copies: list[int], client: Client) -> None:
    assert client.get(URL).status_code == 302


def test_the_number_of_queries_does_not_grow(
    library: Library, copies: list[int], alice: Any, client: Client
) -> None:
    client.force_login(alice)

    def queries() -> int:
        client.get(URL)
        with CaptureQueriesContext(connection) as captured:
            client.get(URL)
        return len(captured)

    before = queries()
    for look in range(1, 6):
        value = (0x1111_2222_4444_8888 * look) & (2**63 - 1)
        ids = [shot(library, f"{look}-{number}.jpg", perceptual_hash=value).pk for number in range(3)]
        find_look_alikes(ids)
    assert queries() == before
