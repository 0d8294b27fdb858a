"""Grouping a library anew: first a plan, then exactly that."""

from datetime import date
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.db.utils import DatabaseError

from faces import curation, people, reclustering
from faces.clustering import Group
from faces.errors import PeopleError
from faces.models import Face, FaceEmbedding, JournalEntry, Person
from faces.reclustering import Move, plan_moves
from faces.tests.albums import THRESHOLD, Album, unit
from faces.undo import undo
from jobs.models import Job

pytestmark = pytest.mark.django_db


def plan(album: Album, threshold: float = THRESHOLD) -> Job:
    """A finished job with its plan, read back as JSON."""
    result = reclustering.plan_recluster(album.library.pk, album.version, threshold)
    job: Job = Job.objects.create(kind=reclustering.KIND, library_id=album.library.pk, result=result)
    job.refresh_from_db()
    return job


def plan_of(job: Job) -> Any:
    return job.result


def names() -> list[str]:
    return sorted(Person.objects.exclude(name="").values_list("name", flat=True))


def test_people_keep_the_group_that_most_of_their_faces_went_to() -> None:
    groups = [Group(None, (1, 2, 3, 4)), Group(None, (5, 6))]
    current: dict[int, int | None] = {1: 10, 2: 10, 3: 20, 4: 20, 5: 10, 6: None}
    assert plan_moves(groups, current, curated=set()) == [
        Move((3, 4), 20, 10),
        Move((5,), 10, None, 0),
        Move((6,), None, None, 0),
    ]


def test_a_named_person_chooses_before_an_unnamed_group() -> None:
    groups = [Group(None, (1, 2, 3))]
    current: dict[int, int | None] = {1: 10, 2: 10, 3: 20}
    assert plan_moves(groups, current, curated={20}) == [Move((1, 2), 10, 20)]


def test_faces_in_no_group_become_nobodys_again() -> None:
    assert plan_moves([], {1: 10, 2: None}, curated=set()) == [Move((1,), 10, None)]


def test_a_plan_changes_nothing(album: Album) -> None:
    album.person("Asha")
    before = list(Face.objects.order_by("pk").values())
    plan(album, threshold=0.9)
    assert list(Face.objects.order_by("pk").values()) == before


def test_a_plan_that_fits_has_nothing_to_do(album: Album) -> None:
    album.person("Asha")
    album.person("Bela")
    job = plan(album)
    assert plan_of(job)["moves"] == []
    assert plan_of(job)["summary"]["text"] == "Nothing would change"
    assert reclustering.apply_recluster(job, actor=None) is None


def test_what_a_machine_put_wrongly_is_put_right_and_can_be_undone(album: Album) -> None:
    asha, bela = album.person("Asha", 4), album.person("Bela", 4)
    wrong = list(Face.objects.filter(person=bela).order_by("pk")[:1])
    Face.objects.filter(pk=wrong[0].pk).update(person=asha)
    job = plan(album)
    assert plan_of(job)["summary"]["text"] == "1 person would split, 1 face would join Bela"
    entry = reclustering.apply_recluster(job, actor=None)
    assert entry
    assert album.people() == {asha.pk: album.people()[asha.pk], bela.pk: album.people()[bela.pk]}
    assert wrong[0].pk in album.people()[bela.pk]
    undo(entry, actor=None)
    assert wrong[0].pk in album.people()[asha.pk]


def test_what_people_assigned_is_never_moved(album: Album) -> None:
    asha, bela = album.person("Asha", 4), album.person("Bela", 4)
    face = Face.objects.filter(person=bela).order_by("pk")[0]
    curation.assign_faces(faces=[face], person=asha, actor=None)
    assert plan_of(plan(album))["moves"] == []


def test_a_plan_is_not_applied_to_a_library_that_changed(album: Album) -> None:
    asha, bela = album.person("Asha", 4), album.person("Bela", 4)
    Face.objects.filter(pk__in=Face.objects.filter(person=bela)[:1].values("pk")).update(person=asha)
    job = plan(album)
    people.rename_person(person=asha, name="Aisha", actor=None)
    with pytest.raises(PeopleError) as caught:
        reclustering.apply_recluster(job, actor=None)
    assert caught.value.code == "plan_outdated"


def test_a_stricter_threshold_splits_unnamed_groups_but_loses_no_name(album: Album) -> None:
    asha = album.person("Asha", 6)
    job = plan(album, threshold=0.95)
    reclustering.apply_recluster(job, actor=None)
    assert names() == ["Asha"]
    assert Person.objects.get() == asha


