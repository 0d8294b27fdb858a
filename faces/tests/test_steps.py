"""The steps, with a model that finds the faces it is told."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.utils import timezone
from PIL import Image

from faces import curation, grouping, people, reclustering, region_import, services, steps
from faces.detection import DetectedFace
from faces.models import Face, FaceEmbedding, FaceModelVersion, JournalEntry, Person
from faces.regions import Region, parse, write
from faces.tests.albums import THRESHOLD, unit
from faces.undo import undo
from jobs import ledger
from jobs.models import Job, StepStatus
from jobs.steps import StepResult
from photos.models import Library, Photo, PhotoStep
from photos.steps import make_renditions
from photos.tests.films import film
from photos.tests.pictures import picture, png

pytestmark = pytest.mark.django_db
Box = tuple[float, float, float, float]
LEFT: Box = (0.1, 0.1, 0.3, 0.4)
RIGHT: Box = (0.6, 0.1, 0.8, 0.4)


class ToldModel:
    """A FaceModel that sees the same people in the same boxes on every picture."""

    dimensions = 64

    def __init__(self, version: str, seen: dict[str, Box]) -> None:
        self.version = version
        self.seen = seen
        self.random = np.random.default_rng(len(version))
        self.centres: dict[str, Any] = {}

    def detect(self, rgb: Any, *, min_score: float = 0.5) -> list[DetectedFace]:
        return [self.face(name, box) for name, box in self.seen.items()]

    def describe(
        self, rgb: Any, box: Box, landmarks: Sequence[Sequence[float]] = (), *, score: float = 0.5
    ) -> DetectedFace:
        return self.face("somebody described", box)

    def face(self, name: str, box: Box) -> DetectedFace:
        centre = self.centres.setdefault(name, unit(self.random.normal(size=self.dimensions)))
        vector = unit(centre + 0.4 * unit(self.random.normal(size=self.dimensions)))
        return DetectedFace(box, ((0.2, 0.2),) * 5, 0.9, vector, 200.0, 0.0, 0.0, 0.0, 0.9)


def version_of(model: ToldModel) -> FaceModelVersion:
    version: FaceModelVersion = FaceModelVersion.objects.get_or_create(
        version=model.version, defaults={"dimensions": model.dimensions}
    )[0]
    return version


AddPhoto = Callable[..., Photo]


@pytest.fixture
def add(add_photo: AddPhoto) -> AddPhoto:
    """A photo with renditions."""

    def make(**options: Any) -> Photo:
        photo = add_photo(**options)
        make_renditions([photo.pk])
        photo.refresh_from_db()
        return photo

    return make


def look(photo: Photo, model: ToldModel) -> list[Face]:
    """What the step does with one photo."""
    services.keep_faces(photo, services.look_at(photo, model), model, version_of(model))
    grouping.place_new_faces(photo.library_id, [photo.pk], version_of(model), threshold=THRESHOLD)
    return list(Face.objects.filter(photo=photo).order_by("pk"))


def test_a_face_that_is_none_does_not_come_back(add: AddPhoto) -> None:
    model = ToldModel("fake:1", {"a": LEFT, "b": RIGHT})
    photo = add()
    first, second = look(photo, model)
    curation.dismiss_faces(faces=[first], actor=None)
    model.seen["a"] = (0.13, 0.1, 0.33, 0.4)
    assert look(photo, model) == [first, second]
    first.refresh_from_db()
    assert (first.is_dismissed, first.x1) == (True, LEFT[0])


def test_a_face_that_only_the_detector_found_goes_with_it(add: AddPhoto) -> None:
    model = ToldModel("fake:1", {"a": LEFT, "b": RIGHT})
    photo = add()
    [first, second] = look(photo, model)
    curation.assign_face(
        face=second, person=people.create_person(library=photo.library, name="Bela", actor=None), actor=None
    )
    model.seen = {}
    assert look(photo, model) == [second]
    assert first.pk


def test_a_drawn_face_is_described_where_it_was_drawn(add: AddPhoto) -> None:
    model = ToldModel("fake:1", {})
    photo = add()
    drawn = curation.draw_face(photo=photo, box=LEFT, person=None, actor=None)
    [face] = look(photo, model)
    assert (face, face.box) == (drawn, LEFT)
    assert face.crop_key
    assert face.embeddings.count() == 1
    model.seen = {"a": (0.12, 0.1, 0.3, 0.4)}
    [face] = look(photo, model)
    assert (face, face.box) == (drawn, LEFT)


def test_a_face_that_came_with_its_vector_gets_a_crop(add: AddPhoto) -> None:
    model = ToldModel("fake:1", {})
    photo = add()
    person = people.create_person(library=photo.library, name="alice", actor=None)
    face = Face.objects.create(
        photo=photo, person=person, x1=0.1, y1=0.1, x2=0.3, y2=0.4, detection_score=0.5
    )
    vector = unit(np.ones(model.dimensions))
    FaceEmbedding.objects.create(face=face, model=version_of(model), vector=vector)
    look(photo, model)
    face.refresh_from_db()
    assert (face.person, face.embeddings.count()) == (person, 1)
    assert face.crop_key


def test_a_moved_face_gets_a_new_vector_and_crop(add: AddPhoto) -> None:
    model = ToldModel("fake:1", {"a": LEFT})
    photo = add()
    [face] = look(photo, model)
    old = face.crop_key
    curation.move_face(face=face, box=RIGHT, actor=None)
    assert face.embeddings.count() == 0
    model.seen = {}
    [face] = look(photo, model)
    assert face.box == RIGHT
    assert face.crop_key not in {"", old}
    undo(JournalEntry.objects.newest_first()[0], actor=None)
    face.refresh_from_db()
    assert (face.box, face.embeddings.count()) == (LEFT, 0)


def test_a_photo_with_300_faces_keeps_them_all_apart(add: AddPhoto) -> None:
    boxes = {str(n): (n % 20 / 20, n // 20 / 15, n % 20 / 20 + 0.04, n // 20 / 15 + 0.05) for n in range(300)}
    model = ToldModel("fake:1", boxes)
    model.centres = dict.fromkeys(boxes, unit(model.random.normal(size=model.dimensions)))
    for seed in range(2):
        assert len(look(add(seed=seed), model)) == 300
    for person in Person.objects.all():
        photos = list(Face.objects.filter(person=person).values_list("photo_id", flat=True))
        assert len(photos) == len(set(photos))


def people_and_faces() -> list[Any]:
    return [*Person.objects.order_by("pk").values(), *Face.objects.order_by("pk").values("pk", "person")]


def test_names_survive_a_change_of_the_model(add: AddPhoto) -> None:
    """Every photo is looked at again by another model; rows, people and all that was said about them stay."""
    old = ToldModel("fake:1", {"a": LEFT, "b": RIGHT})
    photos = [add(seed=seed) for seed in range(4)]
    for photo in photos:
        look(photo, old)
    for number, person in enumerate(Person.objects.order_by("pk")):
        people.rename_person(person=person, name=f"Name {number}", actor=None)
    named = Person.objects.get(name="Name 1")
    people.hide_person(person=named, is_hidden=True, actor=None)
    people.set_birth_date(person=named, birth_date=date(1990, 2, 3), actor=None)
    people.set_cover(person=named, face=Face.objects.filter(person=named).order_by("pk")[2], actor=None)
    before = people_and_faces()
    newer = ToldModel("fake:2", {"a": (0.11, 0.1, 0.31, 0.41)})  # and it does not see b any more
    for photo in photos:
        look(photo, newer)
    version = version_of(newer)
    plan = reclustering.plan_recluster(photos[0].library_id, version, THRESHOLD)
    job = Job.objects.create(kind=reclustering.KIND, library_id=photos[0].library_id, result=plan)
    reclustering.apply_recluster(job, actor=None)
    assert people_and_faces() == before
    assert FaceEmbedding.objects.filter(model=version).count() == 8
    assert FaceEmbedding.objects.exclude(model=version).count() == 8


def test_another_pack_sends_every_photo_through_the_step_again(
    add: AddPhoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = add()
    row = PhotoStep.objects.get(photo=photo, step="faces")
    PhotoStep.objects.filter(pk=row.pk).update(
        status="done", version=steps.faces_version(), ready_at=timezone.now()
    )
    PhotoStep.objects.filter(photo=photo, step="renditions").update(status="done")
    assert ledger.make_stale_pending(steps.FACES) == 0
    other = replace(services.pack_choice(), source="model_dir", version="insightface:other:1")
    monkeypatch.setattr(services, "_choose", lambda may_download: other)
    assert ledger.make_stale_pending(steps.FACES) == 1
    row.refresh_from_db()
    assert row.status == "pending"


@pytest.fixture
def broken_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The pack in use, with a recogniser that is no ONNX file."""
    choice = services.pack_choice()
    broken = tmp_path / "w600k.onnx"
    broken.write_bytes(b"half a download")
    monkeypatch.setattr(services, "_choose", lambda may_download: replace(choice, recognizer=broken))
    return broken


