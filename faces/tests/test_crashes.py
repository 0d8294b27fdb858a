"""Workers that die or meet in the middle: rows stay consistent and nothing is lost."""

import threading
from collections.abc import Callable

import pytest
from django.db import OperationalError, connection, transaction

from faces import curation, grouping, people, reclustering
from faces.errors import PeopleError
from faces.journal import lock_people
from faces.models import Face, JournalEntry, Person
from faces.tests.albums import THRESHOLD, Album
from jobs.models import Job

pytestmark = pytest.mark.django_db(transaction=True)


def in_thread(work: Callable[[], object], outcomes: list[str]) -> threading.Thread:
    """Run on a database connection of its own and note how it ended."""

    def run() -> None:
        try:
            work()
            outcomes.append("done")
        except PeopleError as error:
            outcomes.append(error.code)
        except OperationalError:
            outcomes.append("killed")
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def wait_until_somebody_waits_for_a_lock(then: str = "pid") -> None:
    with connection.cursor() as cursor:
        for _ in range(500):
            cursor.execute(
                f"SELECT {then} FROM pg_stat_activity "
                "WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0"
            )
            if cursor.rowcount:
                return
            cursor.execute("SELECT pg_sleep(0.02), pg_stat_clear_snapshot()")
    raise AssertionError("nobody waited")


def kill_whoever_waits_for_a_lock() -> None:
    """End the session that is blocked, as a crash of its process would."""
    wait_until_somebody_waits_for_a_lock(then="pg_terminate_backend(pid)")


def test_a_merge_killed_in_the_middle_has_not_happened() -> None:
    album = Album()
    asha, bela = album.person("Asha"), album.person("Bela")
    before = album.people()
    outcomes: list[str] = []
    with transaction.atomic():
        last = Face.objects.select_for_update().filter(person=bela).order_by("-pk").first()
        assert last
        thread = in_thread(lambda: people.merge_people(keep=asha, drop=bela, actor=None), outcomes)
        kill_whoever_waits_for_a_lock()
        thread.join()
    assert outcomes == ["killed"]
    assert album.people() == before
    assert not JournalEntry.objects.filter(verb="merge").exists()
    people.merge_people(keep=asha, drop=bela, actor=None)
    assert Face.objects.filter(person=asha).count() == 6


def mixed_up() -> tuple[Album, Job]:
    """A library with a face at the wrong person, and the plan to put it right."""
    album = Album()
    asha, bela = album.person("Asha", 4), album.person("Bela", 4)
    Face.objects.filter(pk__in=Face.objects.filter(person=bela)[:1].values("pk")).update(person=asha)
    plan = reclustering.plan_recluster(album.library.pk, album.version, THRESHOLD)
    return album, Job.objects.create(kind=reclustering.KIND, library_id=album.library.pk, result=plan)


def test_a_grouping_killed_in_the_middle_can_be_applied_later() -> None:
    album, job = mixed_up()
    before = album.people()
    outcomes: list[str] = []
    with transaction.atomic():
        list(Face.objects.select_for_update())
        thread = in_thread(lambda: reclustering.apply_recluster(job, actor=None), outcomes)
        kill_whoever_waits_for_a_lock()
        thread.join()
    assert outcomes == ["killed"]
    assert album.people() == before
    assert reclustering.apply_recluster(job, actor=None)


def test_two_workers_apply_a_plan_once() -> None:
    album, job = mixed_up()
    outcomes: list[str] = []
    threads = [in_thread(lambda: reclustering.apply_recluster(job, actor=None), outcomes) for _ in range(2)]
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "plan_outdated"]
    assert sorted(len(faces) for faces in album.people().values()) == [4, 4]
    assert JournalEntry.objects.filter(verb="recluster").count() == 1
    assert Person.objects.count() == 2


def test_a_face_assigned_while_a_library_is_grouped_stays_where_it_was_put() -> None:
    album = Album()
    asha, bela = album.person("Asha", 4), album.person("Bela", 4)
    face = Face.objects.filter(person=bela).first()
    assert face
    Face.objects.filter(pk=face.pk).update(person=None, assigned_by="")
    job = Job.objects.create(kind="cluster", library_id=album.library.pk)
    outcomes: list[str] = []
    with transaction.atomic():
        lock_people(album.library.pk)
        thread = in_thread(lambda: grouping.regroup_library(job, album.library.pk, THRESHOLD), outcomes)
        wait_until_somebody_waits_for_a_lock()
        curation.assign_face(face=face, person=asha, actor=None)
    thread.join()
    assert outcomes == ["done"]
    face.refresh_from_db()
    assert face.person == asha