def test_a_failure_in_the_middle_leaves_everything_as_it_was(album: Album) -> None:
    asha, bela = album.person("Asha", 4), album.person("Bela", 4)
    Face.objects.filter(pk__in=Face.objects.filter(person=bela)[:1].values("pk")).update(person=asha)
    job = plan(album)
    before = album.people()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION pg_temp.fail() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN RAISE EXCEPTION 'the disk is full'; END$$"
        )
        cursor.execute(
            "CREATE TRIGGER fail BEFORE INSERT ON faces_journalentry "
            "FOR EACH ROW EXECUTE FUNCTION pg_temp.fail()"
        )
    with pytest.raises(DatabaseError, match="disk is full"):
        reclustering.apply_recluster(job, actor=None)
    assert album.people() == before


def test_told_apart_people_stay_apart(album: Album) -> None:
    """Two groups so near that they would be one, had nobody said otherwise."""
    asha = album.person("Asha", 4)
    bela = people.create_person(library=album.library, name="Bela", actor=None)
    moved = list(Face.objects.filter(person=asha).order_by("pk")[:2])
    people.split_person(person=asha, faces=moved, into=bela, actor=None)
    Face.objects.update(assigned_by="machine")
    reclustering.apply_recluster(plan(album), actor=None)
    assert sorted(len(faces) for faces in album.people().values()) == [2, 2]
    album.add_photo("Asha")
    assert len(album.people()) == 2


def test_a_face_that_was_rejected_never_comes_back(album: Album) -> None:
    asha = album.person("Asha", 4)
    face = Face.objects.filter(person=asha).order_by("pk")[0]
    curation.reject_faces(faces=[face], actor=None)
    album.add_photo("Asha")
    reclustering.apply_recluster(plan(album), actor=None)
    face.refresh_from_db()
    assert face.person != asha


def test_nobody_is_on_a_photo_from_before_the_birth(album: Album) -> None:
    asha = album.person("Asha", 4)
    people.set_birth_date(person=asha, birth_date=date(2020, 1, 1), actor=None)
    from datetime import UTC, datetime

    [early] = album.add_photo("Asha", taken_at=datetime(2019, 12, 31, 23, 59, tzinfo=UTC))
    [late] = album.add_photo("Asha", taken_at=datetime(2020, 1, 1, tzinfo=UTC))
    early.refresh_from_db()
    late.refresh_from_db()
    assert (early.person, late.person) == (None, asha)


def embed_anew(version: Any, album: Album) -> None:
    """Every face gets a vector of another model: the same identities in another space."""
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(album.version.dimensions,) * 2))[0]
    for row in FaceEmbedding.objects.filter(model=album.version):
        vector = unit(np.asarray(row.vector, dtype=np.float32) @ turn)
        FaceEmbedding.objects.create(face=row.face, model=version, vector=vector)


def test_names_survive_everything(album: Album) -> None:
    """Cluster → name → merge → split → undo all → recluster → change model → names equal."""
    asha, bela, carl = (album.person(name, 4) for name in ("Asha", "Bela", "Carl"))
    people.set_birth_date(person=bela, birth_date=date(1990, 1, 1), actor=None)
    people.hide_person(person=carl, is_hidden=True, actor=None)
    people.set_cover(person=asha, face=Face.objects.filter(person=asha).order_by("pk")[1], actor=None)
    before = list(Person.objects.order_by("pk").values()), album.people()
    start = JournalEntry.objects.newest_first()[0].pk
    people.merge_people(keep=asha, drop=bela, actor=None)
    people.split_person(
        person=asha, faces=Face.objects.filter(person=asha).order_by("pk")[:2], name="Dora", actor=None
    )
    people.delete_person(person=carl, actor=None)
    for entry in list(JournalEntry.objects.filter(pk__gt=start).order_by("-pk")):
        undo(entry, actor=None)
    assert (list(Person.objects.order_by("pk").values()), album.people()) == before
    reclustering.apply_recluster(plan(album), actor=None)
    assert (list(Person.objects.order_by("pk").values()), album.people()) == before

    from faces.models import FaceModelVersion

    newer = FaceModelVersion.objects.create(version="fake:2", dimensions=album.version.dimensions)
    embed_anew(newer, album)
    album.version = newer
    reclustering.apply_recluster(plan(album), actor=None)
    assert (list(Person.objects.order_by("pk").values()), album.people()) == before
