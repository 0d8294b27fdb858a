"""Understanding queries; no database."""

import pytest

from search.query import ParsedQuery, content_words, file_name_in, find_kinds, understand

NAMES = ["Alice", "Alice Smith", "Bob", "Ann-Marie", "Zoë"]


@pytest.mark.parametrize(
    ("text", "names", "words"),
    [
        ("a dog in the grass", (), "a dog in the grass"),
        ("  a   dog ", (), "a dog"),
        ("", (), ""),
        ("bob", ("Bob",), ""),
        ("photos of Bob", ("Bob",), ""),
        ("BOB with a dog", ("Bob",), "a dog"),
        ("Bob in the snow", ("Bob",), "in the snow"),
        ("a dog and Bob", ("Bob",), "a dog"),
        ("alice smith on a beach", ("Alice Smith",), "on a beach"),
        ("Alice and Bob at a wedding", ("Alice", "Bob"), "at a wedding"),
        ("Bob, Alice", ("Bob", "Alice"), ""),
        ("Bob's birthday cake", ("Bob",), "birthday cake"),
        ("a bobsled", (), "a bobsled"),
        ("ann-marie swimming", ("Ann-Marie",), "swimming"),
        ("zoë", ("Zoë",), ""),
        ("photos of dogs", (), "photos of dogs"),
        ("Bob (and more) [x*", ("Bob",), "(and more) [x*"),
    ],
)
def test_query_is_understood(text: str, names: tuple[str, ...], words: str) -> None:
    assert understand(text, NAMES) == ParsedQuery(names, words)


def test_name_of_blanks_is_nobody() -> None:
    assert understand("a dog", ["", "  "]) == ParsedQuery((), "a dog")


@pytest.mark.parametrize(
    ("text", "kinds", "rest"),
    [
        ("videos", {"video"}, ""),
        ("videos of dogs", {"video"}, "dogs"),
        ("video of a dog", {"video"}, "a dog"),
        ("dog videos", {"video"}, "dog"),
        ("favourites", {"favorite"}, ""),
        ("my favorite photos of dogs", {"favorite"}, "dogs"),
        ("favorite videos", {"favorite", "video"}, ""),
        ("a video game", set(), "a video game"),
        ("film poster", set(), "film poster"),
        ("photos of dogs", set(), "photos of dogs"),
    ],
)
def test_kinds_of_photos_are_found(text: str, kinds: set[str], rest: str) -> None:
    assert find_kinds(text) == (frozenset(kinds), rest)


def test_a_file_name_is_told_from_words() -> None:
    for text in ("IMG_1234", "beach.jpg", "DSC01234"):
        assert file_name_in(text) == text
    for text in ("beach", "a dog", "2019", "dog.", ""):
        assert file_name_in(text) == ""


def test_words_that_say_nothing_are_left_out() -> None:
    assert content_words("photos of the dog, and a Dog on sand") == ["dog", "sand"]
