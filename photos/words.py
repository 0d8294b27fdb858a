"""Expressions for the words that are written about photos, the same in indexes and in queries."""

from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import F, Func, Q, TextField, Value
from django.db.models.functions import Collate, Upper

# Stemming is English, so that “dogs” finds “dog”; it does no harm to other languages.
STEMMING = "english"
DESCRIPTION = SearchVector("title", "description", config=STEMMING)
IS_DESCRIBED = ~Q(title="", description="")

# Of a tag `Places/France/Paris` the last part.
TAG_LEAF = Upper(
    Func(F("name"), Value("^.*/"), Value(""), function="regexp_replace", output_field=TextField())
)

# In the order of bytes, so that an index serves what begins with something.
FILE_NAME = Collate(Upper("original_name"), "C")


def described_by(photos: Any, text: str) -> Any:
    """Those with all words of `text` in title and description; "or", quotes and minus as in web searches."""
    query = SearchQuery(text, config=STEMMING, search_type="websearch")
    return photos.filter(IS_DESCRIBED).alias(description_words=DESCRIPTION).filter(description_words=query)


def called(tags: Any, name: str) -> Any:
    """Tags of this name in any case; of a path its last part is enough."""
    return tags.alias(leaf=TAG_LEAF).filter(leaf=Upper(Value(name)))


def named_like(photos: Any, beginning: str) -> Any:
    """Photos whose file's name begins so, in any case."""
    return photos.alias(file_name=FILE_NAME).filter(file_name__startswith=beginning.upper())
