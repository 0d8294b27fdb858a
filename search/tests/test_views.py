"""The search page, with vectors made by hand instead of a model's."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from django.test import Client

from faces.models import Face, Person
from photos.models import Library, Photo, Stack
from search import services
from search.models import PhotoEmbedding
from search.text_process import TextProcess

Rows = Callable[[int], list[int]]


@pytest.fixture
def page(alice: Any, client: Client) -> Client:
    client.force_login(alice)
    return client


def vector(angle: float) -> np.ndarray[Any, Any]:
    """A unit vector at `angle` from the first axis, in the space of the encoder in use."""
    result = np.zeros(services.encoder_choice().dimensions, np.float32)
    result[:2] = np.cos(angle), np.sin(angle)
    return result


@pytest.fixture
def shown(photo_rows: Rows) -> list[int]:
    """Three photos, ever farther from what “a dog” asks for; the last does not show it."""
    version = services.encoder_version(services.encoder_choice())
    ids = photo_rows(3)
    for pk, angle in zip(ids, (0.1, 0.2, 1.5), strict=True):
        PhotoEmbedding.objects.create(photo_id=pk, encoder=version, vector=vector(angle))
    for text in ("a dog", "a wedding"):
        angle = 0.0 if text == "a dog" else 3.0
        services.keep_query(services.Query(text, vector(angle), cutoff=0.6))
    return ids


def tiles(html: bytes) -> list[int]:
    return [int(pk) for pk in re.findall(rb'id="photo-(\d+)"', html)]


def put_on(photo_ids: list[int], library: Library, name: str) -> Person:
    person = Person.objects.create(library=library, name=name)
    for pk in photo_ids:
        Face.objects.create(photo_id=pk, person=person, x1=0, y1=0, x2=1, y2=1, detection_score=1)
    return person


def test_a_query_may_have_500_characters(
    page: Client, client_of: Callable[[Any], Client], alice: Any
) -> None:
    answer = page.get("/search", {"q": "x" * 501})
    assert answer.status_code == 400
    assert "Say it in at most 500 characters." in answer.content.decode()
    for path in ("/api/search/photos", "/api/search/by-person"):
        answer = client_of(alice).get(path, {"q": "x" * 501})
        assert (answer.status_code, answer.json()["error"]) == (400, "query_too_long")


def test_photos_come_best_first(page: Client, shown: list[int]) -> None:
    answer = page.get("/search", {"q": "A dog"})
    assert tiles(answer.content) == shown[:2]
    assert "2 photos for “A dog”, best first" in " ".join(answer.content.decode().split())


def test_of_a_stack_only_the_best_is_shown(page: Client, shown: list[int], library: Library) -> None:
    stack = Stack.objects.create(library=library, kind="burst")
    for position, pk in enumerate((shown[2], shown[1], shown[0])):
        Photo.objects.filter(pk=pk).update(stack=stack, stack_position=position)
    answer = page.get("/search", {"q": "a dog"})
    assert tiles(answer.content) == shown[:1]
    assert "Stack of 3 photos" in answer.content.decode()


def test_page_says_which_encoder_is_in_use(page: Client, shown: list[int]) -> None:
    assert services.encoder_choice().label in page.get("/search", {"q": "a dog"}).content.decode()


def test_name_in_the_query_keeps_to_that_persons_photos(
    page: Client, library: Library, shown: list[int]
) -> None:
    put_on([shown[1], shown[2]], library, "Bob")
    assert tiles(page.get("/search", {"q": "bob with a dog"}).content) == [shown[1]]
    assert sorted(tiles(page.get("/search", {"q": "Bob"}).content)) == [shown[1], shown[2]]


def test_two_names_ask_for_both_on_one_photo(page: Client, library: Library, shown: list[int]) -> None:
    put_on(shown[:2], library, "Bob")
    put_on(shown[1:], library, "Charlie")
    assert tiles(page.get("/search", {"q": "bob and charlie"}).content) == [shown[1]]


def test_person_can_be_given_by_id(page: Client, library: Library, shown: list[int]) -> None:
    person = put_on([shown[0]], library, "")
    assert tiles(page.get("/search", {"person": person.pk}).content) == [shown[0]]
    assert tiles(page.get(f"/search?person={person.pk}&q=a+dog").content) == [shown[0]]


def test_part_of_a_name_suggests_the_person(page: Client, library: Library, shown: list[int]) -> None:
    person = put_on([shown[0]], library, "Charlie Dog")
    html = page.get("/search", {"q": "a dog"}).content.decode()
    assert f"/search?person={person.pk}" in html


def test_nothing_that_fits_is_said_clearly(page: Client, shown: list[int]) -> None:
    html = page.get("/search", {"q": "a wedding"}).content.decode()
    assert "Nothing fits “a wedding”" in html
    assert tiles(html.encode()) == []


def test_search_that_is_not_available_says_what_to_do(
    page: Client, shown: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(text: str) -> Any:
        raise services.SearchUnavailable("Put the weights there.")

    monkeypatch.setattr(services, "embed_query", unavailable)
    html = page.get("/search", {"q": "something never asked"}).content.decode()
    assert "Search by words is not available" in html
    assert "Put the weights there." in html


def test_only_a_query_never_asked_needs_the_model(
    page: Client, shown: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    processes: dict[Any, TextProcess] = {}
    monkeypatch.setattr(services, "_text_processes", processes)
    page.get("/search", {"q": "a dog"})
    assert processes == {}
    assert page.post("/search/prepare").status_code == 204
    (process,) = processes.values()
    assert process.child is not None
    process.stop()


def test_empty_query_asks_what_to_look_for(page: Client) -> None:
    assert "What are you looking for?" in page.get("/search").content.decode()


def test_charlie_finds_nothing_of_alices(
    charlie: Any, client: Client, library: Library, shown: list[int]
) -> None:
    person = put_on(shown, library, "Bob")
    client.force_login(charlie)
    for query in ("q=a+dog", f"person={person.pk}", f"person={person.pk}&q=a+dog"):
        assert tiles(client.get(f"/search?{query}").content) == []
    assert "/people/" not in client.get("/search", {"q": "bob"}).content.decode()


def test_search_needs_few_queries(
    page: Client, library: Library, shown: list[int], django_assert_max_num_queries: Any
) -> None:
    put_on(shown, library, "Bob")
    page.get("/search", {"q": "bob with a dog"})
    with django_assert_max_num_queries(17):
        page.get("/search", {"q": "bob with a dog"})


def test_a_place_in_the_query_narrows_the_photos(page: Client, shown: list[int]) -> None:
    Photo.objects.filter(pk__in=shown[1:]).update(city="Paris", country="France", country_code="FR")
    with_words = page.get("/search", {"q": "a dog in Paris"})
    assert tiles(with_words.content) == [shown[1]]
    assert "taken in <strong>Paris</strong> for “a dog”, best first" in " ".join(with_words.text.split())
    alone = page.get("/search", {"q": "photos of france"})
    assert sorted(tiles(alone.content)) == shown[1:]


def test_filters_narrow_what_the_words_find(page: Client, library: Library, shown: list[int]) -> None:
    Photo.objects.filter(pk=shown[0]).update(taken_at=datetime(2019, 5, 1, 12, tzinfo=UTC), is_favorite=True)
    Photo.objects.filter(pk=shown[1]).update(mime_type="video/mp4", camera_model="Pocket 3")
    for wanted, found in (
        ("favorite=on", [shown[0]]),
        ("kind=video", [shown[1]]),
        ("kind=photo", [shown[0]]),
        ("camera=pocket+3", [shown[1]]),
        ("taken_from=2019-05-01&taken_to=2019-05-01", [shown[0]]),
        ("taken_from=2019-05-02", [shown[1]]),
        ("taken_to=2019-04-30", []),
        ("favorite=on&kind=video", []),
    ):
        assert tiles(page.get(f"/search?q=a+dog&{wanted}").content) == found, wanted


def test_filters_work_without_words_a_page_at_a_time(
    page: Client, shown: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photos.timeline.timeline_page.__kwdefaults__", {"before": "", "size": 2})
    Photo.objects.update(is_favorite=True, taken_at=datetime(2019, 5, 1, 12, tzinfo=UTC))
    first = page.get("/search?favorite=on")
    assert tiles(first.content) == [shown[2], shown[1]]
    assert "3 photos, favourites only, newest first" in " ".join(first.text.split())
    more = re.search(r'hx-get="([^"]+before=[^"]+)"', first.text)
    assert more is not None
    rest = page.get(more[1].replace("&amp;", "&"), headers={"HX-Request": "true"})
    assert tiles(rest.content) == [shown[0]]
    assert "<html" not in rest.text


def test_what_was_understood_is_said_and_each_filter_can_be_taken_away(
    page: Client, library: Library, shown: list[int]
) -> None:
    person = put_on(shown[:2], library, "Bob")
    Photo.objects.update(city="Paris", country="France", country_code="FR")
    query = f"q=a+dog&person={person.pk}&place=paris&taken_from=2001-01-01"
    text = " ".join(page.get(f"/search?{query}").text.split())
    assert "2 photos of <strong>Bob</strong> taken in <strong>Paris</strong>, since 1 January" in text
    assert 'href="/search?q=a+dog&amp;place=paris&amp;taken_from=2001-01-01"' in text
    assert f'href="/search?q=a+dog&amp;person={person.pk}&amp;place=paris"' in text
    assert "Nothing else among these looks like “a dog”." in text


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ("taken_from=soon", "Enter a valid date."),
        ("taken_from=2020-01-01&taken_to=2019-01-01", "The end lies before the beginning."),
        ("kind=song", "Select a valid choice."),
        ("place=%00", "Null characters are not allowed."),
    ],
)
def test_a_filter_that_cannot_be_is_said_beside_it(
    page: Client, shown: list[int], wanted: str, problem: str
) -> None:
    assert 'class="filter-panel" open' in page.get(f"/search?q=a+dog&{wanted}").text
    assert problem in page.get(f"/search/filters?q=a+dog&{wanted}").text


def test_filters_offer_what_one_has(
    page: Client, charlie: Any, client: Client, library: Library, shown: list[int]
) -> None:
    put_on(shown, library, "Bob")
    Photo.objects.update(city="Paris", country="France", country_code="FR", camera_model="Pocket 3")
    for text in ("Bob", "Paris", "France", "Pocket 3"):
        assert text in page.get("/search/filters").text
    client.force_login(charlie)
    for text in ("Bob", "Paris", "France", "Pocket 3"):
        assert f">{text}" not in (html := client.get("/search/filters").text)
        assert f'value="{text}"' not in html


def test_the_page_of_a_photo_shows_what_is_like_it(page: Client, shown: list[int]) -> None:
    Photo.objects.filter(pk__in=shown).update(has_renditions=True)
    html = page.get(f"/photos/{shown[0]}/similar").content.decode()
    assert [int(pk) for pk in re.findall(r'href="/photos/(\d+)"', html)] == [shown[1], shown[2]]


def test_charlie_sees_nothing_like_alices_photos(charlie: Any, client: Client, shown: list[int]) -> None:
    client.force_login(charlie)
    assert client.get(f"/photos/{shown[0]}/similar").status_code == 404


def test_a_photo_without_a_vector_has_nothing_like_it(page: Client, photo_rows: Rows) -> None:
    (pk,) = photo_rows(1)
    assert page.get(f"/photos/{pk}/similar").content.strip() == b""
