"""How near people are to each other, and who consists of two far groups: for questions and for suspicion.

Each person stands for a sample of its best faces; two people are as near as the mean cosine over their faces,
the measure by which `clustering` joins groups.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations

import numpy as np
from django.db.models import Count, F, Q, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from faces.clustering import NOBODY, Faces, Settings, cluster
from faces.models import Face, FaceEmbedding, FaceModelVersion, Person, PersonDistinction
from faces.vectors import Floats, HalfVectorBytes, unit_rows

MOST_PEOPLE = 1000  # the largest ones are compared
SAMPLE = 16
SAMPLE_FOR_MIXTURES = 64
FAR = 0.2  # below the threshold: two groups of one person this far apart are suspicious
ASK_AGAIN_DAYS = 30  # after “not sure”


@dataclass(frozen=True)
class NearPeople:
    first: Person
    second: Person
    similarity: float
    sizes: dict[int, int]  # number of faces by person, of these two and others


@dataclass(frozen=True)
class Mixture:
    """A person whose faces fall into groups that are far from each other."""

    person: Person
    groups: tuple[tuple[int, ...], ...]  # face ids, largest first
    similarity: float  # mean cosine between the two largest


def largest_people(library_id: int) -> dict[int, int]:
    """Number of faces by person, of the largest people who are not hidden."""
    rows = Person.objects.filter(library=library_id, is_hidden=False).annotate(n=Count("faces"))
    return dict(rows.filter(n__gt=0).order_by("-n", "pk").values_list("pk", "n")[:MOST_PEOPLE])


def sample_vectors(
    version: FaceModelVersion, people: Collection[int], size: int
) -> dict[int, tuple[list[int], Floats]]:
    """Ids and unit vectors (n, dimensions) of the best faces of each person."""
    rank = Window(
        RowNumber(), partition_by=F("face__person"), order_by=[F("face__quality").desc(), F("face")]
    )
    rows = list(
        FaceEmbedding.objects.filter(model=version, face__person__in=people)
        .annotate(rank=rank)
        .filter(rank__lte=size)
        .order_by("face__person", "rank")
        .values_list("face__person_id", "face_id", HalfVectorBytes("vector"))
    )
    vectors = unit_rows([row[2] for row in rows], version.dimensions)
    found: dict[int, tuple[list[int], Floats]] = {}
    owners = np.array([row[0] for row in rows])
    for person in np.unique(owners):
        where = np.flatnonzero(owners == person)
        found[int(person)] = [rows[place][1] for place in where], vectors[where]
    return found


def near_people(library_id: int, version: FaceModelVersion, *, at_least: float) -> list[NearPeople]:
    """Pairs of people who may be one, nearest first: not told apart, and never together on a photo."""
    sizes = largest_people(library_id)
    samples = sample_vectors(version, sizes, SAMPLE)
    if len(samples) < 2:
        return []
    ids = sorted(samples)
    means = np.stack([samples[pk][1].mean(axis=0) for pk in ids])
    similarity = np.triu(means @ means.T, 1)
    rows, columns = np.nonzero(similarity >= at_least)
    order = np.argsort(-similarity[rows, columns], kind="stable")[: 10 * MOST_PEOPLE]
    pairs = [(ids[rows[k]], ids[columns[k]], float(similarity[rows[k], columns[k]])) for k in order]
    settled = told_apart(library_id)
    pairs = [pair for pair in pairs if pair[:2] not in settled]
    together = on_one_photo([pair[:2] for pair in pairs])
    alive = Person.objects.in_bulk({pk for pair in pairs for pk in pair[:2]})
    return [
        NearPeople(alive[a], alive[b], near, sizes)
        for a, b, near in pairs
        if (a, b) not in together and a in alive and b in alive
    ]


def told_apart(library_id: int) -> set[tuple[int, int]]:
    """Pairs (smaller id first) that were told apart, or about whom somebody was not sure lately."""
    lately = timezone.now() - timedelta(days=ASK_AGAIN_DAYS)
    rows = PersonDistinction.objects.filter(first__library=library_id)
    rows = rows.filter(Q(is_sure=True) | Q(answered_at__gt=lately))
    return set(rows.values_list("first_id", "second_id"))


def on_one_photo(pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those of the pairs who are together on a photo."""
    people = {pk for pair in pairs for pk in pair}
    photos: dict[int, set[int]] = {}
    for person, photo in Face.objects.filter(person__in=people).values_list("person_id", "photo_id"):
        photos.setdefault(person or 0, set()).add(photo)
    return {(a, b) for a, b in pairs if not photos.get(a, set()).isdisjoint(photos.get(b, set()))}


def doubts_about(chosen: Sequence[Person]) -> list[str]:
    """What speaks against these being one person, a sentence each."""
    by_pk = {person.pk: person for person in chosen}
    ids = sorted(by_pk)
    apart = PersonDistinction.objects.filter(first__in=ids, second__in=ids, is_sure=True)
    told = [
        f"Somebody said that {by_pk[a].display_name} is not {by_pk[b].display_name}."
        for a, b in apart.order_by("first", "second").values_list("first_id", "second_id")
    ]
    together = [
        f"{by_pk[a].display_name} and {by_pk[b].display_name} are together on a photo."
        for a, b in sorted(on_one_photo(list(combinations(ids, 2))))
    ]
    return told + together


def mixtures(library_id: int, version: FaceModelVersion, *, threshold: float) -> list[Mixture]:
    """People who look like two: their faces fall into far groups. The farthest first."""
    sizes = largest_people(library_id)
    samples = sample_vectors(version, [pk for pk, size in sizes.items() if size >= 4], SAMPLE_FOR_MIXTURES)
    alive = Person.objects.in_bulk(samples)
    found = [
        mixture
        for pk, (ids, vectors) in samples.items()
        if pk in alive and (mixture := mixture_of(alive[pk], ids, vectors, threshold))
    ]
    return sorted(found, key=lambda mixture: mixture.similarity)


def mixture_of(person: Person, ids: list[int], vectors: Floats, threshold: float) -> Mixture | None:
    if float((vectors @ vectors.T).min()) >= threshold - FAR:
        return None  # no two faces are far from each other, so no two groups are
    count = len(ids)
    faces = Faces(
        ids=np.array(ids, dtype=np.int64),
        vectors=vectors,
        photos=np.arange(count, dtype=np.int64),
        quality=np.ones(count, dtype=np.float32),
        confirmed=np.full(count, NOBODY, dtype=np.int64),
    )
    groups = sorted((group.faces for group in cluster(faces, Settings.for_threshold(threshold))), key=len)
    if len(groups) < 2:
        return None
    place = {face: row for row, face in enumerate(ids)}
    first, second = (vectors[[place[face] for face in group]].mean(axis=0) for group in groups[-2:])
    similarity = float(first @ second)
    return Mixture(person, tuple(groups[::-1]), similarity) if similarity < threshold - FAR else None


def best_faces(people: Collection[int], size: int) -> dict[int, list[Face]]:
    """The best faces of each person that have a crop, on photos outside the trash."""
    rank = Window(RowNumber(), partition_by=F("person"), order_by=[F("quality").desc(), F("pk")])
    rows = Face.objects.filter(person__in=people, photo__deleted_at__isnull=True).exclude(crop_key="")
    found: dict[int, list[Face]] = {}
    for face in rows.annotate(rank=rank).filter(rank__lte=size).order_by("person", "rank"):
        found.setdefault(face.person_id or 0, []).append(face)
    return found
