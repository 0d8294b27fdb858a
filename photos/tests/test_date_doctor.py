import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from photos.date_doctor import NoSuchProposal, apply, proposals
from photos.editing import WallClock, edit_photo, undo
from photos.models import Library, Photo, PhotoEdit
from photos.services import ingest
from photos.steps import read_metadata
from photos.tests.pictures import exif, gps_tags, jpeg

Rows = Callable[[int], list[int]]
WALL = datetime(2024, 7, 1, 12, tzinfo=UTC)
RIGHT = datetime(2024, 7, 1, 11)


@pytest.fixture
def fast(photo_rows: Rows) -> list[int]:
    """Three photos of Paris whose camera was an hour fast."""
    ids = photo_rows(3)
    Photo.objects.filter(pk__in=ids).update(
        taken_at=WALL,
        taken_at_source="exif_original",
        camera_model="Pinhole 1",
        time_zone="Europe/Paris",
        zone_source="gps",
        gps_at=WALL - timedelta(hours=3),
    )
    return ids


def walls() -> set[datetime]:
    return {photo.wall_clock for photo in Photo.objects.all()}


def test_a_proposal_is_applied_and_undone(fast: list[int], library: Library, alice: Any) -> None:
    [proposal] = proposals(library)
    edit = apply(library=library, key=proposal.key, actor=alice)
    assert walls() == {RIGHT}
    photo = Photo.objects.get(pk=fast[0])
    assert (photo.taken_at_utc, photo.zone_source) == (WALL - timedelta(hours=3), "place")
    assert proposals(library) == []
    assert undo(edit).restored == 3
    assert walls() == {WALL.replace(tzinfo=None)}
    assert [found.key for found in proposals(library)] == [proposal.key]


def test_a_file_whose_clock_was_full_hours_fast_is_found(library: Library, media: Path) -> None:
    """Five hours from the GPS clock could be a zone, but not the one of Paris."""
    details = {0x9003: "2024:07:01 15:00:00"}
    gps = gps_tags(48.8584, 2.2945) | {7: (10.0, 0.0, 0.0), 29: "2024:07:01"}
    data = jpeg(64, 48, exif=exif(tags={0x0110: "Pinhole 1"}, details=details, gps=gps))
    photo = ingest(library=library, stream=io.BytesIO(data), name="a.jpg").photo
    read_metadata([photo.pk])
    [proposal] = proposals(library)
    assert proposal.reason == "The clock of Pinhole 1 was 3 h fast against the GPS clock."
    assert proposal.moves[0].after == datetime(2024, 7, 1, 12)


@pytest.mark.parametrize(("library_zone", "hour"), [("", 21), ("Europe/Paris", 14)])
def test_times_of_files_are_shown_on_the_clock_of_library_or_server(
    library_zone: str, hour: int, photo_rows: Rows, library: Library, settings: Any
) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    Library.objects.update(time_zone=library_zone)
    pk = photo_rows(1)[0]
    Photo.objects.filter(pk=pk).update(
        taken_at=datetime(2000, 1, 1, 0, 5, tzinfo=UTC),
        taken_at_source="exif_original",
        camera_model="Pinhole 1",
        file_modified_at=WALL,
    )
    assert proposals(library)[0].moves[0].after == datetime(2024, 7, 1, hour)


def test_a_date_that_a_person_set_is_left_alone(fast: list[int], library: Library) -> None:
    [before] = proposals(library)
    photo = Photo.objects.get(pk=fast[0])
    edit_photo(photo=photo, actor=None, values={"time": WallClock(datetime(2020, 1, 5))})
    with pytest.raises(NoSuchProposal):
        apply(library=library, key=before.key, actor=None)
    [after] = proposals(library)
    assert {move.pk for move in after.moves} == set(fast[1:])


def test_the_page_previews_corrects_and_undoes(
    client: Client, fast: list[int], library: Library, alice: Any
) -> None:
    client.force_login(alice)
    page = client.get(reverse("dates")).text
    assert "The clock of Pinhole 1 was 1 h fast against the GPS clock." in page
    assert "1 Jul 2024, 11:00" in page
    [proposal] = proposals(library)
    answer = client.post(reverse("apply-dates", args=[library.pk, proposal.key]), follow=True)
    assert "The dates look right" in answer.text
    assert walls() == {RIGHT}
    again = client.post(reverse("apply-dates", args=[library.pk, proposal.key]), follow=True)
    assert "Look at the proposal again" in again.text
    answer = client.post(reverse("undo-edit", args=[PhotoEdit.objects.get().pk]), follow=True)
    assert "Undone for 3 photos." in answer.text


def test_the_api_proposes_and_applies(client: Client, fast: list[int], library: Library, alice: Any) -> None:
    client.force_login(alice)
    [item] = client.get(reverse("api-dates")).json()["items"]
    assert (item["kind"], item["photos"][0]["after"]) == ("gps", "2024-07-01T11:00:00")
    body = {"library_id": item["library_id"], "key": item["key"]}
    url = reverse("api-apply-dates")
    assert client.post(url, body, content_type="application/json").json()["photos"] == 3
    assert client.post(url, body, content_type="application/json").status_code == 409


def test_strangers_and_viewers_see_and_correct_nothing(
    client: Client,
    fast: list[int],
    library: Library,
    bob: Any,
    charlie: Any,
    share_with: Callable[[Any, str], None],
) -> None:
    share_with(bob, "viewer")
    [proposal] = proposals(library)
    body = {"library_id": library.pk, "key": proposal.key}
    for user in (bob, charlie):
        client.force_login(user)
        assert "The dates look right" in client.get(reverse("dates")).text
        assert client.get(reverse("api-dates")).json() == {"items": []}
        assert client.post(reverse("apply-dates", args=[library.pk, proposal.key])).status_code == 404
        assert (
            client.post(reverse("api-apply-dates"), body, content_type="application/json").status_code == 404
        )
    assert walls() == {WALL.replace(tzinfo=None)}


def test_the_command_shows_and_applies(fast: list[int]) -> None:
    out = io.StringIO()
    call_command("date_doctor", stdout=out)
    assert "3 photos would be corrected." in out.getvalue()
    assert walls() == {WALL.replace(tzinfo=None)}
    call_command("date_doctor", "--kind", "name", "--apply", stdout=out)
    assert walls() == {WALL.replace(tzinfo=None)}
    call_command("date_doctor", "--apply", stdout=out)
    assert "3 photos corrected." in out.getvalue()
    assert walls() == {RIGHT}
