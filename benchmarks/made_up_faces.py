"""Faces of made-up people, for scores of grouping on more than a folder of pictures holds.

Vectors are unit and of length 512, as ArcFace's are. Centres of strangers are near 0; those of relatives have
a cosine of 0.4 to each other. Each person has three looks (young and old, bearded, with glasses) that have a
cosine of 0.8 to each other. A face is a look and noise, more of it the poorer the face: two good faces of one
look have a cosine of about 0.6, two poor ones of about 0.3. Some faces are the blend of two people that chain
groups together. Photos show one to six people, families together.
"""

import numpy as np
import numpy.typing as npt

from benchmarks.face_clustering import Seen
from faces.detection import DetectedFace

DIMENSIONS = 512
FAMILY = 4
LIKENESS_IN_FAMILY = 0.4
LOOKS = 3
LOOK = 0.5  # length of what makes a look differ from the centre
BLENDS = 0.01  # share of faces between two people
LANDMARKS = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))

Vectors = npt.NDArray[np.float64]


def unit(vectors: Vectors) -> Vectors:
    lengths: Vectors = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / lengths


def made_up(people: int, photos: int, seed: int) -> list[Seen]:
    """Faces of the photos, each labelled by its person; a blend is labelled by the nearer of the two."""
    random = np.random.default_rng(seed)
    families = np.arange(people) // FAMILY
    shared = unit(random.standard_normal((families[-1] + 1, DIMENSIONS)))[families]
    own = unit(random.standard_normal((people, DIMENSIONS)))
    centres = unit(np.sqrt(LIKENESS_IN_FAMILY) * shared + np.sqrt(1 - LIKENESS_IN_FAMILY) * own)
    looks = unit(centres[:, None] + LOOK * unit(random.standard_normal((people, LOOKS, DIMENSIONS))))
    often = random.permutation(1 / np.arange(1, people + 1) ** 0.7)
    seen = []
    for photo in range(photos):
        first = random.choice(people, p=often / often.sum())
        near = np.where(families == families[first], 20.0, 1.0) * often
        near[first] = 0
        others = random.choice(people, random.integers(0, 6), replace=False, p=near / near.sum())
        for person in (first, *others):
            quality = float(np.clip(random.beta(4, 2), 0.05, 1))
            centre = looks[person, random.integers(LOOKS)]
            if random.random() < BLENDS:
                centre = unit(0.55 * centre + 0.45 * centres[random.integers(people)])
            noise = unit(random.standard_normal(DIMENSIONS)) * (1.75 - 1.2 * quality)
            seen.append(Seen(photo, str(person), described(unit(centre + noise), quality)))
    return seen


def described(vector: Vectors, quality: float) -> DetectedFace:
    return DetectedFace(
        (0.1, 0.1, 0.3, 0.3), LANDMARKS, 0.9, vector.astype(np.float32), 200.0, 0.0, 0.0, 0.0, quality
    )
