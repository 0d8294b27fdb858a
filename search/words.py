"""One spelling of words, so that a text read from a photo and a query meet. Knows no Django."""

import re
import unicodedata

NO_WORD = re.compile(r"[\W_]+")
NO_QUERY = re.compile(r'(?!"|(?<!\S)-(?=\w))[\W_]')  # quotes, and a minus before a word, mean something
# Writing without blanks, in which any character may begin a word: Chinese and Japanese.
UNSPACED = re.compile("([\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])")


def fold(text: str) -> str:
    """Small letters without accents, and nothing but words; Chinese and Japanese as single characters.

    What reads text often loses accents, and prices and dates have their points in different places.
    """
    return " ".join(NO_WORD.sub(" ", _plain(text)).split())


def fold_query(text: str) -> str:
    """The same of a query, whose phrases ("…") and excluded words (-…) stay what they are."""
    return " ".join(NO_QUERY.sub(" ", _plain(text)).split())


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return UNSPACED.sub(r" \1 ", unicodedata.normalize("NFC", letters))
