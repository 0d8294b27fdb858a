"""Tags, vectors and faces of photos: loaded together, merged by `plan`, written in bulk."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chitra.legacy import cases, plan
from chitra.legacy.boxes import Shape
from chitra.legacy.cases import Ending
from chitra.legacy.models import Kind, LegacySystem, Outcome
from chitra.legacy.outcomes import ended_keys, outcome, save_outcomes
from chitra.legacy.plan import FaceDraft, People, TagDraft
from chitra.legacy.rows import EmbeddingRow, FaceRow, TagRow
from chitra.legacy.source import LegacyDatabase
from faces.models import Face, FaceEmbedding, FaceModelVersion
from photos.models import Tag
from search.models import EncoderVersion, PhotoEmbedding

MIN_DETECTION_SCORE = 0.5  # the old detector kept nothing below, and did not write the score down


@dataclass
class Children:
    """Rows of the child tables of one photo that have not ended yet."""

    tags: list[TagRow] = field(default_factory=list)
    embeddings: list[EmbeddingRow] = field(default_factory=list)
    faces: list[FaceRow] = field(default_factory=list)
    derived: list[tuple[Kind, int]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.tags or self.embeddings or self.faces or self.derived)

    def rows(self) -> Iterable[tuple[Kind, int]]:
        yield from ((Kind.TAGS, row.id) for row in self.tags)
        yield from ((Kind.EMBEDDINGS, row.id) for row in self.embeddings)
        yield from ((Kind.FACES, row.id) for row in self.faces)
        yield from self.derived


@dataclass(frozen=True)
class Arrival:
    """The children of one old photo go to this photo; `shape` turns their boxes."""

    photo_id: int
    children: Children
    shape: Shape | None


def open_children(
    database: LegacyDatabase, system: LegacySystem, photo_ids: Sequence[int]
) -> dict[int, Children]:
    """What is still to be done, by old photo id."""
    found: defaultdict[int, Children] = defaultdict(Children)
    tags, embeddings, faces = (
        database.tags(photo_ids),
        database.embeddings(photo_ids),
        database.faces(photo_ids),
    )
    done = {
        kind: ended_keys(system, kind, (row.id for row in rows))
        for kind, rows in ((Kind.TAGS, tags), (Kind.EMBEDDINGS, embeddings), (Kind.FACES, faces))
    }
    for tag in tags:
        if str(tag.id) not in done[Kind.TAGS]:
            found[tag.photo_id].tags.append(tag)
    for embedding in embeddings:
        if str(embedding.id) not in done[Kind.EMBEDDINGS]:
            found[embedding.photo_id].embeddings.append(embedding)
    for face in faces:
        if str(face.id) not in done[Kind.FACES]:
            found[face.photo_id].faces.append(face)
    for table, pairs in database.derived(photo_ids).items():
        kind = Kind(table)
        ended = ended_keys(system, kind, (row_id for row_id, _ in pairs))
        for row_id, photo_id in pairs:
            if str(row_id) not in ended:
                found[photo_id].derived.append((kind, row_id))
    return found


def fail_children(system: LegacySystem, children: Children) -> list[Outcome]:
    """Outcomes when the photo itself failed; they are tried again together with it."""
    endings = {True: cases.left_out("derived"), False: cases.failed("photo_failed")}
    return [
        outcome(system, kind, key, endings[(kind, key) in children.derived]) for kind, key in children.rows()
    ]


class ChildWriter:
    """Writes the children of a batch of photos within the caller's transaction."""

    def __init__(self, system: LegacySystem, people: People) -> None:
        self.system = system
        self.people = people
        self.encoders: dict[str, EncoderVersion] = {}
        self.face_model, _ = FaceModelVersion.objects.get_or_create(
            version=plan.FACE_VERSION, defaults={"dimensions": plan.FACE_DIMENSIONS}
        )

    def write(self, arrivals: Sequence[Arrival]) -> None:
        """Merge and write; every row gets its outcome."""
        photo_ids = {arrival.photo_id for arrival in arrivals}
        outcomes = [
            *self.write_tags(arrivals, photo_ids),
            *self.write_embeddings(arrivals, photo_ids),
            *self.write_faces(arrivals, photo_ids),
        ]
        for arrival in arrivals:
            for kind, key in arrival.children.derived:
                outcomes.append(self.outcome(kind, key, cases.left_out("derived"), None))
        save_outcomes(outcomes)

    def outcome(self, kind: Kind, key: int, ending: Ending, target_id: int | None) -> Outcome:
        return outcome(self.system, kind, key, ending, target_id)

    # ------------------------------------------------------------ tags

    def write_tags(self, arrivals: Sequence[Arrival], photo_ids: set[int]) -> list[Outcome]:
        known: defaultdict[int, dict[str, TagDraft]] = defaultdict(dict)
        for tag in Tag.objects.filter(photo__in=photo_ids):
            draft = TagDraft(tag.score, tag.source == Tag.Source.MACHINE, is_new=False)
            known[tag.photo_id][tag.name] = draft
        planned = [(a.photo_id, plan.plan_tags(a.children.tags, known[a.photo_id])) for a in arrivals]
        save_tags(known)
        rows = Tag.objects.filter(photo__in=photo_ids).values_list("photo_id", "name", "pk")
        ids = {(photo_id, name): pk for photo_id, name, pk in rows}
        return [
            self.outcome(Kind.TAGS, row.id, ending, ids.get((photo_id, name)))
            for photo_id, items in planned
            for row, name, ending in items
        ]

    # ------------------------------------------------------------ vectors

    def encoder(self, version: str, dimensions: int) -> EncoderVersion:
        """Without an index: these vectors are kept, and searched only when somebody chooses the old model."""
        if version not in self.encoders:
            self.encoders[version], _ = EncoderVersion.objects.get_or_create(
                version=version, defaults={"dimensions": dimensions}
            )
        return self.encoders[version]

    def write_embeddings(self, arrivals: Sequence[Arrival], photo_ids: set[int]) -> list[Outcome]:
        rows = PhotoEmbedding.objects.filter(photo__in=photo_ids).values_list(
            "photo_id", "encoder__version", "pk"
        )
        ids = {(photo_id, version): pk for photo_id, version, pk in rows}
        known: defaultdict[int, set[str]] = defaultdict(set)
        for photo_id, version in ids:
            known[photo_id].add(version)
        dimensions = dict(EncoderVersion.objects.values_list("version", "dimensions"))
        fresh: dict[tuple[int, str], PhotoEmbedding] = {}
        planned: list[tuple[tuple[int, str], EmbeddingRow, Ending]] = []
        for arrival in arrivals:
            for row, vector, ending in plan.plan_embeddings(
                arrival.children.embeddings, known[arrival.photo_id], dimensions
            ):
                key = arrival.photo_id, plan.encoder_version(row)
                planned.append((key, row, ending))
                if vector is not None:
                    known[arrival.photo_id].add(key[1])
                    encoder = self.encoder(key[1], len(vector))
                    fresh[key] = PhotoEmbedding(photo_id=key[0], encoder=encoder, vector=vector)
        PhotoEmbedding.objects.bulk_create(fresh.values())
        ids |= {key: made.pk for key, made in fresh.items()}
        return [
            self.outcome(
                Kind.EMBEDDINGS, row.id, ending, None if ending.code == "bad_vector" else ids.get(key)
            )
            for key, row, ending in planned
        ]

    # ------------------------------------------------------------ faces

    def write_faces(self, arrivals: Sequence[Arrival], photo_ids: set[int]) -> list[Outcome]:
        known: defaultdict[int, list[FaceDraft]] = defaultdict(list)
        for face in Face.objects.filter(photo__in=photo_ids).order_by("pk"):
            by_person = face.assigned_by == Face.AssignedBy.PERSON
            known[face.photo_id].append(FaceDraft(face.box, face.person_id, by_person, pk=face.pk))
        planned = [
            (row, draft, ending)
            for a in arrivals
            for row, draft, ending in plan.plan_faces(
                a.children.faces, a.shape, self.people, known[a.photo_id]
            )
        ]
        self.save_faces(known)
        outcomes = []
        for row, draft, ending in planned:
            if ending == cases.IMPORTED and draft is not None and draft.pk != row.id:
                ending = cases.imported("new_id")
            outcomes.append(self.outcome(Kind.FACES, row.id, ending, draft.pk if draft else None))
        return outcomes

    def save_faces(self, known: Mapping[int, Sequence[FaceDraft]]) -> None:
        """Write new drafts, with their old ids where these are free, and the persons lent to known ones."""
        drafts = [(photo_id, draft) for photo_id, faces in known.items() for draft in faces]
        new = [
            (photo_id, draft, draft.source) for photo_id, draft in drafts if draft.source and draft.pk is None
        ]
        taken = set(Face.objects.filter(pk__in=[row.id for _, _, row in new]).values_list("pk", flat=True))
        faces = [
            make_face(photo_id, draft, None if row.id in taken else row.id) for photo_id, draft, row in new
        ]
        Face.objects.bulk_create(faces)
        vectors = []
        for (_, draft, _), face in zip(new, faces, strict=True):
            draft.pk = face.pk
            if draft.vector is not None:
                vectors.append(FaceEmbedding(face=face, model=self.face_model, vector=draft.vector))
        FaceEmbedding.objects.bulk_create(vectors)
        made = {face.pk for face in faces}
        for _, draft in drafts:
            if draft.is_changed and draft.pk is not None and draft.pk not in made:
                Face.objects.filter(pk=draft.pk).update(
                    person_id=draft.person_id, assigned_by=assigned_by(draft)
                )


