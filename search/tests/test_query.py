"""Understanding queries; no database."""

import pytest

from search.query import ParsedQuery, understand

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
