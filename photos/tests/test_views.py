"""Pages of photos."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from jobs.models import StepStatus
from photos import facts
from photos.models import Library, Photo, PhotoStep
from photos.steps import make_renditions
from photos.timeline import BadCursor, parse_cursor, timeline_page

NOON = datetime(2024, 5, 3, 12, tzinfo=UTC)
Rows = Callable[[int], list[int]]
AddPhoto = Callable[..., Photo]
Share = Callable[[Any, str], None]


@pytest.fixture
def page(alice: Any, client: Client) -> Client:
    client.force_login(alice)
    return client


def at(photo_ids: list[int], *moments: datetime) -> None:
    """Set when photos were taken."""
    for pk, moment in zip(photo_ids, moments, strict=True):
        Photo.objects.filter(pk=pk).update(taken_at=moment)


def tiles(html: bytes) -> list[int]:
    """Ids of the tiles in the order of the page."""
    return [int(pk) for pk in re.findall(rb'id="photo-(\d+)"', html)]


def test_timeline_shows_newest_first_under_day_headings(page: Client, photo_rows: Rows) -> None:
    ids = photo_rows(3)
    at(ids, NOON, NOON + timedelta(hours=1), NOON + timedelta(days=1))
    html = page.get("/").content
    assert tiles(html) == [ids[2], ids[1], ids[0]]
    assert re.findall(r"<h2>(.+?)</h2>", html.decode()) == ["Saturday, 4 May 2024", "Friday, 3 May 2024"]


def test_day_is_that_of_the_wall_clock_in_any_zone(page: Client, photo_rows: Rows, settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    at(photo_rows(1), NOON.replace(hour=23))
    assert b"Friday, 3 May 2024" in page.get("/").content


def test_timeline_pages_by_key_through_photos_of_one_moment(page: Client, photo_rows: Rows) -> None:
    ids = photo_rows(7)
    at(ids, *[NOON] * 7)
    seen: list[int] = []
    before = ""
    while True:
        found = timeline_page(Photo.objects.all(), before=before, size=3)
        seen += [photo.pk for day in found.days for photo in day.photos]
        assert all(day.continues for day in found.days) is bool(before)
        before = found.next_cursor
        if not before:
            break
    assert seen == sorted(ids, reverse=True)


def test_more_photos_come_as_a_fragment_after_the_cursor(
    page: Client, photo_rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photos.timeline.timeline_page.__kwdefaults__", {"before": "", "size": 2})
    ids = photo_rows(3)
    at(ids, NOON, NOON, NOON)
    first = page.get("/").content.decode()
    more = re.search(r'hx-get="(/\?before=[^"]+)"', first)
    assert more is not None
    fragment = page.get(more[1], headers={"HX-Request": "true"})
    assert b"<html" not in fragment.content
    assert tiles(fragment.content) == [ids[0]]
    assert "HX-Request" in fragment["Vary"]


def test_timeline_costs_the_same_queries_for_any_number_of_photos(
    page: Client, photo_rows: Rows, django_assert_max_num_queries: Any
) -> None:
    photo_rows(40)
    with django_assert_max_num_queries(4):
        page.get("/")


@pytest.mark.parametrize("cursor", ["nonsense", "2024-05-03T12:00:00_x", "_1", "2024-05-03"])
def test_cursor_that_is_none_is_not_found(page: Client, cursor: str) -> None:
    assert page.get("/", {"before": cursor}).status_code == 404
    with pytest.raises(BadCursor):
        parse_cursor(cursor)


def test_empty_library_says_how_to_fill_it(page: Client) -> None:
    html = page.get("/").content.decode()
    assert "No photos yet" in html
    assert "make run PHOTOS=" in html


def test_months_lead_to_where_they_begin(page: Client, photo_rows: Rows) -> None:
    ids = photo_rows(2)
    at(ids, NOON, NOON + timedelta(days=60))
    html = page.get("/months").content.decode()
    assert "July 2024 (1)" in html
    assert 'data-count="1" data-month="2024-07"' in html
    cursors = re.findall(r'value="(.+?)"', html)
    assert tiles(page.get("/", {"before": cursors[-1]}).content) == [ids[0]]


def test_a_tile_tells_its_place_in_any_zone(page: Client, photo_rows: Rows, settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    ids = photo_rows(3)
    at(ids, *[NOON + timedelta(microseconds=7)] * 3)
    (cursor,) = re.findall(rb'data-photo="%d"\s+data-cursor="([^"]+)"' % ids[1], page.get("/").content)
    htmx = {"HX-Request": "true"}
    assert tiles(page.get("/", {"before": cursor.decode()}, headers=htmx).content) == [ids[0]]
    assert tiles(page.get("/", {"after": cursor.decode()}, headers=htmx).content) == [ids[2]]


def test_archived_photo_is_not_in_the_timeline(page: Client, photo_rows: Rows) -> None:
    ids = photo_rows(2)
    Photo.objects.filter(pk=ids[0]).update(is_archived=True)
    assert tiles(page.get("/").content) == [ids[1]]


def test_tile_tells_whether_the_photo_is_ready_waiting_or_broken(page: Client, photo_rows: Rows) -> None:
    ready, waiting, broken = photo_rows(3)
    Photo.objects.filter(pk=ready).update(has_renditions=True, width=640, height=480, thumbhash=b"hash")
    PhotoStep.objects.create(photo_id=broken, step="renditions", status=StepStatus.FAILED)
    html = page.get("/photos/tiles", {"ids": f"{ready},{waiting},{broken},x"}).content.decode()
    assert html.count("<img") == 1
    assert f'src="/api/photos/{ready}/thumbnail"' in html
    assert 'data-thumbhash="aGFzaA=="' in html
    assert "--r:1.3333" in html
    assert html.count("being processed") == 1
    assert html.count("cannot be decoded") == 1


def test_charlie_cannot_see_alices_photos(charlie: Any, client: Client, photo_rows: Rows) -> None:
    (pk,) = photo_rows(1)
    client.force_login(charlie)
    assert tiles(client.get("/").content) == []
    assert tiles(client.get("/photos/tiles", {"ids": str(pk)}).content) == []
    for path in (f"/photos/{pk}", f"/photos/{pk}/steps"):
        assert client.get(path).status_code == 404
    for action in ("trash", "restore", "steps/metadata/retry"):
        assert client.post(f"/photos/{pk}/{action}").status_code == 404


def test_photo_page_tells_facts_steps_and_neighbours(
    page: Client, add_photo: AddPhoto, django_assert_max_num_queries: Any
) -> None:
    older, photo, newer = (add_photo(seed=seed, name=f"{seed}.jpg") for seed in range(3))
    at([older.pk, photo.pk, newer.pk], NOON, NOON, NOON)
    PhotoStep.objects.filter(photo=photo, step="renditions").update(
        status=StepStatus.FAILED, error="the file is damaged"
    )
    with django_assert_max_num_queries(8):
        html = page.get(f"/photos/{photo.pk}").content.decode()
    assert f'href="/photos/{newer.pk}"' in html
    assert f'href="/photos/{older.pk}"' in html
    assert "1.jpg" in html
    assert "the file is damaged" in html
    assert "There is no preview" in html
    assert f"/api/photos/{photo.pk}/image?download=1" in html


def test_a_photo_comes_without_its_page_for_a_script(page: Client, photo_rows: Rows) -> None:
    (pk,) = photo_rows(1)
    fragment = page.get(f"/photos/{pk}", headers={"HX-Request": "true"})
    assert fragment.text.startswith("<article")
    assert "HX-Request" in fragment["Vary"]
    assert "<html" in page.get(f"/photos/{pk}").text


def test_the_way_back_from_a_photo_leads_to_its_place(page: Client, photo_rows: Rows) -> None:
    ids = photo_rows(3)
    at(ids, NOON, NOON, NOON)
    back = re.search(r'href="([^"]+)" data-back', page.get(f"/photos/{ids[1]}").content.decode())
    assert back is not None
    assert tiles(page.get(back[1]).content) == [ids[1], ids[0]]
    Photo.objects.filter(pk=ids[1]).update(is_archived=True)
    assert b'href="/archive" data-back' in page.get(f"/photos/{ids[1]}").content


def test_step_can_be_done_again(page: Client, add_photo: AddPhoto) -> None:
    photo = add_photo()
    failed = PhotoStep.objects.filter(photo=photo, step="metadata")
    failed.update(status=StepStatus.FAILED, error="no luck")
    answer = page.post(f"/photos/{photo.pk}/steps/metadata/retry", headers={"HX-Request": "true"})
    assert failed.get().status == StepStatus.PENDING
    assert b"no luck" not in answer.content


def test_trash_can_be_undone(page: Client, photo_rows: Rows) -> None:
    (pk,) = photo_rows(1)
    answer = page.post(f"/photos/{pk}/trash", follow=True)
    assert f'action="/photos/{pk}/restore"' in answer.content.decode()
    assert tiles(answer.content) == []
    assert page.get(f"/photos/{pk}").status_code == 404
    assert b"Bring back" in page.get("/trash").content
    assert page.post(f"/photos/{pk}/restore")["Location"] == f"/photos/{pk}"
    assert tiles(page.get("/").content) == [pk]


def test_the_trash_shows_what_lies_in_it_to_those_who_may_bring_it_back(
    page: Client, add_photo: AddPhoto, bob: Any, share_with: Share
) -> None:
    photo = add_photo()
    make_renditions([photo.pk])
    thumbnail = f"/trash/{photo.pk}/thumbnail"
    assert page.get(thumbnail).status_code == 404
    page.post(f"/photos/{photo.pk}/trash")
    assert thumbnail in page.get("/trash").text
    assert page.get(thumbnail)["Content-Type"] == "image/webp"
    assert page.get(f"/api/photos/{photo.pk}/thumbnail").status_code == 404
    share_with(bob, "viewer")
    viewer = Client()
    viewer.force_login(bob)
    assert viewer.get(thumbnail).status_code == 404
    assert "The trash is empty" in viewer.get("/trash").text


def test_viewer_sees_but_cannot_change(
    bob: Any, client: Client, add_photo: AddPhoto, library: Library, share_with: Share
) -> None:
    photo = add_photo()
    share_with(bob, "viewer")
    client.force_login(bob)
    html = client.get(f"/photos/{photo.pk}").content.decode()
    for control in ("Move to the trash", "data-favorite", "data-archive", "data-can-edit"):
        assert control not in html
    assert "/retry" not in html
    assert client.post(f"/photos/{photo.pk}/trash").status_code == 404
    assert client.post(f"/photos/{photo.pk}/steps/metadata/retry").status_code == 404


def test_upload_page_knows_where_files_go(page: Client) -> None:
    html = page.get("/upload").content.decode()
    assert 'data-url="/api/photos/upload"' in html
    assert "webkitdirectory" in html
    assert "csrfmiddlewaretoken" in html


def test_session_can_upload_with_the_token_of_the_page(alice: Any, media: Any) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    from photos.tests.pictures import jpeg

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    token = strict.get("/upload").cookies["csrftoken"].value
    file = SimpleUploadedFile("photo.jpg", jpeg(64, 48))
    assert strict.post("/api/photos/upload", {"file": file}).status_code == 403
    file.seek(0)
    answer = strict.post("/api/photos/upload", {"file": file}, headers={"X-CSRFToken": token})
    assert len(answer.json()["saved"]) == 1


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(None, "zone unknown"), (0, "UTC+0"), (330, "UTC+5:30"), (-210, "UTC−3:30"), (60, "UTC+1")],
)
def test_zone_is_written_as_people_do(minutes: int | None, text: str) -> None:
    assert facts.zone_text(minutes) == text


def test_exposure_is_written_as_cameras_do() -> None:
    photo = Photo(exposure_seconds=0.004, f_number=2.8, iso=100, focal_length_mm=35.0)
    assert facts.exposure_text(photo) == "1/250 s · ƒ/2.8 · ISO 100 · 35 mm"
    assert facts.exposure_text(Photo(exposure_seconds=2.5)) == "2.5 s"
    assert facts.exposure_text(Photo()) == ""


def test_place_has_a_hemisphere_and_a_link() -> None:
    fact = facts.place_fact(Photo(latitude=-33.85, longitude=151.21, altitude_metres=12.4))
    assert fact is not None
    assert fact.text == "33.85000° S, 151.21000° E"
    assert fact.details == "12 m above the sea"
    assert facts.place_fact(Photo()) is None


def test_a_place_goes_by_its_name() -> None:
    photo = Photo(latitude=1.3, longitude=103.8, city="Singapore", country="Singapore", country_code="SG")
    fact = facts.place_fact(photo)
    assert fact is not None
    assert (fact.text, fact.details) == ("Singapore", "1.30000° N, 103.80000° E")


def test_maker_is_not_named_twice() -> None:
    fact = facts.camera_fact(Photo(camera_make="Canon", camera_model="Canon EOS 5D"))
    assert fact is not None
    assert fact.text == "Canon EOS 5D"