def save_tags(known: Mapping[int, Mapping[str, TagDraft]]) -> None:
    """Insert new drafts and raise the scores of changed ones."""
    drafts = [(photo_id, name, draft) for photo_id, tags in known.items() for name, draft in tags.items()]
    Tag.objects.bulk_create(
        [
            Tag(
                photo_id=photo_id,
                name=name,
                score=draft.score,
                source=Tag.Source.MACHINE if draft.by_machine else Tag.Source.PERSON,
            )
            for photo_id, name, draft in drafts
            if draft.is_new
        ]
    )
    for photo_id, name, draft in drafts:
        if draft.is_changed and not draft.is_new:
            Tag.objects.filter(photo=photo_id, name=name).update(score=draft.score)


def make_face(photo_id: int, draft: FaceDraft, pk: int | None) -> Face:
    x1, y1, x2, y2 = draft.box
    return Face(
        pk=pk,
        photo_id=photo_id,
        person_id=draft.person_id,
        assigned_by=assigned_by(draft),
        x1=x1,
        y1=y1,
        x2=x2,
        y2=y2,
        detection_score=MIN_DETECTION_SCORE,
    )


def assigned_by(draft: FaceDraft) -> Any:
    if draft.person_id is None:
        return Face.AssignedBy.NOBODY
    return Face.AssignedBy.PERSON if draft.by_person else Face.AssignedBy.MACHINE
