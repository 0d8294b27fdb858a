"""Tags by the encoder, written beside those that people and files gave."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from django.db import transaction

from photos.models import Tag
from search import encoders, services, tagging
from search.models import PhotoEmbedding
from search.tensors import Vectors, save_vectors


def tag_photos(photo_ids: Sequence[int], choice: encoders.Choice) -> set[int]:
    """Tag those that have an embedding by this encoder; returns them. Raises SearchUnavailable."""
    rows = PhotoEmbedding.objects.filter(photo__in=photo_ids, encoder__version=choice.version)
    vectors = dict(rows.values_list("photo_id", "vector"))
    if vectors:
        words, cutoffs = vocabulary_vectors(choice)
        photos = np.array([*vectors.values()], dtype=np.float32)
        found = tagging.tags_of(photos, words, cutoffs, min_score=choice.min_score)
        save_tags(dict(zip(vectors, found, strict=True)))
    return set(vectors)


def vocabulary_vectors(choice: encoders.Choice) -> tuple[Vectors, Vectors]:
    """The words of `tagging.vocabulary()` as float32 (n, dimensions), and their cutoffs (n,).

    Computed once for an encoder and kept in a file, for which no model has to be loaded. Raises
    SearchUnavailable.
    """
    words = tagging.vocabulary()
    digest = hashlib.sha256("\n".join([choice.version, *words]).encode()).hexdigest()[:16]
    path = choice.state_dir / f"vocabulary-{digest}.npy"
    if not path.is_file():
        encoder, _ = services.load_encoder(choice)
        vectors = encoder.embed_texts(words)
        save_vectors(path, np.column_stack([vectors, encoder.cutoffs(vectors)]))
    kept = np.load(path)
    return kept[:, :-1], kept[:, -1]


@transaction.atomic
def save_tags(tags: Mapping[int, Mapping[str, float]]) -> None:
    """Each photo's tags by the encoder, in place of those it had; what people and files said stays."""
    of_photos = Tag.objects.filter(photo__in=tags)
    of_photos.filter(source=Tag.Source.MACHINE).delete()
    said = {(photo_id, name.casefold()) for photo_id, name in of_photos.values_list("photo_id", "name")}
    rows = [
        Tag(photo_id=photo_id, name=name, score=score, source=Tag.Source.MACHINE)
        for photo_id, scores in tags.items()
        for name, score in scores.items()
        if (photo_id, name.casefold()) not in said
    ]
    Tag.objects.bulk_create(rows, ignore_conflicts=True)
