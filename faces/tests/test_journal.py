"""What is done is written down, and can be undone."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.utils import DatabaseError

from faces import curation, people
from faces.models import Face, FaceRejection, JournalEntry, Person, PersonDistinction
from faces.tests.albums import Album
from faces.undo import UndoBlocked, can_undo, standing, undo
from photos.models import Photo

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> Any:
    return get_user_model()._default_manager.create(email="alice@example.org")


def newest() -> JournalEntry:
    entry: JournalEntry = JournalEntry.objects.newest_first().first()  # type: ignore[assignment]
    return entry


def state() -> dict[str, Any]:
    """Everything that people can change."""
    return {
        "people": list(Person.objects.order_by("pk").values()),
        "faces": list(Face.objects.order_by("pk").values()),
        "rejections": list(
            FaceRejection.objects.order_by("face", "person").values("face", "person", "is_sure")
        ),
        "distinctions": list(PersonDistinction.objects.order_by("first", "second").values("first", "second")),
    }


def test_an_entry_says_who_did_what(album: Album, alice: Any) -> None:
    person = album.person("Asha")
    people.rename_person(person=person, name="Aisha", actor=alice)
    entry = newest()
    assert (entry.actor, entry.verb, entry.summary) == (alice, "rename", "Renamed Asha to Aisha")
    assert entry.payload == {
        "people": [{"id": person.pk, "before": {"name": "Asha"}, "after": {"name": "Aisha"}}]
    }


def test_an_entry_says_whose_faces_were_confirmed(album: Album) -> None:
    asha = album.person("Asha")
    curation.confirm_faces(faces=list(Face.objects.filter(person=asha)), actor=None)
    assert JournalEntry.objects.order_by("-pk")[0].summary == "Confirmed 3 faces of Asha"


def test_what_changes_nothing_is_not_written_down(album: Album) -> None:
    person = album.person("Asha")
    count = JournalEntry.objects.count()
    people.rename_person(person=person, name="Asha", actor=None)
    assert JournalEntry.objects.count() == count


def test_an_entry_is_never_changed(album: Album) -> None:
    album.person("Asha")
    with pytest.raises(TypeError, match="only added to"):
        newest().save()


def test_every_deed_can_be_undone_in_turn(album: Album, alice: Any) -> None:
    asha, bela = album.person("Asha"), album.person("Bela")
    first, second, third = Face.objects.filter(person=asha).order_by("pk")
    [lone] = album.add_photo("Carl")
    deeds: list[Callable[[], object]] = [
        lambda: people.hide_person(person=asha, is_hidden=True, actor=alice),
        lambda: people.set_favorite(person=asha, favorite=True, actor=alice),
        lambda: people.set_birth_date(person=bela, birth_date=date(1980, 2, 29), actor=alice),
        lambda: people.set_aliases(person=asha, aliases=["Ash", "Mum"], actor=alice),
        lambda: people.set_cover(person=asha, face=second, actor=alice),
        lambda: curation.confirm_faces(faces=[first, second], actor=alice),
        lambda: curation.reject_faces(faces=[first], actor=alice),
        lambda: curation.assign_faces(faces=[first, lone], person=bela, actor=alice),
        lambda: curation.dismiss_faces(faces=[lone], actor=alice),
        lambda: curation.draw_face(photo=first.photo, box=(0.5, 0.5, 0.7, 0.7), person=bela, actor=alice),
        lambda: people.split_person(person=asha, faces=[third], name="Dora", actor=alice),
        lambda: people.merge_people(keep=bela, drop=asha, actor=alice),
        lambda: people.delete_person(person=bela, actor=alice),
    ]
    states = []
    for deed in deeds:
        states.append(state())
        deed()
    entries = list(JournalEntry.objects.newest_first().filter(actor=alice))
    assert len(entries) == len(deeds)
    for entry in entries:
        before = states.pop()
        undo(entry, actor=alice)
        after = state()
        drawn = {face["id"] for face in after["faces"]} - {face["id"] for face in before["faces"]}
        after["faces"] = [face for face in after["faces"] if face["id"] not in drawn]
        assert after == before, entry
        assert not Face.objects.filter(pk__in=drawn, is_dismissed=False).exists()


def test_an_undo_can_be_undone(album: Album) -> None:
    asha, bela = album.person("Asha"), album.person("Bela")
    people.merge_people(keep=asha, drop=bela, actor=None)
    merged = state()
    first = undo(newest(), actor=None)
    assert Person.objects.filter(name="Bela").exists()
    undo(first, actor=None)
    assert state() == merged
    assert first.undone_by.count() == 1


def test_a_merge_is_undone_after_other_things_happened(album: Album) -> None:
    asha, bela = album.person("Asha"), album.person("Bela")
    people.merge_people(keep=asha, drop=bela, actor=None)
    merge = newest()
    carl = album.person("Carl")
    people.hide_person(person=asha, is_hidden=True, actor=None)
    album.add_photo("Bela")
    undo(merge, actor=None)
    assert sorted(Person.objects.values_list("name", flat=True)) == ["Asha", "Bela", "Carl"]
    assert Face.objects.filter(person=bela.pk).count() == 3
    assert Person.objects.get(pk=asha.pk).is_hidden
    assert carl.pk


def test_undo_says_who_stands_in_the_way(album: Album, alice: Any) -> None:
    asha, bela = album.person("Asha"), album.person("Bela")
    face = Face.objects.filter(person=bela).order_by("pk").first()
    assert face
    people.merge_people(keep=asha, drop=bela, actor=None)
    merge = newest()
    curation.unassign_faces(faces=[face], actor=alice)
    before = state()
    with pytest.raises(UndoBlocked, match=r"Face \d+ was changed later: Took 1 face .*alice@example.org"):
        undo(merge, actor=None)
    assert not can_undo(merge)
    assert state() == before
    undo(newest(), actor=alice)
    assert can_undo(merge)


def test_a_name_that_somebody_else_got_blocks_the_undo(album: Album) -> None:
    asha, bela = album.person("Asha"), album.person("Bela")
    people.delete_person(person=asha, actor=None)
    deletion = newest()
    people.rename_person(person=bela, name="Asha", actor=None)
    with pytest.raises(UndoBlocked, match="Somebody else is called Asha now"):
        undo(deletion, actor=None)


def test_what_was_undone_already_says_only_that(album: Album) -> None:
    people.delete_person(person=album.person("Asha"), actor=None)
    deletion = JournalEntry.objects.order_by("-pk")[0]
    undo(deletion, actor=None)
    with pytest.raises(UndoBlocked) as caught:
        undo(deletion, actor=None)
    assert all("Undid: Deleted Asha" in obstacle for obstacle in caught.value.obstacles)
    assert deletion.pk not in standing([deletion])


def test_a_name_that_the_kept_person_got_later_blocks_the_undo_of_a_merge(album: Album) -> None:
    asha, bela = album.person("Asha"), album.person("Bela")
    people.merge_people(keep=asha, drop=bela, actor=None)
    merge = newest()
    people.rename_person(person=asha, name="Bela", actor=None)
    with pytest.raises(UndoBlocked, match="Somebody else is called Bela now"):
        undo(merge, actor=None)
    undo(newest(), actor=None)
    undo(merge, actor=None)
    assert sorted(Person.objects.values_list("name", flat=True)) == ["Asha", "Bela"]


def test_a_new_person_with_more_faces_is_not_undone_away(album: Album) -> None:
    person = people.create_person(library=album.library, name="Asha", actor=None)
    creation = newest()
    [face] = album.add_photo("x")
    curation.assign_faces(faces=[face], person=person, actor=None)
    with pytest.raises(UndoBlocked, match="has got 1 more face since"):
        undo(creation, actor=None)


def test_faces_that_went_with_their_photo_do_not_block_an_undo(album: Album) -> None:
    asha, bela = album.person("Asha"), album.person("Bela")
    people.merge_people(keep=asha, drop=bela, actor=None)
    merge = newest()
    Photo.objects.filter(faces__in=Face.objects.filter(person=asha).order_by("-pk")[:1]).delete()
    undo(merge, actor=None)
    assert Face.objects.filter(person__name="Bela").count() == 2


def test_a_deleted_person_comes_back_with_everything(album: Album) -> None:
    asha = album.person("Asha")
    face = Face.objects.filter(person=asha).order_by("pk").last()
    assert face
    people.set_birth_date(person=asha, birth_date=date(1990, 5, 1), actor=None)
    people.set_cover(person=asha, face=face, actor=None)
    people.hide_person(person=asha, is_hidden=True, actor=None)
    before = state()
    people.delete_person(person=asha, actor=None)
    assert not Person.objects.exists()
    undo(newest(), actor=None)
    assert state() == before


def test_a_failure_in_the_middle_of_a_merge_leaves_everything_as_it_was(album: Album) -> None:
    asha, bela = album.person("Asha"), album.person("Bela")
    before = state()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION pg_temp.fail() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN RAISE EXCEPTION 'the disk is full'; END$$"
        )
        cursor.execute(
            "CREATE TRIGGER fail BEFORE DELETE ON faces_person FOR EACH ROW EXECUTE FUNCTION pg_temp.fail()"
        )
    with pytest.raises(DatabaseError, match="disk is full"):
        people.merge_people(keep=asha, drop=bela, actor=None)
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER fail ON faces_person")
    assert state() == before
    assert newest().verb == "rename"


def test_a_birth_date_sends_machine_made_guesses_away(album: Album) -> None:
    old = datetime(1950, 1, 1, tzinfo=UTC)
    asha = album.person("Asha")
    [early] = album.add_photo("Asha", taken_at=old)
    [by_hand] = album.add_photo("Asha", taken_at=old)
    curation.assign_faces(faces=[by_hand], person=asha, actor=None)
    assert people.set_birth_date(person=asha, birth_date=date(1980, 1, 1), actor=None) == 1
    early.refresh_from_db()
    by_hand.refresh_from_db()
    assert (early.person, by_hand.person) == (None, asha)
