"""Tags by the encoder: which words, and what they leave alone."""

from collections.abc import Callable

import numpy as np
import pytest

from photos.models import Tag
from search import auto_tags, services, steps, tagging
from search.models import PhotoEmbedding

WORDS = np.eye(len(tagging.vocabulary()), dtype=np.float32)
CUTOFFS = np.full(len(WORDS), 0.5, dtype=np.float32)


def photo_with(**cosines: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    vector = np.zeros((1, len(WORDS)), dtype=np.float32)
    for word, cosine in cosines.items():
        vector[0, tagging.vocabulary().index(word)] = cosine
    return vector


def words_of(cutoffs: np.ndarray[tuple[int], np.dtype[np.float32]] = CUTOFFS, **cosines: float) -> list[str]:
    (tags,) = tagging.tags_of(photo_with(**cosines), WORDS, cutoffs, min_score=0.5)
    return list(tags)


def test_vocabulary_has_each_word_once() -> None:
    assert len(set(tagging.vocabulary())) == len(tagging.vocabulary()) > 200
    assert {"dog", "portrait", "sunset"} < set(tagging.vocabulary())


def test_the_best_words_are_tags_best_first() -> None:
    assert words_of(dog=0.69, puppy=0.7, cat=0.6) == ["puppy", "dog"]


def test_what_a_search_would_barely_show_is_no_tag() -> None:
    assert words_of(dog=0.52) == []
    assert words_of(dog=0.54) == ["dog"]


def test_a_word_with_a_higher_cutoff_of_its_own_keeps_it() -> None:
    cutoffs = CUTOFFS.copy()
    cutoffs[tagging.vocabulary().index("dog")] = 0.75
    assert words_of(cutoffs, dog=0.7, puppy=0.69) == ["puppy"]


def test_there_are_six_at_most() -> None:
    assert len(words_of(dog=0.7, cat=0.7, horse=0.7, cow=0.7, sheep=0.7, goat=0.7, pig=0.7)) == 6


@pytest.mark.django_db
def test_a_photo_gets_the_words_it_would_be_found_by(photo_rows: Callable[[int], list[int]]) -> None:
    choice = services.encoder_choice()
    encoder, _ = services.load_encoder(choice)
    version = services.encoder_version(choice)
    lighthouse, without = photo_rows(2)
    vector = encoder.embed_texts(["a lighthouse"])[0]
    PhotoEmbedding.objects.create(photo_id=lighthouse, encoder=version, vector=vector)
    results = steps.tag_photos([lighthouse, without])
    assert (results[lighthouse].status, results[without].status) == ("done", "skipped")
    assert "lighthouse" in Tag.objects.filter(photo=lighthouse, source="machine").values_list(
        "name", flat=True
    )
    assert not Tag.objects.filter(photo=without).exists()


@pytest.mark.django_db
def test_new_tags_replace_those_by_a_model_and_no_others(photo_rows: Callable[[int], list[int]]) -> None:
    (pk,) = photo_rows(1)
    for name, source in (("Dog", "person"), ("sea", "file"), ("cat", "machine")):
        Tag.objects.create(photo_id=pk, name=name, source=source)
    auto_tags.save_tags({pk: {"dog": 0.7, "puppy": 0.69, "sea": 0.68}})
    assert set(Tag.objects.filter(photo=pk).values_list("name", "source")) == {
        ("Dog", "person"),
        ("sea", "file"),
        ("puppy", "machine"),
    }
