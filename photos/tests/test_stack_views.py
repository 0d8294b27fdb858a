"""Stacks on the pages: one tile each, a strip on the page of a photo."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from photos.models import Library, Photo, PhotoEdit, Stack
from photos.stacks.stacking import place
from photos.tests.shots import shot, stacks

Share = Callable[[Any, str], None]


@pytest.fixture
def burst(library: Library) -> Stack:
    for number in range(3):
        shot(library, f"{number}.JPG", number, has_renditions=True)
    shot(library, "other.JPG", 5000, has_renditions=True)
    place(Photo.objects.values_list("pk", flat=True))
    stack: Stack = Stack.objects.get()
    return stack


def pk(name: str) -> int:
    return int(Photo.objects.get(original_name=name).pk)


def page(client: Client, user: Any, url: str) -> str:
    client.force_login(user)
    return client.get(url).content.decode()


def test_the_timeline_has_one_tile_with_the_number(burst: Stack, alice: Any, client: Client) -> None:
    html = page(client, alice, "/")
    assert html.count('class="tile"') == 2
    assert html.count("Stack of 3 photos") == 1
    assert f'id="photo-{pk("0.JPG")}"' in html
    assert "May 2024 (2)" in page(client, alice, reverse("months"))


def test_another_stands_for_a_stack_whose_cover_is_archived(burst: Stack, alice: Any, client: Client) -> None:
    cover = burst.photos.order_by("stack_position")[0]
    Photo.objects.filter(pk=cover.pk).update(is_archived=True)
    html = page(client, alice, "/")
    assert html.count('class="tile"') == 2
    assert f'data-photo="{cover.pk}"' not in html


def test_the_strip_shows_the_others(burst: Stack, alice: Any, client: Client) -> None:
    html = page(client, alice, reverse("photo", args=[pk("1.JPG")]))
    for name in ("0.JPG", "2.JPG"):
        assert f'href="{reverse("photo", args=[pk(name)])}"' in html
    assert "Make cover" in html
    assert "Make cover" not in page(client, alice, reverse("photo", args=[pk("0.JPG")]))
    assert "stack-strip" not in page(client, alice, reverse("photo", args=[pk("other.JPG")]))


def test_the_next_photo_is_the_next_tile(burst: Stack, alice: Any, client: Client) -> None:
    client.force_login(alice)
    context = client.get(reverse("photo", args=[pk("2.JPG")])).context
    assert context["newer"].pk == pk("other.JPG")
    assert client.get(reverse("photo", args=[pk("other.JPG")])).context["older"].pk == pk("0.JPG")


def test_a_stack_with_one_photo_left_is_none(burst: Stack, alice: Any, client: Client) -> None:
    Photo.objects.filter(original_name__in=["0.JPG", "1.JPG"]).move_to_trash()
    assert "Stack of" not in page(client, alice, "/")
    assert "stack-strip" not in page(client, alice, reverse("photo", args=[pk("2.JPG")]))


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("make-cover", [("burst", ["2.JPG", "0.JPG", "1.JPG"])]),
        ("take-out-of-stack", [("burst", ["0.JPG", "1.JPG"])]),
        ("unstack", []),
    ],
)
def test_people_change_a_stack_and_undo_it(
    name: str, left: list[Any], burst: Stack, alice: Any, client: Client
) -> None:
    client.force_login(alice)
    answer = client.post(reverse(name, args=[pk("2.JPG")]), follow=True)
    assert answer.redirect_chain == [(reverse("photo", args=[pk("2.JPG")]), 302)]
    assert stacks() == left
    undo = reverse("undo-edit", args=[PhotoEdit.objects.get().pk])
    assert undo in answer.content.decode()
    assert client.post(undo)["Location"].startswith("/photos/")
    assert stacks() == [("burst", ["0.JPG", "1.JPG", "2.JPG"])]


def test_only_editors_change_stacks(
    burst: Stack, bob: Any, charlie: Any, share_with: Share, client: Client
) -> None:
    share_with(bob, "viewer")
    assert "Unstack" not in page(client, bob, reverse("photo", args=[pk("1.JPG")]))
    for somebody in (bob, charlie):
        client.force_login(somebody)
        for name in ("make-cover", "take-out-of-stack", "unstack"):
            assert client.post(reverse(name, args=[pk("1.JPG")])).status_code == 404
    assert len(stacks()[0][1]) == 3


def test_a_photo_in_no_stack_cannot_be_taken_out(burst: Stack, alice: Any, client: Client) -> None:
    client.force_login(alice)
    assert client.post(reverse("unstack", args=[pk("other.JPG")])).status_code == 404


def test_the_number_of_queries_does_not_grow_with_the_stacks(
    burst: Stack, alice: Any, client: Client
) -> None:
    def queries() -> int:
        page(client, alice, "/")
        with CaptureQueriesContext(connection) as captured:
            client.get("/")
        return len(captured)

    before = queries()
    for number in range(5):
        at = 9000 + 900 * number
        place([shot(burst.library, f"{at}.{type}", at).pk for type in ("NEF", "JPG")])
    assert queries() == before
