"""What the admin does to people and faces: it shows what will happen, then does just that."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from faces import people
from faces.models import Face, JournalEntry, Person, PersonDistinction
from faces.tests.albums import Album
from faces.tests.test_admin import FACES, PEOPLE, join, make_person
from photos.models import Library, PhotoStep
from photos.tests.test_admin import act

JOURNAL = "admin:faces_journalentry_changelist"


@pytest.fixture
def library(db: None) -> Library:
    library: Library = Library.objects.create(name="Family")
    return library


def answer(client: Client, url_name: str, action: str, rows: list[Any], **fields: Any) -> str:
    """Choose the action, then say yes on the page that asks; the page that follows."""
    asked = act(client, url_name, action, rows)
    digest = re.search(r'name="shown" value="(\w+)"', asked)
    assert digest, asked
    data = {"action": action, "_selected_action": [row.pk for row in rows], "shown": digest[1], **fields}
    return client.post(reverse(url_name), data, follow=True).text


# --- people -------------------------------------------------------------------------------------------------


def test_merging_shows_what_is_kept_and_changes_nothing_before_the_answer(
    admin_client: Client, admin_user: Any, library: Library
) -> None:
    join(library, admin_user)
    unnamed, asha = make_person(library, faces=12), make_person(library, "Asha")
    page = act(admin_client, PEOPLE, "merge", [unnamed, asha])
    assert "13 faces of 2 people go to the one you keep" in page
    assert "and 2 more" in page
    assert page.count("/thumbnail") == 11
    assert re.search(rf'value="{asha.pk}"[^>]*checked', page)
    assert Person.objects.count() == 2


def test_merging_keeps_the_chosen_one_with_the_name_of_the_other(
    admin_client: Client, admin_user: Any, library: Library
) -> None:
    asha, bela = make_person(library, "Asha"), make_person(library, "Bela", faces=3)
    assert "Merged 1 person into Bela" in answer(admin_client, PEOPLE, "merge", [asha, bela], keep=bela.pk)
    kept = Person.objects.get()
    assert (kept.name, kept.aliases, kept.faces.count()) == ("Bela", ["Asha"], 4)
    assert JournalEntry.objects.get().actor == admin_user


def test_merging_shows_what_speaks_against_it(admin_client: Client, library: Library) -> None:
    asha, bela = make_person(library, "Asha"), make_person(library, "Bela")
    people.tell_apart(asha.pk, bela.pk)
    Face.objects.filter(person=bela).update(photo=asha.faces.get().photo)
    page = act(admin_client, PEOPLE, "merge", [asha, bela])
    assert "Somebody said that Asha is not Bela." in page
    assert "Asha and Bela are together on a photo." in page


def test_people_of_two_libraries_are_not_merged(admin_client: Client, library: Library) -> None:
    elsewhere = make_person(Library.objects.create(name="Other"))
    page = act(admin_client, PEOPLE, "merge", [make_person(library, "Asha"), elsewhere])
    assert "These people are not in one library, so they stay apart." in page
    assert Person.objects.count() == 2


def test_what_changed_after_the_page_was_shown_is_shown_again(admin_client: Client, library: Library) -> None:
    both = [make_person(library, "Asha"), make_person(library, "Bela")]
    digest = re.search(r'name="shown" value="(\w+)"', act(admin_client, PEOPLE, "merge", both))
    assert digest
    people.rename_person(person=both[1], name="Carla", actor=None)
    data = {
        "action": "merge",
        "_selected_action": [row.pk for row in both],
        "shown": digest[1],
        "keep": both[0].pk,
    }
    page = admin_client.post(reverse(PEOPLE), data).text
    assert "Somebody changed this meanwhile. Look again." in page
    assert "Carla" in page
    assert Person.objects.count() == 2


def test_too_many_at_once_are_refused(admin_client: Client, library: Library) -> None:
    Person.objects.bulk_create(Person(library=library) for _ in range(51))
    page = act(admin_client, PEOPLE, "merge", list(Person.objects.all()))
    assert "Choose at most 50 at once." in page


def test_hidden_people_come_back(admin_client: Client, admin_user: Any, library: Library) -> None:
    asha, bela = make_person(library, "Asha"), make_person(library, "Bela")
    assert "2 people will be hidden" in act(admin_client, PEOPLE, "hide", [asha, bela])
    answer(admin_client, PEOPLE, "hide", [asha, bela])
    assert Person.objects.filter(is_hidden=True).count() == 2
    assert "are hidden already" in act(admin_client, PEOPLE, "hide", [asha, bela])
    assert "1 person is shown now" in answer(admin_client, PEOPLE, "unhide", [asha])
    assert list(Person.objects.filter(is_hidden=True)) == [bela]
    verbs = JournalEntry.objects.filter(actor=admin_user).order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["hide", "hide", "unhide"]


def mixed(album: Album) -> Person:
    """A person of two far groups, of four and three faces."""
    asha, bela = album.person("Asha", 4), album.person("Bela", 3)
    Face.objects.filter(person=bela).update(person=asha)
    Person.objects.filter(pk=bela.pk).delete()
    return asha


def test_a_person_of_two_far_groups_is_found_and_split(admin_client: Client, album: Album) -> None:
    asha = mixed(album)
    album.person("Carla", 4)
    listed = admin_client.get(f"{reverse(PEOPLE)}?suspicious=mixture")
    assert [person.pk for person in listed.context["cl"].result_list] == [asha.pk]
    assert "two far groups of 4 and 3 faces" in listed.text
    page = act(admin_client, PEOPLE, "split", [asha])
    assert "far from the first group" in page
    ticked = re.findall(r'name="faces"\s+value="(\d+)"[^>]*checked', page)
    assert len(ticked) == 3
    assert "Split 3 faces off to Bela" in answer(
        admin_client, PEOPLE, "split", [asha], faces=ticked, name="Bela"
    )
    assert sorted(len(faces) for faces in album.people().values()) == [3, 4, 4]
    assert PersonDistinction.objects.filter(is_sure=True).count() == 1


def test_splitting_nothing_off_is_refused(admin_client: Client, album: Album) -> None:
    asha = album.person("Asha", 4)
    assert "Choose faces of this person." in answer(admin_client, PEOPLE, "split", [asha])
    assert Person.objects.count() == 1


def test_two_people_very_near_are_found(admin_client: Client, album: Album) -> None:
    asha, bela, carla = (album.person(name, 4) for name in ("Asha", "Bela", "Carla"))
    for face in Face.objects.filter(person=bela):
        face.embeddings.update(vector=album.vector_of("Asha"))
    listed = admin_client.get(f"{reverse(PEOPLE)}?suspicious=near")
    assert {person.pk for person in listed.context["cl"].result_list} == {asha.pk, bela.pk}
    assert "very near Bela" in listed.text
    people.tell_apart(asha.pk, bela.pk)
    people.rename_person(person=carla, name="Carl", actor=None)
    listed = admin_client.get(f"{reverse(PEOPLE)}?suspicious=near")
    assert not listed.context["cl"].result_list


# --- faces --------------------------------------------------------------------------------------------------


def test_faces_are_assigned_to_a_person_or_to_a_name(
    admin_client: Client, admin_user: Any, library: Library
) -> None:
    faces, asha = list(make_person(library, faces=3).faces.all()), make_person(library, "Asha")
    page = act(admin_client, FACES, "reassign", faces)
    assert "3 faces will be the person you choose below" in page
    answer(admin_client, FACES, "reassign", faces[:1], person=asha.pk)
    answer(admin_client, FACES, "reassign", faces[1:2], name="asha")
    answer(admin_client, FACES, "reassign", faces[2:], name="Bela")
    assert asha.faces.filter(assigned_by="person").count() == 2
    assert Person.objects.get(name="Bela").faces.get() == faces[2]
    assert set(JournalEntry.objects.values_list("actor", flat=True)) == {admin_user.pk}


def test_assigning_asks_for_one_answer(admin_client: Client, library: Library) -> None:
    faces = list(make_person(library).faces.all())
    assert "Choose a person or give a name." in answer(admin_client, FACES, "reassign", faces)
    assert not JournalEntry.objects.exists()


def test_faces_and_people_of_two_libraries_never_meet(admin_client: Client, library: Library) -> None:
    here, there = make_person(library), make_person(Library.objects.create(name="Other"))
    face, stranger = here.faces.get(), there.faces.get()
    page = answer(admin_client, FACES, "reassign", [face], person=there.pk)
    assert "The person is not in the library of this photo." in page
    for action in ("reassign", "confirm", "reject", "unassign", "dismiss", "split_off"):
        assert "Choose faces of one library" in act(admin_client, FACES, action, [face, stranger])
    assert not JournalEntry.objects.exists()


@pytest.mark.parametrize(
    ("action", "person", "by", "is_dismissed"),
    [
        ("confirm", True, "person", False),
        ("reject", False, "", False),
        ("unassign", False, "person", False),
        ("dismiss", False, "person", True),
    ],
)
def test_faces_are_confirmed_rejected_taken_away_and_dismissed(
    admin_client: Client, library: Library, action: str, person: bool, by: str, is_dismissed: bool
) -> None:
    faces = list(make_person(library, "Asha", faces=2).faces.all())
    assert "2 faces" in act(admin_client, FACES, action, faces)
    answer(admin_client, FACES, action, faces)
    for face in Face.objects.all():
        assert (face.person is not None, face.assigned_by, face.is_dismissed) == (person, by, is_dismissed)


def test_faces_are_split_off(admin_client: Client, library: Library) -> None:
    asha, bela = make_person(library, "Asha", faces=3), make_person(library, "Bela")
    faces = list(asha.faces.order_by("pk"))
    assert "Choose faces of one person." in act(
        admin_client, FACES, "split_off", [faces[0], bela.faces.get()]
    )
    assert "All faces were chosen" in answer(admin_client, FACES, "split_off", faces, name="Carla")
    answer(admin_client, FACES, "split_off", faces[:2], name="Carla")
    assert Person.objects.get(name="Carla").faces.count() == 2


def test_a_refusal_leaves_nothing_half_done(admin_client: Client, library: Library) -> None:
    """The new person is made first, then the split is refused."""
    faces = list(make_person(library, faces=2).faces.all())
    make_person(library, "Asha")
    page = answer(admin_client, FACES, "split_off", faces[:1], name="Asha")
    assert "There is a person called Asha already." in page
    assert Person.objects.count() == 2
    assert not JournalEntry.objects.exists()


def test_detection_runs_again_on_the_photos_of_faces_and_people(
    admin_client: Client, library: Library
) -> None:
    asha = make_person(library, "Asha", faces=3)
    PhotoStep.objects.update(status="done")
    assert "runs again on 3 photos" in act(admin_client, PEOPLE, "redetect", [asha])
    answer(admin_client, FACES, "redetect", list(asha.faces.all()[:1]))
    waiting = PhotoStep.objects.filter(status="pending")
    assert list(waiting.values_list("step", flat=True)) == ["faces"]
    answer(admin_client, PEOPLE, "redetect", [asha])
    assert waiting.count() == 3


# --- journal, permissions, cost -----------------------------------------------------------------------------


def test_an_entry_is_undone_or_says_what_stands_in_the_way(admin_client: Client, library: Library) -> None:
    asha, bela = make_person(library, "Asha"), make_person(library, "Bela")
    people.merge_people(keep=asha, drop=bela, actor=None)
    merge = JournalEntry.objects.get()
    people.rename_person(person=asha, name="Bela", actor=None)
    assert "Somebody else is called Bela now" in act(admin_client, JOURNAL, "undo", [merge])
    answer(admin_client, JOURNAL, "undo", [JournalEntry.objects.get(verb="rename")])
    answer(admin_client, JOURNAL, "undo", [merge])
    assert set(Person.objects.values_list("name", flat=True)) == {"Asha", "Bela"}


@pytest.fixture
def staff(client: Client, django_user_model: Any) -> Any:
    """A member of staff who may look at everything of faces and change nothing."""
    user = django_user_model.objects.create_user("bob@example.org")
    user.is_staff = True
    user.save()
    allow(user, "view_person", "view_face", "view_journalentry")
    client.force_login(user)
    return user


def allow(user: Any, *codenames: str) -> None:
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))


def test_actions_need_the_permissions_of_what_they_change(
    client: Client, staff: Any, library: Library
) -> None:
    both = [make_person(library, "Asha"), make_person(library, "Bela")]
    assert "What will happen" not in act(client, PEOPLE, "hide", both)
    allow(staff, "change_person")
    listed = client.get(reverse(PEOPLE)).text
    assert 'value="hide"' in listed
    assert 'value="merge"' not in listed
    allow(staff, "change_face")
    listed = client.get(reverse(PEOPLE)).text
    assert 'value="merge"' in listed
    assert 'value="redetect"' not in listed
    allow(staff, "change_photostep")
    assert 'value="redetect"' in client.get(reverse(PEOPLE)).text
    assert Person.objects.count() == 2


@pytest.mark.parametrize(("url_name", "action"), [(PEOPLE, "merge"), (PEOPLE, "hide"), (FACES, "reassign")])
def test_a_page_that_asks_costs_the_same_for_many(
    admin_client: Client, library: Library, url_name: str, action: str
) -> None:
    make_person(library, "Asha", faces=40)
    for _ in range(40):
        make_person(library)
    model = Person if url_name == PEOPLE else Face
    counts = []
    for count in (3, 3, 40):
        rows = list(model.objects.order_by("pk")[:count])
        with CaptureQueriesContext(connection) as queries:
            assert "What will happen" in act(admin_client, url_name, action, rows)
        counts.append(len(queries))
    assert counts[1] == counts[2] <= 12
