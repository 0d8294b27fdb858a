"""Stacks as people change them, and the undo of it."""

from typing import Any

import pytest
from django.db import connection

from photos import editing
from photos.models import Library, Photo, PhotoEdit, Stack
from photos.stacks import editing as stack_editing
from photos.stacks.editing import BadStack, add_photos, set_cover, stack_photos, take_out, unstack
from photos.stacks.stacking import place
from photos.tests.shots import LOOK, shot, stacks


@pytest.fixture
def burst(library: Library) -> Stack:
    """A stack that Chitra found: 0.JPG, 1.JPG and 2.JPG."""
    for number in range(3):
        shot(library, f"{number}.JPG", number)
    place(Photo.objects.values_list("pk", flat=True))
    stack: Stack = Stack.objects.get()
    return stack


def pk(name: str) -> int:
    return int(Photo.objects.get(original_name=name).pk)


def check_constraints() -> None:
    """Now instead of at the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def test_photos_are_stacked_in_the_order_asked_for(library: Library, alice: Any) -> None:
    ids = [shot(library, name, perceptual_hash=look).pk for look, name in enumerate("abc")]
    _, edit = stack_photos(library=library, photo_ids=[ids[2], ids[0]], actor=alice)
    assert stacks() == [("manual", ["c", "a"])]
    editing.undo(edit)
    assert stacks() == []


def test_the_rest_of_a_stack_comes_along_and_goes_back(burst: Stack, alice: Any) -> None:
    other = shot(burst.library, "other", 5000)
    _, edit = stack_photos(library=burst.library, photo_ids=[other.pk, pk("1.JPG")], actor=alice)
    assert stacks() == [("manual", ["other", "1.JPG", "0.JPG", "2.JPG"])]
    editing.undo(edit)
    check_constraints()
    assert stacks() == [("burst", ["0.JPG", "1.JPG", "2.JPG"])]


def test_a_stack_needs_two_photos_of_one_library_outside_the_trash(library: Library, alice: Any) -> None:
    one, gone = shot(library, "one"), shot(library, "gone")
    theirs = shot(Library.objects.create(name="Other"), "theirs")
    Photo.objects.filter(pk=gone.pk).move_to_trash()
    for others in ([], [one.pk], [gone.pk], [theirs.pk]):
        with pytest.raises(BadStack):
            stack_photos(library=library, photo_ids=[one.pk, *others], actor=alice)
    assert not PhotoEdit.objects.exists()


def test_another_cover_is_remembered_and_undone(burst: Stack, alice: Any) -> None:
    edit = set_cover(stack=burst, photo_id=pk("2.JPG"), actor=alice)
    check_constraints()
    place([pk("0.JPG")])
    assert stacks() == [("burst", ["2.JPG", "0.JPG", "1.JPG"])]
    assert edit is not None
    assert editing.undo(edit).restored == 3
    check_constraints()
    assert stacks() == [("burst", ["0.JPG", "1.JPG", "2.JPG"])]


def test_the_cover_is_a_photo_of_the_stack(burst: Stack, alice: Any) -> None:
    with pytest.raises(BadStack):
        set_cover(stack=burst, photo_id=shot(burst.library, "other", 5000).pk, actor=alice)


def test_taken_out_is_taken_out(burst: Stack, alice: Any) -> None:
    edit = take_out(stack=burst, photo_ids=[pk("1.JPG")], actor=alice)
    place(Photo.objects.values_list("pk", flat=True))
    assert stacks() == [("burst", ["0.JPG", "2.JPG"])]
    assert edit is not None
    editing.undo(edit)
    assert stacks() == [("burst", ["0.JPG", "1.JPG", "2.JPG"])]


def test_what_would_be_left_alone_leaves_as_well(burst: Stack, alice: Any) -> None:
    take_out(stack=burst, photo_ids=[pk("1.JPG"), pk("0.JPG")], actor=alice)
    assert stacks() == []


def test_who_is_in_no_stack_cannot_be_taken_out(burst: Stack, alice: Any) -> None:
    assert take_out(stack=burst, photo_ids=[shot(burst.library, "x", 5000).pk], actor=alice) is None


def test_photos_are_added_behind_the_others(burst: Stack, alice: Any) -> None:
    other = shot(burst.library, "other", 5000)
    add_photos(stack=burst, photo_ids=[other.pk, pk("0.JPG")], actor=alice)
    assert stacks() == [("burst", ["0.JPG", "1.JPG", "2.JPG", "other"])]
    assert add_photos(stack=burst, photo_ids=[other.pk], actor=alice) is None


def test_photos_in_the_trash_keep_their_stack_when_it_changes(burst: Stack, alice: Any) -> None:
    Photo.objects.filter(original_name="0.JPG").move_to_trash()
    set_cover(stack=burst, photo_id=pk("2.JPG"), actor=alice)
    check_constraints()
    assert stacks() == [("burst", ["2.JPG", "0.JPG", "1.JPG"])]


def test_an_undo_leaves_what_was_changed_since(burst: Stack, alice: Any) -> None:
    edit = unstack(stack=burst, actor=alice)
    other = shot(burst.library, "other", 5000)
    stack_photos(library=burst.library, photo_ids=[pk("1.JPG"), other.pk], actor=alice)
    assert edit is not None
    assert editing.undo(edit) == editing.Undone(restored=2, left=1)
    check_constraints()
    assert stacks() == [("burst", ["0.JPG", "2.JPG"]), ("manual", ["1.JPG", "other"])]


def test_an_undo_into_a_crowded_stack_finds_places(burst: Stack, alice: Any) -> None:
    edit = take_out(stack=burst, photo_ids=[pk("2.JPG")], actor=alice)
    add_photos(stack=burst, photo_ids=[shot(burst.library, "other", 5000).pk], actor=alice)
    assert edit is not None
    editing.undo(edit)
    check_constraints()
    assert sorted(stacks()[0][1]) == ["0.JPG", "1.JPG", "2.JPG", "other"]


def test_a_stack_that_is_gone_is_not_brought_back(burst: Stack, alice: Any) -> None:
    edit = unstack(stack=burst, actor=alice)
    Stack.objects.all().delete()
    assert edit is not None
    assert editing.undo(edit) == editing.Undone(restored=0, left=3)
    check_constraints()


def test_when_the_undo_is_done_chitra_may_decide_again(burst: Stack, alice: Any) -> None:
    edit = unstack(stack=burst, actor=alice)
    assert edit is not None
    editing.undo(edit)
    late = shot(burst.library, "3.JPG", 3, perceptual_hash=LOOK)
    place([late.pk])
    assert stacks() == [("burst", ["0.JPG", "1.JPG", "2.JPG", "3.JPG"])]


def test_a_huge_stack_is_refused(library: Library, alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack_editing, "MOST_PHOTOS", 2)
    ids = [shot(library, name, 900 * number).pk for number, name in enumerate("abc")]
    with pytest.raises(BadStack):
        stack_photos(library=library, photo_ids=ids, actor=alice)
