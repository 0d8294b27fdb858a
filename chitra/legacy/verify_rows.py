"""Tags, vectors and faces: what the outcomes say is here, is here, with the values of the source."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from chitra.legacy import plan
from chitra.legacy.models import Kind, LegacySystem, Outcome, Status
from chitra.legacy.rows import EmbeddingRow, FaceRow, TagRow
from chitra.legacy.source import LegacyDatabase
from faces.models import Face, FaceEmbedding
from jobs.models import StepStatus
from photos.models import PhotoStep, Tag
from search.models import PhotoEmbedding

Add = Callable[[str, Any, Outcome | None, str], None]


class RowChecker:
    """Checks the child rows of a batch of old photos, telling `add` of each."""

    def __init__(self, system: LegacySystem, database: LegacyDatabase, add: Add) -> None:
        self.system = system
        self.database = database
        self.add = add

    def check(self, ids: Sequence[int], photo_outcomes: Mapping[str, Outcome]) -> None:
        """`photo_outcomes` by old id."""
        targets = {int(key): found.target_id for key, found in photo_outcomes.items() if found.target_id}
        self.check_tags(self.database.tags(ids), targets)
        self.check_embeddings(self.database.embeddings(ids), targets)
        self.check_faces(self.database.faces(ids), targets)
        for table, pairs in self.database.derived(ids).items():
            outcomes = self.outcomes(Kind(table), [row_id for row_id, _ in pairs])
            for row_id, _ in pairs:
                self.add(table, row_id, outcomes.get(str(row_id)), "")

    def outcomes(self, kind: Kind, keys: Iterable[int]) -> dict[str, Outcome]:
        return {row.source_key: row for row in Outcome.objects.filter(system=self.system).of(kind, keys)}

    def check_tags(self, rows: Sequence[TagRow], targets: Mapping[int, int]) -> None:
        outcomes = self.outcomes(Kind.TAGS, [row.id for row in rows])
        found = Tag.objects.filter(photo__in=targets.values()).values_list("photo_id", "name", "score")
        scores = {(photo_id, name): score for photo_id, name, score in found}
        for row in rows:
            outcome = outcomes.get(str(row.id))
            difference = ""
            if is_here(outcome):
                score = scores.get((targets.get(row.photo_id, 0), row.tag[: plan.MAX_TAG_CHARACTERS]))
                if score is None:
                    difference = f"the tag {row.tag} is gone here."
                elif score < row.score:
                    difference = f"the score is {score} here, {row.score} there."
            self.add("tags", row.id, outcome, difference)

    def check_embeddings(self, rows: Sequence[EmbeddingRow], targets: Mapping[int, int]) -> None:
        outcomes = self.outcomes(Kind.EMBEDDINGS, [row.id for row in rows])
        vectors = vectors_of(PhotoEmbedding, outcomes)
        for row in rows:
            outcome = outcomes.get(str(row.id))
            difference = ""
            if outcome is not None and is_here(outcome):
                vector = vectors.get(outcome.target_id or 0)
                if vector is None:
                    difference = "the vector is gone here."
                elif outcome.status == Status.IMPORTED and not same_vector(
                    vector, plan.read_vector(row.vector, row.dim)
                ):
                    difference = "the vector is another one here."
            self.add("embeddings", row.id, outcome, difference)

    def check_faces(self, rows: Sequence[FaceRow], targets: Mapping[int, int]) -> None:
        outcomes = self.outcomes(Kind.FACES, [row.id for row in rows])
        faces = Face.objects.in_bulk([found.target_id for found in outcomes.values() if found.target_id])
        rows_of_vectors = FaceEmbedding.objects.filter(face__in=faces, model__version=plan.FACE_VERSION)
        vectors = dict(rows_of_vectors.values_list("face_id", "vector"))
        done = PhotoStep.objects.filter(photo__in=targets.values(), step="faces", status=StepStatus.DONE)
        detected_anew = set(done.values_list("photo_id", flat=True))
        for row in rows:
            outcome = outcomes.get(str(row.id))
            difference = ""
            if outcome is not None and is_here(outcome):
                face = faces.get(outcome.target_id or 0)
                if face is None:
                    # The new detection drops faces it does not find, unless a person put them to somebody.
                    difference = (
                        "" if targets.get(row.photo_id) in detected_anew else "the face is gone here."
                    )
                elif face.photo_id != targets.get(row.photo_id):
                    difference = "the face is on another photo here."
                elif outcome.status == Status.IMPORTED and outcome.code != "no_vector":
                    wanted = plan.read_vector(row.embedding, plan.FACE_DIMENSIONS)
                    if wanted is not None and not same_vector(vectors.get(face.pk), wanted):
                        difference = "the face's vector is another one here."
            self.add("faces", row.id, outcome, difference)


def is_here(outcome: Outcome | None) -> bool:
    return outcome is not None and outcome.status in (Status.IMPORTED, Status.DUPLICATE)


def vectors_of(model: Any, outcomes: Mapping[str, Outcome]) -> dict[int, Any]:
    targets = [found.target_id for found in outcomes.values() if found.target_id]
    return dict(model.objects.filter(pk__in=targets).values_list("pk", "vector"))


def same_vector(kept: Any, wanted: Any) -> bool:
    """Equal in the half precision in which vectors are kept."""
    if kept is None or wanted is None:
        return False
    array = np.asarray(kept.to_list() if hasattr(kept, "to_list") else kept, dtype=np.float16)
    return bool(np.array_equal(array, np.asarray(wanted, dtype=np.float16)))
