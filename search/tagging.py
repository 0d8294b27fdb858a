"""Tags by a model: the words of a vocabulary that a search would find the photo by."""

from functools import cache
from pathlib import Path

import numpy as np

from search.tensors import Vectors

VOCABULARY_PATH = Path(__file__).with_name("vocabulary.txt")
VOCABULARY_VERSION = 1  # raise it when the words or the rule change
MOST_TAGS = 6
# Seen on 119 photos with the offline encoder. What a search shows by mistake is looked at once, but a tag
# stays, so it has to be surer; words much farther away than the best are mostly its echoes (“hot dog” of a dog).
SURER = 1.07
NEAR_BEST = 0.94


@cache
def vocabulary() -> tuple[str, ...]:
    lines = VOCABULARY_PATH.read_text().splitlines()
    return tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def tags_of(photos: Vectors, words: Vectors, cutoffs: Vectors, *, min_score: float) -> list[dict[str, float]]:
    """Of each photo, float32 (n, dimensions), its tags with their cosines, best first, at most MOST_TAGS.

    `words` (vocabulary, dimensions) and their `cutoffs` belong to `vocabulary()`; `min_score` is the cutoff
    that the encoder has for any text.
    """
    cosines = photos @ words.T
    least = np.maximum(np.maximum(cutoffs, SURER * min_score), NEAR_BEST * cosines.max(axis=1, keepdims=True))
    best = np.argsort(-cosines, axis=1, kind="stable")[:, :MOST_TAGS]
    return [
        {vocabulary()[word]: float(row[word]) for word in order if row[word] >= floor[word]}
        for row, floor, order in zip(cosines, least, best, strict=True)
    ]
