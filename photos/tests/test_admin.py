"""Libraries, photos and the ledger in the admin."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from jobs import ledger
from jobs.models import StepStatus
from photos.models import Album, AlbumPhoto, Library, Membership, Photo, PhotoStep, Tag

PHOTOS = "admin:photos_photo_changelist"
STEPS = "admin:photos_photostep_changelist"


def make_photos(library: Library, count: int) -> list[Photo]:
    """Photos with thumbnails (as rows say) and ledger rows, none of them begun."""
    first = Photo.objects.count()
    photos: list[Photo] = Photo.objects.bulk_create(
        Photo(
            library=library,
            original_name=f"{number}.jpg",
            original_key=f"{library.pk}/{number}.jpg",
            checksum=f"{number:064}",
            sha1=f"{number:040}",
            size=2048,
            mime_type="image/jpeg",
            taken_at=datetime(2024, 5, 1, 23, 30, tzinfo=UTC),
            has_renditions=True,
        )
        for number in range(first, first + count)
    )
    ledger.plan([photo.pk for photo in photos])
    return photos


def count_queries(client: Client, url: str) -> int:
    """How many queries a page that works costs."""
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


def act(client: Client, url_name: str, action: str, rows: list[Any]) -> str:
    """Choose an admin action for these rows; the page that follows."""
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(reverse(url_name), data, follow=True).text


@pytest.fixture
def library(db: None) -> Library:
    library: Library = Library.objects.create(name="Family")
    return library


@pytest.mark.parametrize(
    "url_name",
    [
        PHOTOS,
        STEPS,
        "admin:photos_tag_changelist",
        "admin:photos_album_changelist",
        "admin:photos_albumphoto_changelist",
    ],
)
def test_a_longer_list_costs_no_more_queries(admin_client: Client, library: Library, url_name: str) -> None:
    counts = []
    for more in (2, 28):
        for photo in make_photos(library, more):
            Tag.objects.create(photo=photo, name="dog")
            AlbumPhoto.objects.create(photo=photo, album=Album.objects.create(library=library, name="Dogs"))
        counts.append(count_queries(admin_client, reverse(url_name)))
    assert counts[0] == counts[1] <= 8


def test_the_lists_of_libraries_and_members_cost_no_more_queries_with_more_rows(admin_client: Client) -> None:
    alice = get_user_model().objects.create_user("alice@example.com")
    for url_name in ("admin:photos_library_changelist", "admin:photos_membership_changelist"):
        counts = []
        for _ in range(2):
            for _ in range(15):
                shared = Library.objects.create(name="Shared")
                Membership.objects.create(library=shared, user=alice)
            counts.append(count_queries(admin_client, reverse(url_name)))
        assert counts[0] == counts[1]


def test_a_library_shows_its_counts_and_members_and_cannot_be_deleted(
    admin_client: Client, library: Library
) -> None:
    make_photos(library, 7)
    alice = get_user_model().objects.create_user("alice@example.com")
    Membership.objects.create(library=library, user=alice, role="owner")
    listed = admin_client.get(reverse("admin:photos_library_changelist")).text
    assert '<td class="field-photo_count">7</td>' in listed
    assert '<td class="field-member_count">1</td>' in listed
    change = reverse("admin:photos_library_change", args=[library.pk])
    assert "alice@example.com" in admin_client.get(change).text
    assert admin_client.get(reverse("admin:photos_library_delete", args=[library.pk])).status_code == 403


def test_a_photo_is_shown_with_its_thumbnail_wall_clock_and_steps(
    admin_client: Client, library: Library
) -> None:
    photo = make_photos(library, 1)[0]
    thumbnail = f"/api/photos/{photo.pk}/thumbnail"
    assert thumbnail in admin_client.get(reverse(PHOTOS)).text
    page = admin_client.get(reverse("admin:photos_photo_change", args=[photo.pk])).text
    assert thumbnail in page
    assert "2024-05-01 23:30:00" in page
    assert "renditions" in page


def save_photo(client: Client, photo: Photo, **values: object) -> str:
    inlines = {f"{name}-{form}_FORMS": "0" for name in ("tags", "steps") for form in ("TOTAL", "INITIAL")}
    data = {"title": "", "description": "", "rating": "", **inlines, **values}
    return client.post(reverse("admin:photos_photo_change", args=[photo.pk]), data, follow=True).text


def test_what_people_say_about_a_photo_is_changed_and_nothing_else(
    admin_client: Client, library: Library
) -> None:
    photo = make_photos(library, 1)[0]
    checksum = photo.checksum
    assert "less than or equal to 5" in save_photo(admin_client, photo, rating="6")
    save_photo(admin_client, photo, title="Two dogs", rating="5", checksum="f" * 64, library="77")
    photo = Photo.objects.get()
    assert (photo.title, photo.rating, photo.checksum, photo.library) == ("Two dogs", 5, checksum, library)


def test_a_tag_is_given_on_the_page_of_a_photo(admin_client: Client, library: Library) -> None:
    photo = make_photos(library, 1)[0]
    save_photo(
        admin_client, photo, **{"tags-TOTAL_FORMS": "1", "tags-0-photo": photo.pk, "tags-0-name": "dog"}
    )
    assert Tag.objects.get(photo=photo).source == Tag.Source.PERSON


def test_the_cover_of_an_album_is_one_of_its_photos(admin_client: Client, library: Library) -> None:
    inside, outside = make_photos(library, 2)
    album = Album.objects.create(library=library, name="Dogs")
    AlbumPhoto.objects.create(album=album, photo=inside)
    url = reverse("admin:photos_album_change", args=[album.pk])
    page = admin_client.post(url, {"name": "Dogs", "description": "", "cover": outside.pk}).text
    assert "must be a photo of this album" in page
    admin_client.post(url, {"name": "Dogs", "description": "", "cover": inside.pk})
    assert Album.objects.get().cover == inside


def test_a_photo_is_neither_added_nor_deleted(admin_client: Client, library: Library) -> None:
    photo = make_photos(library, 1)[0]
    assert admin_client.get(reverse("admin:photos_photo_add")).status_code == 403
    assert admin_client.post(reverse("admin:photos_photo_delete", args=[photo.pk])).status_code == 403


def test_photos_go_to_the_trash_and_come_back(admin_client: Client, library: Library) -> None:
    kept, thrown = make_photos(library, 2)
    assert "1 moved to the trash" in act(admin_client, PHOTOS, "move_to_trash", [thrown])
    assert Photo.objects.get(deleted_at__isnull=False) == thrown
    in_trash = admin_client.get(reverse(PHOTOS), {"trash": "yes"}).text
    assert thrown.original_name in in_trash
    assert f"/api/photos/{thrown.pk}/thumbnail" not in in_trash
    assert "1 restored" in act(admin_client, PHOTOS, "restore", [kept, thrown])
    assert not Photo.objects.filter(deleted_at__isnull=False).exists()


def test_what_lies_in_the_trash_keeps_the_day_it_went_there(admin_client: Client, library: Library) -> None:
    photo = make_photos(library, 1)[0]
    day = datetime(2024, 1, 1, tzinfo=UTC)
    Photo.objects.update(deleted_at=day)
    act(admin_client, PHOTOS, "move_to_trash", [photo])
    assert Photo.objects.get().deleted_at == day


def test_photos_with_a_failed_step_are_found(admin_client: Client, library: Library) -> None:
    well, broken = make_photos(library, 2)
    PhotoStep.objects.filter(photo=broken, step="renditions").update(status=StepStatus.FAILED)
    page = admin_client.get(reverse(PHOTOS), {"failed": "yes"}).text
    assert broken.original_name in page
    assert well.original_name not in page


def test_failed_steps_are_found_by_step_and_reason_and_retried(
    admin_client: Client, library: Library
) -> None:
    broken, running = make_photos(library, 2)
    rows = PhotoStep.objects.filter(step="renditions")
    rows.filter(photo=broken).update(status=StepStatus.FAILED, attempt=3, error="truncated file")
    rows.filter(photo=running).update(status=StepStatus.RUNNING, attempt=1)
    page = admin_client.get(
        reverse(STEPS), {"status__exact": "failed", "step": "renditions", "q": "truncated"}
    ).text
    assert broken.original_name in page
    assert running.original_name not in page
    assert "1 will run again" in act(admin_client, STEPS, "retry", list(rows))
    assert rows.get(photo=broken).status == StepStatus.PENDING
    assert rows.get(photo=broken).attempt == 0
    assert rows.get(photo=running).status == StepStatus.RUNNING


def test_only_administrators_get_in(client: Client, library: Library) -> None:
    bob = get_user_model().objects.create_user("bob@example.com", "a long password")
    Membership.objects.create(library=library, user=bob, role="owner")
    client.force_login(bob)
    assert client.get(reverse(PHOTOS)).status_code == 302


def test_an_administrator_lists_photos_of_all_libraries_but_the_api_keeps_the_pictures_from_strangers(
    admin_client: Client, library: Library
) -> None:
    photo = make_photos(library, 1)[0]
    assert photo.original_name in admin_client.get(reverse(PHOTOS)).text
    assert admin_client.get(f"/api/photos/{photo.pk}/thumbnail").status_code == 404
