"""One spelling for texts and queries."""

import pytest

from search.words import fold, fold_query


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("TOTAL: 12,50 €", "total 12 50"),
        ("Straße · CAFÉ crème", "strasse cafe creme"),
        ("www.example.org/a_b", "www example org a b"),
        ("東京タワー 2024年", "東 京 タ ワ ー 2024 年"),
        ("ＦＵＬＬ ｗｉｄｔｈ", "full width"),
        ("안녕하세요", "안녕하세요"),
        ("- - \n ·", ""),
    ],
)
def test_texts_are_compared_by_plain_words(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("query", "folded"),
    [
        ('"Total due" -TAX', '"total due" -tax'),
        ("x-ray - 5", "x ray 5"),
        ("12,50", "12 50"),
        ("--", ""),
    ],
)
def test_a_query_keeps_its_phrases_and_excluded_words(query: str, folded: str) -> None:
    assert fold_query(query) == folded