def test_a_corrupt_model_file_fails_the_step_with_its_name(add: AddPhoto, broken_pack: Path) -> None:
    if services.pack_choice().detector is None:
        pytest.skip("there are no face weights on this machine")
    photo = add()
    result = steps.find_faces([photo.pk])[photo.pk]
    assert result.status == StepStatus.FAILED
    assert str(broken_pack) in result.reason
    assert "fetch it again" in result.reason


def test_without_weights_photos_are_skipped_until_there_are_some(
    add: AddPhoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = services.pack_choice()
    away = replace(choice, source="unavailable", detector=None, recognizer=None, reason="Fetch the weights.")
    monkeypatch.setattr(services, "_choose", lambda may_download: away)
    photo = add()
    assert steps.find_faces([photo.pk])[photo.pk].reason == "Fetch the weights."
    assert steps.faces_version() != choice.version


@pytest.mark.parametrize("size", [(1, 60_000), (60_000, 1)])
def test_a_picture_one_pixel_wide_is_done_and_has_no_faces(
    add: AddPhoto, settings: Any, size: tuple[int, int]
) -> None:
    settings.FACE_PACK = "buffalo_sc"
    photo = add(data=png(*size), name="line.png")
    assert (photo.width, photo.height) == size
    assert photo.thumbhash
    assert steps.find_faces([photo.pk]) == {photo.pk: StepResult.done()}
    assert not Face.objects.exists()


def jpeg_with_xmp(packet: bytes) -> bytes:
    import io

    file = io.BytesIO()
    image: Image.Image = picture(64, 48)
    image.save(file, "JPEG", xmp=packet)
    return file.getvalue()


def test_names_in_the_file_are_put_on_the_faces(add: AddPhoto) -> None:
    packet = write([Region("Asha", (0.12, 0.1, 0.3, 0.4)), Region("Bela", RIGHT)], width=64, height=48)
    photo = add(data=jpeg_with_xmp(packet))
    [found] = look(photo, ToldModel("fake:1", {"a": LEFT}))
    PhotoStep.objects.filter(photo=photo).update(status="done")
    assert steps.take_names([photo.pk])[photo.pk].status == StepStatus.DONE
    found.refresh_from_db()
    assert found.person
    assert found.person.name == "Asha"
    drawn = Face.objects.get(person__name="Bela")
    assert (drawn.is_drawn, drawn.box) == (True, RIGHT)
    assert PhotoStep.objects.get(photo=photo, step="faces").status == "pending"
    steps.take_names([photo.pk])
    assert Face.objects.count() == 2
    entry = JournalEntry.objects.get(verb="import")
    undo(entry, actor=None)
    assert not Person.objects.exists()


def test_a_video_has_no_names_to_take(add: AddPhoto) -> None:
    video = add(data=film())
    assert steps.take_names([video.pk])[video.pk].status == StepStatus.SKIPPED


def test_what_people_said_is_stronger_than_a_file(add: AddPhoto) -> None:
    photo = add()
    [face] = look(photo, ToldModel("fake:1", {"a": LEFT}))
    curation.unassign_faces(faces=[face], actor=None)
    assert region_import.apply_regions(photo, [Region("Asha", LEFT)]) is None
    assert not Person.objects.exists()


def test_names_are_exported_as_they_are_imported(add: AddPhoto, library: Library) -> None:
    photo = add()
    assert region_import.export_regions(photo) == b""
    region_import.apply_regions(photo, [Region("Asha", LEFT)])
    assert parse(region_import.export_regions(photo)).regions == (Region("Asha", LEFT),)
