"""The step that reads, what it keeps, and who finds it by its words."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from jobs import tasks
from jobs.models import StepStatus
from jobs.steps import StepResult
from photos.models import Photo, PhotoStep
from photos.steps import make_renditions
from photos.storages import renditions
from search import text_reading, text_steps
from search.models import PhotoText
from search.tests.written import png_of, written

pytestmark = pytest.mark.django_db
AddPhoto = Callable[..., Photo]


@pytest.fixture
def add(add_photo: AddPhoto) -> AddPhoto:
    """A photo of these lines, with renditions."""

    def make(*lines: str) -> Photo:
        photo = add_photo(png_of(written(*lines, width=640, height=480)))
        make_renditions([photo.pk])
        photo.refresh_from_db()
        return photo

    return make


def keep(photo: Photo, *lines: str) -> None:
    kept = [{"text": line, "box": [0.1, 0.2, 0.3, 0.4], "score": 0.9} for line in lines]
    PhotoText.keep(photo, kept, "test:1")


def test_the_text_of_a_photo_is_kept_and_found(add: AddPhoto, alice: Any) -> None:
    receipt, empty = add("Corner Bakery", "TOTAL 5.80"), add()
    results = text_steps.read_texts([receipt.pk, empty.pk])
    assert results == dict.fromkeys([receipt.pk, empty.pk], StepResult.done())
    read = PhotoText.objects.visible_to(alice).containing("bakery total").get()
    assert (read.photo, read.text) == (receipt, "Corner Bakery\nTOTAL 5.80")
    assert [set(line) for line in read.lines] == [{"text", "box", "score"}] * 2
    assert read.version == text_reading.version()


def test_reading_again_replaces_what_was_read(add: AddPhoto) -> None:
    with_text, without = add("Departure"), add()
    for photo in (with_text, without):
        keep(photo, "Old reading")
    text_steps.read_texts([with_text.pk, without.pk])
    assert list(PhotoText.objects.values_list("photo", "text")) == [(with_text.pk, "Departure")]


def test_a_bad_preview_fails_and_the_others_are_read(add: AddPhoto) -> None:
    good, broken, missing = add("Departure"), add("Arrival"), add("Platform")
    key = broken.rendition_key("preview")
    renditions().delete(key)
    renditions().save(key, io.BytesIO(b"RIFF\x10\x00\x00\x00WEBPVP8 broken"))
    renditions().delete(missing.rendition_key("preview"))
    results = text_steps.read_texts([good.pk, broken.pk, missing.pk])
    assert results[good.pk] == StepResult.done()
    assert results[broken.pk].status == StepStatus.FAILED
    assert results[broken.pk].reason
    assert results[missing.pk] == StepResult.failed(text_steps.PREVIEW_MISSING)


def test_videos_are_skipped(add: AddPhoto) -> None:
    video = add("Departure")
    Photo.objects.filter(pk=video.pk).update(media_type=Photo.MediaType.VIDEO)
    assert text_steps.read_texts([video.pk]) == {video.pk: StepResult.skipped(text_steps.NO_TEXT_IN_VIDEOS)}


def test_switched_off_photos_are_skipped_until_it_is_switched_on(add: AddPhoto, settings: Any) -> None:
    photo = add("Departure")
    settings.OCR = False
    row = PhotoStep.objects.filter(photo=photo, step="read_text")
    PhotoStep.objects.filter(photo=photo, step="renditions").update(status=StepStatus.DONE)
    tasks.refresh_step("read_text")
    row.update(ready_at="2020-01-01T00:00Z")
    tasks.drain("read_text")
    assert (row.get().status, row.get().error) == ("skipped", text_steps.SWITCHED_OFF)
    settings.OCR = True
    assert tasks.refresh_step("read_text") == 1
    tasks.drain("read_text")
    assert row.get().status == "done"
    assert tasks.refresh_step("read_text") == 0
    assert PhotoText.objects.get().text == "Departure"


def test_without_the_networks_photos_are_skipped_with_what_to_do(
    add: AddPhoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_reading, "PACKAGE", "rapidocr_is_not_here")
    monkeypatch.setattr(text_reading, "_loaded", {})
    photo = add("Departure")
    result = text_steps.read_texts([photo.pk])[photo.pk]
    assert result.status == StepStatus.SKIPPED
    assert "Install it as requirements.txt names it" in result.reason
    assert text_steps.text_version() == ""


def test_the_text_goes_with_its_photo(add: AddPhoto) -> None:
    photo = add()
    keep(photo, "Departure")
    photo.delete()
    assert not PhotoText.objects.exists()


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        ("total", True),
        ("TOTAL bakery", True),
        ("total museum", False),
        ("bak", True),
        ("bak total", False),
        ("total bak", True),
        ("cafe creme", True),
        ("5,80", True),
        ('"corner bakery"', True),
        ('"bakery corner"', False),
        ("bakery -total", False),
        ("bakery -museum", True),
        ("museum or bakery", False),
        ("now or never", True),
        ("now never or", True),
        ("京", True),
        ("東京", True),
        ("大阪", False),
        ("", False),
        ("'); DROP TABLE photos_photo; --", False),
        (r"a & b | !c <-> d:* \ ' \"", False),
        ("\x00", False),
        ("e" * 3000, False),
    ],
)
def test_every_word_has_to_be_there(add: AddPhoto, words: str, is_found: bool) -> None:
    keep(add(), "Corner Bakery", "Café Crème", "TOTAL 5.80", "東京駅", "NOW OR NEVER")
    assert PhotoText.objects.containing(words).exists() == is_found


def test_texts_are_visible_to_members_and_not_from_the_trash(
    add: AddPhoto, alice: Any, bob: Any, charlie: Any, share_with: Any
) -> None:
    keep(add(), "Departure")
    share_with(bob, "viewer")
    seen = [PhotoText.objects.visible_to(user).containing("depart").count() for user in (alice, bob, charlie)]
    assert seen == [1, 1, 0]
    Photo.objects.move_to_trash()
    assert not PhotoText.objects.visible_to(alice).exists()


def test_words_are_looked_up_in_an_index(add: AddPhoto) -> None:
    keep(add(), "Departure")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "photo_text_words" in PhotoText.objects.containing("departure").explain()


def test_a_client_reads_lines_and_boxes(add: AddPhoto, alice: Any, charlie: Any, client_of: Any) -> None:
    photo, empty = add(), add("x")
    keep(photo, "Corner Bakery", "TOTAL 5.80")
    client: Client = client_of(alice)
    answer = client.get(f"/api/photos/{photo.pk}/text")
    assert answer.json() == {
        "photo_id": photo.pk,
        "text": "Corner Bakery\nTOTAL 5.80",
        "lines": [
            {"text": "Corner Bakery", "box": [0.1, 0.2, 0.3, 0.4], "score": 0.9},
            {"text": "TOTAL 5.80", "box": [0.1, 0.2, 0.3, 0.4], "score": 0.9},
        ],
    }
    assert client.get(f"/api/photos/{empty.pk}/text").json()["lines"] == []
    assert client_of(charlie).get(f"/api/photos/{photo.pk}/text").status_code == 404
    assert Client().get(f"/api/photos/{photo.pk}/text").status_code == 401


def test_the_page_shows_the_text_and_costs_no_more_queries_for_more_lines(
    add: AddPhoto, alice: Any, charlie: Any, client: Client, django_assert_num_queries: Any
) -> None:
    photo = add()
    client.force_login(alice)
    url = reverse("photo-text", args=[photo.pk])
    assert "Text in the photo" not in client.get(url).text
    for count in (1, 40):
        keep(photo, *["<Corner> Bakery"] * count)
        with django_assert_num_queries(4):
            page = client.get(url).text
        assert page.count("&lt;Corner&gt; Bakery") == count
        assert page.count('class="text-box"') == count
    assert url in client.get(reverse("photo", args=[photo.pk])).text
    client.force_login(charlie)
    assert client.get(url).status_code == 404
