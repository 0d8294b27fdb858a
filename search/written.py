"""What is written about photos (titles, descriptions, tags, names of files), and what can be read on them."""

from typing import Any

from photos.models import Tag
from photos.words import called, described_by, named_like
from search.models import PhotoText
from search.query import content_words, file_name_in

MOST_MATCHES = 1000

# On top of the cosine, so that what somebody said of a photo goes before what only looks like it. Words that
# can be read on it are often about something else, so they add less.
SAID = 0.3
READ = 0.15


def written_scores(photos: Any, text: str) -> dict[int, float]:
    """Of these photos those that all words of `text` are written about, with what their score gains."""
    found = [described_by(photos, text), *tagged_with(photos, text)]
    if name := file_name_in(text):
        found.append(named_like(photos, name))
    ids = [rows.order_by().values_list("pk", flat=True) for rows in found]
    said = dict.fromkeys(ids[0].union(*ids[1:])[:MOST_MATCHES], SAID)
    return dict.fromkeys(read_on(photos, text), READ) | said


def read_on(photos: Any, text: str) -> Any:
    """Ids of those on which all words that say something can be read."""
    texts = PhotoText.objects.containing(" ".join(content_words(text)))
    return (
        photos.filter(pk__in=texts.values("photo_id")).order_by().values_list("pk", flat=True)[:MOST_MATCHES]
    )


def tagged_with(photos: Any, text: str) -> list[Any]:
    """Those with a tag of all the words, and those with a tag for each of them."""
    said = Tag.objects.exclude(source=Tag.Source.MACHINE)
    found = [photos.filter(pk__in=called(said, text).values("photo_id"))]
    if len(words := content_words(text)) > 1:
        each = photos
        for word in words:
            each = each.filter(pk__in=called(said, word).values("photo_id"))
        found.append(each)
    return found
