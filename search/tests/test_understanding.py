"""Queries that combine people, places, times and words, by the API and by what is written about photos."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from django.test import Client

from faces.models import Face, Person
from photos.models import Library, Photo, Tag
from search import services
from search.models import PhotoEmbedding, PhotoText
from search.understanding import read_query
from search.written import written_scores

Rows = Callable[[int], list[int]]
ClientOf = Callable[[Any], Client]


def towards(angle: float) -> np.ndarray[Any, Any]:
    vector = np.zeros(services.encoder_choice().dimensions, np.float32)
    vector[:2] = np.cos(angle), np.sin(angle)
    return vector


@pytest.fixture
def photos(photo_rows: Rows) -> list[int]:
    """Four photos of the summers of 2019 to 2022, ever less like “a dog”; the last two do not show one."""
    encoder = services.encoder_version(services.encoder_choice())
    ids = photo_rows(4)
    for pk, year, angle in zip(ids, range(2019, 2023), (0.1, 0.2, 1.2, 1.3), strict=True):
        Photo.objects.filter(pk=pk).update(taken_at=datetime(year, 7, 14, 23, 30, tzinfo=UTC))
        PhotoEmbedding.objects.create(photo_id=pk, encoder=encoder, vector=towards(angle))
    for text in ("a dog", "dog"):
        services.keep_query(services.Query(text, towards(0), cutoff=0.6))
    return ids


def search(client: Client, **parameters: Any) -> list[int]:
    answer = client.get("/api/search/photos", parameters)
    assert answer.status_code == 200, answer.content
    return [photo["id"] for photo in answer.json()["results"]]


def put_on(photo_id: int, library: Library, **person: Any) -> Person:
    known = Person.objects.create(library=library, **person)
    Face.objects.create(photo_id=photo_id, person=known, x1=0, y1=0, x2=1, y2=1, detection_score=1)
    return known


def test_a_time_narrows_and_words_rank(alice: Any, client_of: ClientOf, photos: list[int]) -> None:
    client = client_of(alice)
    assert search(client, q="a dog") == photos[:2]
    assert search(client, q="a dog in summer 2020") == [photos[1]]
    assert search(client, q="a dog in summer 2021") == []
    assert search(client, q="since 2021") == [photos[3], photos[2]]
    assert search(client, q="on 14 July") == photos[::-1]
    assert search(client, q="15 july") == []


def test_the_answer_says_what_was_understood(
    alice: Any, client_of: ClientOf, library: Library, photos: list[int]
) -> None:
    person = put_on(photos[0], library, name="Bob")
    Photo.objects.filter(pk=photos[0]).update(city="Paris", country="France")
    answer = client_of(alice).get("/api/search/photos", {"q": "Bob with a dog in Paris in 2019"}).json()
    assert [photo["id"] for photo in answer["results"]] == [photos[0]]
    assert answer["understood"] == {
        "words": "a dog",
        "people": [{"id": person.pk, "name": "Bob"}],
        "places": ["paris"],
        "taken": "2019",
        "kinds": [],
    }


def test_other_names_find_a_person(
    alice: Any, client_of: ClientOf, library: Library, photos: list[int]
) -> None:
    put_on(photos[2], library, name="Roberta", aliases=["Granny Bob"])
    assert search(client_of(alice), q="granny bob") == [photos[2]]


def test_a_person_named_like_a_month_is_a_person(
    alice: Any, client_of: ClientOf, library: Library, photos: list[int]
) -> None:
    put_on(photos[2], library, name="June")
    assert search(client_of(alice), q="June") == [photos[2]]


def test_favourites_and_videos_are_kinds(alice: Any, client_of: ClientOf, photos: list[int]) -> None:
    Photo.objects.filter(pk=photos[1]).update(is_favorite=True)
    Photo.objects.filter(pk=photos[2]).update(media_type="video")
    client = client_of(alice)
    assert search(client, q="favourite photos of a dog") == [photos[1]]
    assert search(client, q="videos") == [photos[2]]
    assert search(client, q="videos from 2019") == []


@pytest.mark.parametrize("field", ["title", "description"])
def test_what_is_written_finds_what_is_not_seen(
    alice: Any, client_of: ClientOf, photos: list[int], field: str
) -> None:
    Photo.objects.filter(pk=photos[3]).update(**{field: "Our dogs, hidden in the grass"})
    assert search(client_of(alice), q="a dog") == [photos[0], photos[1], photos[3]]


def test_a_tag_by_a_person_counts_and_one_by_a_model_does_not(
    alice: Any, client_of: ClientOf, photos: list[int]
) -> None:
    Tag.objects.create(photo_id=photos[3], name="Animals/Dog")
    Tag.objects.create(photo_id=photos[2], name="dog", source=Tag.Source.MACHINE)
    assert search(client_of(alice), q="dog") == [photos[0], photos[1], photos[3]]


def test_all_words_must_be_among_the_tags(alice: Any, photos: list[int]) -> None:
    for pk in photos[:2]:
        Tag.objects.create(photo_id=pk, name="beach")
    Tag.objects.create(photo_id=photos[1], name="ball")
    everything = Photo.objects.visible_to(alice)
    assert list(written_scores(everything, "ball on the beach")) == [photos[1]]


def test_words_that_can_be_read_on_a_photo_find_it(
    alice: Any, client_of: ClientOf, photos: list[int]
) -> None:
    PhotoText.objects.create(
        photo_id=photos[3], lines=[], text="Beware of the dog", folded="beware of the dog"
    )
    assert search(client_of(alice), q="a dog") == [photos[0], photos[1], photos[3]]


def test_a_file_is_found_by_its_name(alice: Any, photos: list[int]) -> None:
    Photo.objects.filter(pk=photos[2]).update(original_name="IMG_1234.jpg")
    everything = Photo.objects.visible_to(alice)
    for text in ("IMG_1234", "img_1234.jpg"):
        assert list(written_scores(everything, text)) == [photos[2]]
    assert written_scores(everything, "IMG_1235") == {}


def test_without_a_model_what_is_written_is_still_found(
    alice: Any, client_of: ClientOf, photos: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(text: str) -> Any:
        raise services.SearchUnavailable("Put the weights there.")

    monkeypatch.setattr(services, "embed_query", unavailable)
    Photo.objects.filter(pk=photos[3]).update(title="The lighthouse")
    client = client_of(alice)
    assert search(client, q="lighthouse") == [photos[3]]
    assert client.get("/api/search/photos", {"q": "windmill"}).status_code == 503


def test_charlie_learns_nothing_of_alices_words(
    charlie: Any, client_of: ClientOf, library: Library, photos: list[int]
) -> None:
    put_on(photos[0], library, name="Bob")
    Photo.objects.filter(pk__in=photos).update(title="a dog", city="Paris", is_favorite=True)
    client = client_of(charlie)
    for text in ("bob", "paris"):  # which are only words to Charlie
        services.keep_query(services.Query(text, towards(0), cutoff=0.6))
    for query in ("a dog", "2019", "Bob", "Paris", "favourites"):
        answer = client.get("/api/search/photos", {"q": query}).json()
        assert answer["results"] == answer["understood"]["people"] == answer["understood"]["places"] == []


def test_filters_and_understanding_go_together(alice: Any, client_of: ClientOf, photos: list[int]) -> None:
    assert search(client_of(alice), q="a dog", taken_to="2019-12-31") == [photos[0]]


def test_hostile_queries_are_only_words(alice: Any, photos: list[int]) -> None:
    for query in ("'; drop table", "\\", "%_%", "a & | ! ( :*", "«»" * 100, "2019 " * 80, "\0"):
        asked = read_query(alice, query)
        assert written_scores(asked.photos, asked.words) == {}
