"""Who may see and change what."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser

from photos.models import Library, Membership, Photo, PhotoStep

Share = Callable[[Any, str], None]


def test_the_owner_sees_and_changes_her_photos(alice: Any, photo_rows: Any) -> None:
    ids = photo_rows(2)
    assert sorted(Photo.objects.visible_to(alice).values_list("pk", flat=True)) == ids
    assert Photo.objects.editable_by(alice).count() == 2


def test_a_viewer_sees_and_does_not_change(bob: Any, photo_rows: Any, share_with: Share) -> None:
    photo_rows(2)
    share_with(bob, "viewer")
    assert Photo.objects.visible_to(bob).count() == 2
    assert Photo.objects.editable_by(bob).count() == 0
    assert Photo.objects.in_trash_of(bob).count() == 0


def test_an_editor_sees_and_changes(bob: Any, photo_rows: Any, share_with: Share) -> None:
    photo_rows(2)
    share_with(bob, "editor")
    assert Photo.objects.editable_by(bob).count() == 2


def test_charlie_and_anonymous_visitors_see_nothing(charlie: Any, photo_rows: Any) -> None:
    photo_rows(2)
    for user in (charlie, AnonymousUser()):
        assert not Photo.objects.visible_to(user).exists()
        assert not Photo.objects.editable_by(user).exists()
        assert not PhotoStep.objects.visible_to(user).exists()
        assert not Library.objects.visible_to(user).exists()


def test_who_leaves_a_library_sees_it_no_more(bob: Any, photo_rows: Any, share_with: Share) -> None:
    photo_rows(1)
    share_with(bob, "editor")
    Membership.objects.filter(user=bob).delete()
    assert not Photo.objects.visible_to(bob).exists()


def test_the_trash_is_seen_only_as_such(alice: Any, photo_rows: Any) -> None:
    first, second = photo_rows(2)
    assert Photo.objects.filter(pk=first).move_to_trash() == 1
    assert [photo.pk for photo in Photo.objects.visible_to(alice)] == [second]
    assert [photo.pk for photo in Photo.objects.editable_by(alice)] == [second]
    assert [photo.pk for photo in Photo.objects.in_trash_of(alice)] == [first]


def test_the_timeline_is_newest_first_and_equal_times_by_id(alice: Any, photo_rows: Any) -> None:
    ids = photo_rows(3)
    moment = datetime(2024, 5, 1, tzinfo=UTC)
    Photo.objects.update(taken_at=moment)
    Photo.objects.filter(pk=ids[0]).update(taken_at=moment.replace(year=2025))
    assert [photo.pk for photo in Photo.objects.newest_first()] == [ids[0], ids[2], ids[1]]


def test_taken_between_takes_the_start_and_not_the_end(photo_rows: Any) -> None:
    photo_rows(1)
    start, end = datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC)
    Photo.objects.update(taken_at=start)
    assert Photo.objects.taken_between(start, end).exists()
    Photo.objects.update(taken_at=end)
    assert not Photo.objects.taken_between(start, end).exists()


def test_home_is_the_oldest_library_somebody_owns(alice: Any, library: Library) -> None:
    later = Library.objects.create(name="Later")
    Membership.objects.create(library=later, user=alice, role="owner")
    assert Library.objects.home_of(alice) == library


def test_home_of_an_editor_is_the_library_edited_until_there_is_an_own(
    bob: Any, library: Library, share_with: Any
) -> None:
    share_with(bob, "editor")
    assert Library.objects.home_of(bob) == library
    own = Library.objects.create(name="Own")
    Membership.objects.create(library=own, user=bob, role="owner")
    assert Library.objects.home_of(bob) == own


def test_a_viewer_gets_a_home_of_their_own(bob: Any, library: Library, share_with: Any) -> None:
    share_with(bob, "viewer")
    home = Library.objects.home_of(bob)
    assert home != library
    assert Library.objects.home_of(bob) == home
