"""One change to many photos."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection

from photos import albums, bulk
from photos.bulk import Selection
from photos.filters import PhotoFilter
from photos.models import Album, Library, Photo, Tag

Rows = Callable[[int], list[int]]


def chosen(*ids: int) -> Any:
    return Photo.objects.filter(pk__in=ids)


@pytest.fixture
def album(library: Library) -> Album:
    return albums.create_album(library=library, name="Trip")


def order_of(album: Album) -> list[int]:
    return list(albums.photos_of(album).values_list("pk", flat=True))


def test_a_selection_by_ids_takes_only_what_it_may(photo_rows: Rows) -> None:
    one, two, three = photo_rows(3)
    assert set(Selection(ids=(one, three, 4711)).of(chosen(one, two))) == {Photo.objects.get(pk=one)}


def test_no_ids_choose_nothing(photo_rows: Rows) -> None:
    photo_rows(1)
    assert not Selection(ids=()).of(Photo.objects.all()).exists()


def test_a_selection_by_filter(photo_rows: Rows) -> None:
    one, _ = photo_rows(2)
    chosen(one).update(is_favorite=True)
    assert Selection(wanted=PhotoFilter(is_favorite=True)).of(Photo.objects.all()).get().pk == one


def test_trash_and_restore_say_how_many(photo_rows: Rows) -> None:
    ids = photo_rows(3)
    assert bulk.trash(chosen(*ids[:2])) == 2
    assert Photo.objects.filter(deleted_at__isnull=False).count() == 2
    assert bulk.restore(Photo.objects.filter(deleted_at__isnull=False)) == 2


def test_values_are_set_in_a_constant_number_of_queries(
    photo_rows: Rows, django_assert_max_num_queries: Any
) -> None:
    ids = photo_rows(20)
    with django_assert_max_num_queries(5):  # savepoint, libraries, update, notify, release
        assert bulk.set_values(chosen(*ids), is_favorite=True) == 20


@pytest.mark.django_db(transaction=True)
def test_changes_to_the_same_photos_at_once_do_not_wait_for_each_other(photo_rows: Rows) -> None:
    ids = photo_rows(300)
    chosen(*ids[::2]).update(rating=1)  # the others lie first in the table now
    failures: list[Exception] = []

    def change(photos: Any) -> None:
        try:
            for stars in range(10):
                bulk.rate(photos, stars % 5)
        except OperationalError as error:
            failures.append(error)
        finally:
            connection.close()

    by_filter = PhotoFilter(is_favorite=False).apply(Photo.objects.filter(pk__gt=0))
    threads = [threading.Thread(target=change, args=[photos]) for photos in (chosen(*ids), by_filter) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_photos_go_into_an_album_once_oldest_first(album: Album, photo_rows: Rows) -> None:
    one, two, three = photo_rows(3)
    assert bulk.add_to_album(album, chosen(two)) == 1
    assert bulk.add_to_album(album, chosen(one, two, three).order_by("-pk")) == 2
    assert order_of(album) == [two, one, three]


def test_photos_of_another_library_stay_out_of_the_album(album: Album, photo_rows: Rows) -> None:
    (photo,) = photo_rows(1)
    chosen(photo).update(library=Library.objects.create(name="Other"))
    assert bulk.add_to_album(album, chosen(photo)) == 0


def test_a_photo_taken_out_is_no_cover_any_more(album: Album, photo_rows: Rows) -> None:
    one, two = photo_rows(2)
    bulk.add_to_album(album, chosen(one, two))
    albums.update_album(album, cover_id=one)
    assert bulk.remove_from_album(album, chosen(one)) == 1
    album.refresh_from_db()
    assert album.cover_id is None
    assert order_of(album) == [two]
    assert Photo.objects.filter(pk=one).exists()


def test_a_tag_is_put_and_taken(photo_rows: Rows) -> None:
    one, two = photo_rows(2)
    Tag.objects.create(photo_id=one, name="sea", score=0.3, source="machine")
    assert bulk.tag(chosen(one, two), "sea") == 2
    assert list(Tag.objects.values_list("score", "source")) == [(1.0, "person")] * 2
    assert bulk.untag(chosen(one), "SEA") == 1
    assert Tag.objects.get().photo_id == two


# Albums


def facts(album: Album) -> Any:
    return albums.with_facts(Album.objects.filter(pk=album.pk)).get()


def test_the_first_photo_is_the_cover_until_one_is_chosen(album: Album, photo_rows: Rows) -> None:
    one, two = photo_rows(2)
    assert facts(album).cover_photo_id is None
    bulk.add_to_album(album, chosen(one, two))
    assert (facts(album).cover_photo_id, facts(album).photo_count) == (one, 2)
    albums.update_album(album, cover_id=two)
    assert facts(album).cover_photo_id == two


def test_the_trash_counts_nowhere_in_an_album(album: Album, photo_rows: Rows) -> None:
    one, two = photo_rows(2)
    bulk.add_to_album(album, chosen(one, two))
    albums.update_album(album, cover_id=one)
    bulk.trash(chosen(one))
    assert (facts(album).cover_photo_id, facts(album).photo_count) == (two, 1)
    assert facts(album).first_taken_at == facts(album).last_taken_at
    assert order_of(album) == [two]
    bulk.restore(chosen(one))
    assert facts(album).cover_photo_id == one


def test_a_cover_from_elsewhere_is_refused(album: Album, photo_rows: Rows) -> None:
    with pytest.raises(albums.BadCover):
        albums.update_album(album, cover_id=photo_rows(1)[0])


def test_the_order_can_be_changed(album: Album, photo_rows: Rows) -> None:
    one, two, three = photo_rows(3)
    bulk.add_to_album(album, chosen(one, two, three))
    albums.reorder(album, [three, one, two])
    assert order_of(album) == [three, one, two]
    for wrong in ([one, two], [one, two, two], [one, two, three, 4711], [one, one, two, three]):
        with pytest.raises(albums.BadOrder):
            albums.reorder(album, wrong)


def test_a_deleted_album_leaves_its_photos(album: Album, photo_rows: Rows) -> None:
    bulk.add_to_album(album, chosen(*photo_rows(2)))
    albums.delete_album(album)
    assert not Album.objects.exists()
    assert Photo.objects.count() == 2
